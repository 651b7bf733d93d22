"""What the contrast of a pretraining run compares: two views of each series of a batch.

Crops ask a token to tell what kind of series it is from, wherever in it: they give position away.
Warps keep the place of everything to within a few hundredths of the window and change what
repeated measurements change (speed, amplitude, drift, noise): they keep position. Kin makes the
batch hard: series of one group share most of their shape, as the classes of one data set do.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tool_use_om.data.errors import DataError
from tool_use_om.data.synthetic.curves.draws import Rng, log_uniform, smooth_noise, unit

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
