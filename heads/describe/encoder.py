"""From a curve to a few soft tokens: a multi-scale convolution, or the tokens of a frozen encoder.

Both end in the same projector, which is as wide as the language model's embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from tool_use_om.data.errors import DataError

if TYPE_CHECKING:
    from tool_use_om.tokenizers.tokenizer import Tokenizer

Array = np.ndarray
LENGTH = 256  # samples a curve is brought to
N_SOFT = 8  # soft tokens a channel
N_ROWS = 4  # what the convolution reads: z-scored, of the limit, whether there is one, present
LEAST = 8  # samples without which nothing is read
_KERNELS = (3, 5, 9, 17)
_STRIDE = 4  # samples of the first step
_REACH = 6.0  # deviations that z-scored values are cut at
CURVES = "curves"


def rows_of(values: Array, limit: float | None = None) -> Array:
    """Return what the convolution reads of one channel.

    Parameters
    ----------
    values : (n,) channel's unit, evenly spaced, NaN = missing
    limit : what the channel cannot exceed; None = not known

    Returns
    -------
    ndarray (N_ROWS, LENGTH) float32

    Raises
    ------
    DataError : fewer than `LEAST` samples are there
    """
    known = np.isfinite(values)
    if known.sum() < LEAST:
        raise DataError(
            f"A signal needs at least {LEAST} samples to be described, got {int(known.sum())}. "
            "Take a longer stretch, or a channel that was recorded in it."
        )
    at = np.linspace(0, len(values) - 1, LENGTH)
    places = np.flatnonzero(known)
    filled = np.interp(at, places, values[known])
    present = np.interp(at, np.arange(len(values)), known.astype(np.float64)) > 0.5
    mean, spread = float(values[known].mean()), float(values[known].std())
    z = np.clip((filled - mean) / spread, -_REACH, _REACH) if spread > 0 else 0 * filled
    share = filled / limit if limit else np.zeros(LENGTH)
    flag = np.full(LENGTH, float(bool(limit)))
    return np.stack([z, share, flag, present]).astype(np.float32)


def features_of(curves: Sequence[Array], source: str) -> Array:
    """Return what is read of channels: rows for the convolution, or an encoder's tokens.

    Parameters
    ----------
    curves : of each channel the rows of `rows_of`
    source : "curves", or the name of a registered tokenizer

    Returns
    -------
    ndarray (C, N_ROWS, LENGTH), or (C, N_SOFT, D) float32
    """
    rows = np.stack(curves)
    return rows if source == CURVES else tokens_of(rows, _loaded(source))


def tokens_of(rows: Array, tokenizer: Tokenizer) -> Array:
    """Return a frozen encoder's tokens, neighbours averaged to N_SOFT, their scale beside them.

    Returns
    -------
    ndarray (C, N_SOFT, D + 2): the last two are the mean share of the limit of each part and
        whether there is a limit, as z-scored values have no scale
    """
    from tool_use_om.tokenizers.windows.windows import WindowBatch

    n = len(rows)
    batch = WindowBatch(
        values=rows[:, :1] * rows[:, 3:],
        mask=rows[:, 3:] > 0,
        rate_hz=1.0,
        start_s=np.zeros(n),
        session_ids=tuple(map(str, range(n))),
        channels=("x",),
        units=("1",),
    )
    found = tokenizer.encode(batch).values[:, 0]
    groups = np.array_split(np.arange(found.shape[1]), N_SOFT)
    tokens = np.stack([found[:, g].mean(axis=1) for g in groups], axis=1)
    scale = rows[:, 1:3].reshape(n, 2, N_SOFT, -1).mean(axis=-1).transpose(0, 2, 1)
    joined: Array = np.concatenate([tokens, scale], axis=-1).astype(np.float32)
    return joined


def width_of(source: str) -> int:
    """Return how wide the features of a source are when they reach the projector."""
    from tool_use_om.tokenizers.registry import spec

    return TemporalEncoder.width if source == CURVES else spec(source).d_model + 2


@cache
def _loaded(name: str) -> Tokenizer:
    from tool_use_om.tokenizers.registry import load_tokenizer

    return load_tokenizer(name)


class _Scales(nn.Module):
    """Parallel kernels over one input; a residual around them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        part = width // len(_KERNELS)
        self.kernels = nn.ModuleList(nn.Conv1d(width, part, k, padding=k // 2) for k in _KERNELS)
        self.norm = nn.GroupNorm(1, width)

    def forward(self, x: Tensor) -> Tensor:
        read = torch.cat([kernel(x) for kernel in self.kernels], dim=1)
        return x + torch.nn.functional.gelu(self.norm(read))


class TemporalEncoder(nn.Module):
    """Rows (B, N_ROWS, LENGTH) → (B, N_SOFT, width): at each of four lengths, all scales."""

    width = 96

    def __init__(self) -> None:
        super().__init__()
        width, halvings = self.width, int(np.log2(LENGTH // _STRIDE // N_SOFT))
        self.stem = nn.Conv1d(N_ROWS, width, 2 * _STRIDE, stride=_STRIDE, padding=_STRIDE // 2)
        self.blocks = nn.ModuleList(_Scales(width) for _ in range(halvings + 1))
        self.halve = nn.ModuleList(
            nn.Conv1d(width, width, 4, stride=2, padding=1) for _ in range(halvings)
        )

    def forward(self, rows: Tensor) -> Tensor:
        """Return tokens (B, N_SOFT, width)."""
        x: Tensor = self.stem(rows)
        for block, halve in zip(self.blocks, [*self.halve, nn.Identity()], strict=True):
            x = halve(block(x))
        return x.transpose(1, 2)


class Projector(nn.Module):
    """Features (B, N_SOFT, D) → soft tokens (B, N_SOFT, width of the language model).

    Parameters
    ----------
    size : float, the root mean square of the language model's own embedded words
    """

    def __init__(self, features: int, width: int, size: float) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.zeros(N_SOFT, features))
        self.norm = nn.LayerNorm(features)
        self.first, self.second = nn.Linear(features, width), nn.Linear(width, width)
        self.last = nn.LayerNorm(width)
        self.size = nn.Parameter(torch.tensor(size))

    def forward(self, features: Tensor) -> Tensor:
        """Return soft tokens (B, N_SOFT, width of the language model)."""
        x = torch.nn.functional.gelu(self.first(self.norm(features + self.place)))
        soft: Tensor = self.size * self.last(self.second(x))
        return soft


class SignalEncoder(nn.Module):
    """What is trained: the encoder (where curves are read) and the projector."""

    def __init__(self, source: str, width: int, size: float, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.encoder: nn.Module = TemporalEncoder() if source == CURVES else nn.Identity()
            self.projector = Projector(width_of(source), width, size)
        self.source = source

    def forward(self, features: Tensor) -> Tensor:
        """Return soft tokens (B, N_SOFT, width)."""
        soft: Tensor = self.projector(self.encoder(features))
        return soft
