"""ETSformer's encoder: season by the strongest frequencies, growth by smoothing, a level of each.

Woo, Liu, Sahoo, Kumar and Hoi (2022), "ETSformer: Exponential Smoothing Transformers for
Time-series Forecasting", sections 3 and 4. Not covered: the decoder's damped extrapolation.
"""

from __future__ import annotations

import torch
from torch import nn

from tool_use_om.heads.events.deep.network import DROPOUT, HEADS

_STRONGEST = 3  # frequencies that make a layer's season


class Smoothing(nn.Module):
    """Exponential smoothing with a learnt weight a head: s_t = a x_t + (1 - a) s_{t-1}."""

    def __init__(self, heads: int, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(heads))
        self.start = nn.Parameter(torch.zeros(heads, size))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, T, heads, size) smoothed along T, as one product with (T, T) weights."""
        n = x.shape[1]
        share = torch.sigmoid(self.weight.float())  # (heads,)
        at = torch.arange(n, device=x.device)
        back = (at[:, None] - at[None, :]).clamp(min=0)
        kept = (1 - share)[:, None, None] ** back
        kernel = torch.where(at[:, None] >= at[None, :], share[:, None, None] * kept, 0.0)
        smoothed = torch.einsum("hts,bshd->bthd", kernel.to(x.dtype), x)
        first = (1 - share)[None, :] ** (at[:, None] + 1)  # (T, heads)
        return smoothed + (first[..., None] * self.start).to(x.dtype)


class Growth(nn.Module):
    """Smoothed differences of what is left of the window, head by head."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.size = width // HEADS
        self.inside, self.outside = nn.Linear(width, width), nn.Linear(width, width)
        self.before = nn.Parameter(torch.zeros(1, 1, width))
        self.smoothing = Smoothing(HEADS, self.size)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, T, width) growths of (B, T, width)."""
        values = self.inside(x)
        before = torch.cat([self.before.expand(len(x), 1, -1).to(values.dtype), values[:, :-1]], 1)
        steps = (values - before).unflatten(2, (HEADS, self.size))
        grown: torch.Tensor = self.outside(self.smoothing(steps).flatten(2))
        return grown


def season(x: torch.Tensor, strongest: int = _STRONGEST) -> torch.Tensor:
    """Return (B, T, d): each channel's strongest frequencies, its mean left out."""
    spectrum = torch.fft.rfft(x.float(), dim=1)
    size = spectrum.abs()
    size[:, 0] = 0.0
    least = size.topk(min(strongest, size.shape[1]), dim=1).values[:, -1:]
    kept = torch.where((size >= least) & (size > 0), spectrum, torch.zeros_like(spectrum))
    cyclic: torch.Tensor = torch.fft.irfft(kept, n=x.shape[1], dim=1)
    return cyclic


class EtsLayer(nn.Module):
    """Take season and growth out of what is left, and pass the rest on through a small network."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.growth = Growth(width)
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.rest = nn.Sequential(
            nn.Linear(width, 4 * width), nn.Sigmoid(), nn.Dropout(DROPOUT),
            nn.Linear(4 * width, width), nn.Dropout(DROPOUT),
        )  # fmt: skip

    def forward(self, left: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return what is left, the growth and the season, (B, T, width) each."""
        cyclic = season(left)
        left = left - cyclic
        grown = self.growth(left)
        left = self.first(left - grown)
        return self.second(left + self.rest(left)), grown, cyclic


class EtsBody(nn.Module):
    """(B, T, F) windows to the last level, growth and season of all layers, and their mean."""

    def __init__(self, n_features: int, width: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Conv1d(n_features, width, 3, padding=1, padding_mode="replicate")
        self.layers = nn.ModuleList(EtsLayer(width) for _ in range(layers))
        self.level = Smoothing(n_features, 1)
        self.d = 2 * width + n_features

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, 2 · width + F)."""
        left = self.embedding(x.transpose(1, 2)).transpose(1, 2)
        total = torch.zeros_like(left)
        for layer in self.layers:
            left, grown, cyclic = layer(left)
            total = total + grown + cyclic
        level = self.level((x - season(x))[..., None])[:, -1, :, 0]
        return torch.cat([total.mean(dim=1), total[:, -1] + left[:, -1], level], dim=1)
