"""The head all architectures share: a description of the window to one logit."""

from __future__ import annotations

import torch
from torch import nn


class Judged(nn.Module):
    """A body's description, normalised, through one linear map.

    Parameters
    ----------
    body : a module from (B, T, F) to (B, d), with `d` as attribute
    """

    def __init__(self, body: nn.Module, dropout: float) -> None:
        super().__init__()
        self.body = body
        size = int(body.d)  # type: ignore[arg-type]  # every body states it
        self.norm, self.dropout = nn.LayerNorm(size), nn.Dropout(dropout)
        self.last = nn.Linear(size, 1)
        nn.init.normal_(self.last.weight, std=0.01)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the (B,) logits of (B, T, F) windows."""
        logit: torch.Tensor = self.last(self.dropout(self.norm(self.body(x))))
        return logit[:, 0]


def over_time(tokens: torch.Tensor) -> torch.Tensor:
    """Return (B, 2 d): mean and last of (B, T, d) tokens in order of time."""
    return torch.cat([tokens.mean(dim=1), tokens[:, -1]], dim=1)
