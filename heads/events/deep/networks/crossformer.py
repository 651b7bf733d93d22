"""Crossformer's encoder: segments of each feature, attention in two stages, coarser layer by layer.

Zhang and Yan (2023), "Crossformer: Transformer Utilizing Cross-Dimension Dependency for
Multivariate Time Series Forecasting", section 3. Not covered: the decoder.
"""

from __future__ import annotations

import torch
from torch import nn

from tool_use_om.heads.events.deep.network import DROPOUT, HEADS

_SEGMENT = 16  # samples
_ROUTERS = 6  # of a segment, through which features see each other
_MERGED = 2  # segments that become one in the next layer


def _small(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width, 4 * width), nn.GELU(), nn.Dropout(DROPOUT), nn.Linear(4 * width, width)
    )


class TwoStage(nn.Module):
    """Attention over a feature's segments, then between features through a few routers."""

    def __init__(self, segments: int, width: int) -> None:
        super().__init__()
        attention = {"dropout": DROPOUT, "batch_first": True}
        self.time = nn.MultiheadAttention(width, HEADS, **attention)
        self.collect = nn.MultiheadAttention(width, HEADS, **attention)
        self.hand_out = nn.MultiheadAttention(width, HEADS, **attention)
        self.routers = nn.Parameter(torch.randn(segments, _ROUTERS, width) / width**0.5)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))
        self.one, self.two = _small(width), _small(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, F, S, width) of the same shape."""
        n, features, segments, _ = x.shape
        rows = x.flatten(0, 1)
        rows = self.norms[0](rows + self.time(rows, rows, rows, need_weights=False)[0])
        rows = self.norms[1](rows + self.one(rows))
        columns = rows.reshape(x.shape).transpose(1, 2).flatten(0, 1)  # (B S, F, width)
        routers = self.routers.repeat(n, 1, 1).to(columns.dtype)
        gathered = self.collect(routers, columns, columns, need_weights=False)[0]
        seen = self.hand_out(columns, gathered, gathered, need_weights=False)[0]
        columns = self.norms[2](columns + seen)
        columns = self.norms[3](columns + self.two(columns))
        seen_all: torch.Tensor = columns.reshape(n, segments, features, -1).transpose(1, 2)
        return seen_all


class Merge(nn.Module):
    """Two neighbouring segments become one; an odd last one is repeated."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.map = nn.LayerNorm(_MERGED * width), nn.Linear(_MERGED * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, F, ceil(S / 2), width) of (B, F, S, width)."""
        if x.shape[2] % _MERGED:
            x = torch.cat([x, x[:, :, -1:]], dim=2)
        pairs = x.reshape(*x.shape[:2], x.shape[2] // _MERGED, -1)
        merged: torch.Tensor = self.map(self.norm(pairs))
        return merged


class CrossBody(nn.Module):
    """(B, T, F) windows to the mean over the last layer's segments, features side by side."""

    def __init__(self, n_features: int, context: int, width: int, layers: int) -> None:
        super().__init__()
        self.segment = min(_SEGMENT, context)
        segments = context // self.segment
        self.embedding = nn.Linear(self.segment, width)
        self.place = nn.Parameter(torch.randn(n_features, segments, width) / width**0.5)
        self.norm, self.dropout = nn.LayerNorm(width), nn.Dropout(DROPOUT)
        self.layers = nn.ModuleList()
        for layer in range(layers):
            if layer:
                self.layers.append(Merge(width))
                segments = -(-segments // _MERGED)
            self.layers.append(TwoStage(segments, width))
        self.d = n_features * width

    def segmented(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, F, S, segment) of (B, T, F); samples before the first whole one are left."""
        whole = x.shape[1] // self.segment * self.segment
        parts: torch.Tensor = x[:, -whole:].transpose(1, 2).unfold(2, self.segment, self.segment)
        return parts

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, F · width)."""
        tokens = self.dropout(self.norm(self.embedding(self.segmented(x)) + self.place))
        for layer in self.layers:
            tokens = layer(tokens)
        described: torch.Tensor = tokens.mean(dim=2).flatten(1)
        return described
