"""What pretraining lowers: the loss of hidden patches, here also on held-out synthetic series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # the name torch's own documents use

from tool_use_om.data.errors import DataError
from tool_use_om.data.show.markdown import table
from tool_use_om.data.synthetic.curves.draws import Rng, log_uniform, smooth_noise, unit
from tool_use_om.tokenizers.moment.model import Moment
from tool_use_om.tokenizers.pretrain.corpus import FAMILIES, Corpus

HELD_MASKS = 3  # first word of the seeds of the patches hidden in held-out series
N_HELD = 64  # held-out series a family
LARGEST = 10.0  # normalised target; where all that is visible is flat, a hidden step has no limit


def hide(rng: np.random.Generator, n: int, n_patches: int, low: float, high: float) -> Tensor:
    """Return (n, n_patches) bool: the same number of patches hidden in every row, 1 at least."""
    count = min(n_patches - 1, max(1, round(rng.uniform(low, high) * n_patches)))
    order = rng.random((n, n_patches)).argsort(axis=1)
    return torch.from_numpy(order < count)


def hidden_loss(m: Moment, x: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Series (B, T) and hidden patches (B, P) bool → loss of the hidden, tokens (B, P, D)."""
    size = m.config.patch_len
    visible = ~hidden.repeat_interleave(size, dim=-1)
    z = m.normalize(x[:, None], visible[:, None])[0][:, 0].clamp(-LARGEST, LARGEST)
    patches = z.reshape(len(z), -1, size)
    at = torch.arange(m.config.max_patches - patches.shape[1], m.config.max_patches)
    at = at.to(x.device)
    embedded = m.patch_embedding(m.inputs(patches, ~hidden), m.positions[at], hidden)
    tokens = m.encoder(embedded, at)
    rebuilt = m.head(tokens).reshape(patches.shape)
    return F.huber_loss(rebuilt[hidden].float(), patches[hidden]), tokens


@torch.inference_mode()
def held_out_losses(model: Moment, *, seed: int = 0) -> dict[str, float]:
    """Return the loss on held-out series of each family: for a seed the same series and patches."""
    losses, device = {}, next(model.parameters()).device
    for k, name in enumerate(FAMILIES):
        x = torch.from_numpy(Corpus(seed=seed).validation(name, N_HELD)).to(device)
        rng = np.random.default_rng((HELD_MASKS, seed, k))
        hidden = hide(rng, N_HELD, x.shape[1] // model.config.patch_len, 0.35, 0.35).to(device)
        losses[name] = float(hidden_loss(model, x, hidden)[0])
    return losses


def loss_table(losses: dict[str, dict[str, float]]) -> str:
    """Return losses by model and family as a Markdown table: one row a family, the mean last."""
    rows = {name: [model[name] for model in losses.values()] for name in FAMILIES}
    rows["**mean**"] = [sum(model.values()) / len(model) for model in losses.values()]
    cells = [(name, *(f"{x:.4f}" for x in row)) for name, row in rows.items()]
    return table(("family", *losses), cells, "lr")


Batch = NDArray[np.float32]


GROUP = 4  # series that share a shape


BEND, SHIFT = 0.03, 0.04  # shares of the window: spread of a warp, largest move of its ends


def crops(series: Batch, rng: Rng) -> Batch:
    """Cut two windows out of each of the first half of the rows: (n, 3 k) → (n, 2 k)."""
    n, length = series.shape[0] // 2, series.shape[1] * 2 // 3
    starts = rng.integers(0, series.shape[1] - length + 1, (2, n, 1))
    index = starts + np.arange(length)
    rows = np.arange(n)[None, :, None]
    return np.asarray(series[rows, index].reshape(2 * n, length))


def resized(series: Batch, rng: Rng, length: int, least: float = 0.7) -> Batch:
    """Cut two windows of `least` to all of each row and stretch them: (n, T) → (2 n, length)."""
    twice = np.concatenate([series, series])
    width = rng.uniform(least, 1, (len(twice), 1)) * (series.shape[1] - 1)
    start = rng.random((len(twice), 1)) * (series.shape[1] - 1 - width)
    at = start + width * np.linspace(0, 1, length)[None]
    return np.asarray(interpolated(twice, at), dtype=np.float32)


def warps(series: Batch, rng: Rng) -> Batch:
    """Measure each of the first half of the rows twice: (n, 3 k) → (n, 2 k), the middle of each.

    Time is bent by a few hundredths of the window, amplitude swells, a drift and noise are added.
    """
    n, length = series.shape[0] // 2, series.shape[1] * 2 // 3
    twice = np.concatenate([series[:n], series[:n]])
    m = len(twice)
    ends = rng.uniform(-SHIFT, SHIFT, (m, 2)) * length
    along = np.linspace(0, 1, length)[None]
    bend = BEND * length * rng.random((m, 1)) * smooth_noise(rng, m, length, length / 4)
    at = (series.shape[1] - length) / 2 + along * (length - 1)
    at = at + ends[:, :1] * (1 - along) + ends[:, 1:] * along + bend
    out = interpolated(twice, at)
    out = out * (1 + 0.3 * rng.random((m, 1)) * smooth_noise(rng, m, length, length / 3))
    scale = out.std(axis=1, keepdims=True)
    drift = 0.3 * rng.random((m, 1)) * smooth_noise(rng, m, length, length / 2)
    noise = log_uniform(rng, 0.01, 0.3, (m, 1)) * rng.standard_normal((m, length))
    return np.asarray(out + scale * (drift + noise), dtype=np.float32)


def kin(series: Batch, rng: Rng) -> Batch:
    """Give every `GROUP` neighbouring rows the first one's shape, and each some of its own."""
    first = np.arange(len(series)) // GROUP * GROUP
    own = rng.uniform(0.2, 0.7, (len(series), 1)) * (first != np.arange(len(series)))[:, None]
    mixed = np.sqrt(1 - own**2) * series[first] + own * series
    return np.asarray(unit(mixed), dtype=np.float32)


def interpolated(series: Batch, at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each row of (n, T) at places (n, L), samples from its start, linearly; ends held."""
    at = np.clip(at, 0, series.shape[1] - 1)
    low = np.minimum(at.astype(np.int64), series.shape[1] - 2)
    left = np.take_along_axis(series, low, axis=1)
    right = np.take_along_axis(series, low + 1, axis=1)
    return np.asarray(left + (at - low) * (right - left))


def stretched(series: Batch, length: int) -> Batch:
    """Return rows (n, T) linearly interpolated to (n, length)."""
    at = np.linspace(0, series.shape[1] - 1, length)[None].repeat(len(series), axis=0)
    return np.asarray(interpolated(series, at), dtype=np.float32)


def read_real(path: Path) -> Batch:
    """Read real series (n, T) for an ablation; raise DataError for anything but finite rows."""
    try:
        series = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is not a readable .npy file: {error}") from error
    if series.ndim != 2 or series.shape[1] < 64 or not np.isfinite(series).all():
        raise DataError(
            f"{path} must hold finite series (n, samples) of 64 samples or more, got "
            f"{series.shape}."
        )
    return np.asarray(series, dtype=np.float32)


def with_real(series: Batch, real: Batch, rng: Rng) -> Batch:
    """Put random stretches of real series, of any length and unit variance, in a third of rows."""
    at = np.flatnonzero(rng.random(len(series)) < 1 / 3)
    length = rng.uniform(32, real.shape[1], (len(at), 1))
    start = rng.random((len(at), 1)) * (real.shape[1] - length)
    place = start + length * np.linspace(0, 1, series.shape[1])[None]
    out = series.copy()
    out[at] = unit(interpolated(real[rng.integers(0, len(real), len(at))], place))
    return out


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
