"""What forecasting heads read of tokens: the leading components of a channel's last token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tool_use_om.heads.contract.pooling import principal_axes
from tool_use_om.heads.forecast.batch import ForecastBatch, normalisation

if TYPE_CHECKING:
    from tool_use_om.tokenizers.windows.windows import WindowBatch

Array = np.ndarray
_MOST_ROWS = 10_000  # axes are fitted on at most so many rows


def last_tokens(batch: ForecastBatch, columns: Sequence[int]) -> Array:
    """Return (B, len(columns), D) float64: each channel's last valid token, 0 without one."""
    tokens = batch.tokens
    pooled = tokens.pooled("last").reshape(len(batch), len(tokens.channels), -1)
    last: Array = pooled[:, list(columns)].astype(np.float64)
    return last


def component_axes(rows: Array, dims: int) -> tuple[Array, Array]:
    """Return shift (D,) and matrix (D, d <= dims): rows come to components of unit variance."""
    shift = rows.mean(axis=0)
    centred = rows - shift
    axes = principal_axes(centred[:: -(-len(centred) // _MOST_ROWS)], dims)
    spread = float((centred @ axes).std(axis=0).mean())
    return shift, axes / max(spread, 1e-12)


def normalised_truth(batch: ForecastBatch, channels: Sequence[str], n_steps: int) -> Array:
    """Return (B * C, n_steps) of what came after, in each window's mean and scale; NaN unknown."""
    columns = columns_of(batch.windows, channels)
    mean, scale = normalisation(batch.windows, columns)
    truth = batch.truth(channels, n_steps)
    scaled: Array = ((truth - mean[..., None]) / scale[..., None]).reshape(-1, n_steps)
    return scaled


def columns_of(windows: WindowBatch, channels: Sequence[str]) -> list[int]:
    """Return where the channels are in the windows."""
    return [list(windows.channels).index(c) for c in channels]
