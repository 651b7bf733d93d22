"""Attention with learnt AR and MA terms.

The AR term is causal softmax attention, read as a forecast of the next value; what it was wrong by
is known one step later, and the MA term is a second causal attention over these errors. That a
layer's own errors of one step make an MA term beside attention is the idea of Lu, Han, Sun and Yang
(2024), "Autoregressive Moving-average Attention Mechanism for Time Series Forecasting"; they
generate its weights indirectly and in linear time. The form here, softmax for the AR and decaying
linear weights for the MA term, is our own.
"""

from __future__ import annotations

import torch
from torch import nn

from tool_use_om.heads.events.deep.network import DROPOUT, HEADS
from tool_use_om.heads.events.deep.networks.judged import over_time


class ArmaAttention(nn.Module):
    """(B, T, width) to the same: o_t = sum a_ti v_i + sum b_tj (v_j - o^AR_{j-1}), i, j <= t."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.size = width // HEADS
        self.maps = nn.Linear(width, 5 * width)  # q and k of both terms, and v
        self.outside = nn.Linear(width, width)
        self.decay = nn.Parameter(torch.linspace(-2.0, 3.0, HEADS))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, T, width); no step sees a later one."""
        parts = self.maps(x).unflatten(2, (5, HEADS, self.size)).permute(2, 0, 3, 1, 4)
        q, k, q_errors, k_errors, v = parts  # (B, heads, T, size) each
        forecast = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        before = torch.cat([torch.zeros_like(v[:, :, :1]), forecast[:, :, :-1]], dim=2)
        errors = v - before
        corrected = self.weights(q_errors, k_errors).to(errors.dtype) @ errors
        mixed: torch.Tensor = self.outside((forecast + corrected).transpose(1, 2).flatten(2))
        return mixed

    def weights(self, q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
        """Return the (B, heads, T, T) weights of the errors: bounded, causal, fading with age."""
        at = torch.arange(q.shape[2], device=q.device)
        age = (at[:, None] - at[None, :]).clamp(min=0)
        kept = torch.sigmoid(self.decay.float())[:, None, None] ** age
        causal = torch.where(at[:, None] >= at[None, :], kept, 0.0)
        agreed = torch.tanh(q @ k.transpose(2, 3) / self.size**0.5)
        return agreed.float() * causal / causal.sum(dim=2, keepdim=True)


class ArmaLayer(nn.Module):
    """ARMA attention and a small network, each added to what came in."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = ArmaAttention(width)
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.rest = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Dropout(DROPOUT), nn.Linear(4 * width, width)
        )
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, T, width)."""
        x = x + self.dropout(self.attention(self.first(x)))
        rest: torch.Tensor = x + self.dropout(self.rest(self.second(x)))
        return rest


class ArmaBody(nn.Module):
    """(B, T, F) windows to mean and last token."""

    def __init__(self, n_features: int, context: int, width: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Linear(n_features, width)
        self.place = nn.Parameter(torch.zeros(context, width))
        self.layers = nn.ModuleList(ArmaLayer(width) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.d = 2 * width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, 2 · width)."""
        tokens = self.embedding(x) + self.place
        for layer in self.layers:
            tokens = layer(tokens)
        return over_time(self.norm(tokens))
