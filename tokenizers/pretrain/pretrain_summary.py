"""What the mean token of a window should tell about it: shape, spectrum, distribution.

Masked reconstruction alone lets a token describe its own patch; a head that pools tokens then sees
little of the window. These targets, read linearly from the mean token, ask for the window.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # the name torch's own documents use

N_SHAPE, N_ACTIVITY, N_BANDS = 16, 8, 12
LAGS = (1, 2, 4, 8, 16, 32)
LEVELS = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
N_SEGMENTS, N_SEGMENT = 4, 8
N_SUMMARY = N_SHAPE + N_ACTIVITY + N_BANDS + len(LAGS) + 2 * len(LEVELS)
LOWEST = 1 / 256  # cycles per sample, lower edge of the lowest band
FLOOR = 1e-3


@torch.no_grad()
def summarize(x: Tensor) -> Tensor:
    """Describe windows in about unit scale.

    Parameters
    ----------
    x : Tensor (B, T), T >= 64 samples, any unit

    Returns
    -------
    Tensor (B, N_SUMMARY): means of 16 segments, log activity of 8 segments, log power in 12
    log-spaced bands, autocorrelation at 6 lags, quantiles of values and of differences; all of the
    window scaled to mean 0 and standard deviation 1
    """
    z = x - x.mean(-1, keepdim=True)
    z = z / (z.std(-1, keepdim=True) + 1e-5)
    steps = z.diff(dim=-1)
    levels = torch.tensor(LEVELS, device=x.device)
    size = 2 * z.shape[-1]
    power = torch.fft.rfft(z, n=size).abs().square()
    lagged = torch.fft.irfft(power, n=size)[:, list(LAGS)] / z.shape[-1]
    return torch.cat(
        [
            F.adaptive_avg_pool1d(z, N_SHAPE),
            torch.log(F.adaptive_avg_pool1d(steps.abs(), N_ACTIVITY) + 0.01) / 2,
            _bands(power / power.sum(-1, keepdim=True).clamp(min=1e-9)),
            lagged,
            torch.quantile(z, levels, dim=-1).T,
            torch.quantile(steps, levels, dim=-1).T,
        ],
        dim=-1,
    )


@torch.no_grad()
def summarize_segments(x: Tensor) -> Tensor:
    """Describe each quarter of windows (B, T), T >= 64, in about unit scale: (B, 4, 8).

    Means of four parts of the quarter, its log spread, log activity, lowest and highest value; all
    of the window scaled to mean 0 and standard deviation 1.
    """
    z = x - x.mean(-1, keepdim=True)
    z = z / (z.std(-1, keepdim=True) + 1e-5)
    part = z.reshape(len(z), N_SEGMENTS, -1)
    activity = part.diff(dim=-1).abs().mean(-1, keepdim=True)
    return torch.cat(
        [
            F.adaptive_avg_pool1d(part, N_SEGMENT - 4),
            torch.log(part.std(-1, keepdim=True) + 0.01) / 2,
            torch.log(activity + 0.01) / 2,
            part.amin(-1, keepdim=True),
            part.amax(-1, keepdim=True),
        ],
        dim=-1,
    )


def _bands(share: Tensor) -> Tensor:
    """Share of power by frequency (B, F) → log share by band (B, N_BANDS), about unit scale."""
    frequency = torch.linspace(0, 0.5, share.shape[-1], device=share.device).clamp(min=LOWEST)
    place = torch.log(frequency / LOWEST) / torch.log(torch.tensor(0.5 / LOWEST))
    band = (place * N_BANDS).long().clamp(max=N_BANDS - 1)
    total = share.new_zeros(share.shape[0], N_BANDS).index_add_(1, band, share)
    return torch.log(total + FLOOR) / 3 + 1
