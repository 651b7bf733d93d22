"""A second resolution: each window also stretched to the encoder's whole context.

One resolution loses what is faster than its patches. A window of 128 samples is 16 patches at its
own rate; stretched to 512 samples it is 64, each a quarter as long. The tokens of the two stand
side by side along D on the finer patch grid, so a head needs no change.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.progress import Progress
from tool_use_om.tokenizers.tokenizer import Tokenizer
from tool_use_om.tokenizers.tokens import Tokens
from tool_use_om.tokenizers.windows.windows import WindowBatch


def encode_resolutions(
    tokenizer: Tokenizer, batch: WindowBatch, *, progress: Progress | None = None
) -> Tokens:
    """Encode windows at their own rate and stretched to the encoder's context.

    Parameters
    ----------
    tokenizer : Tokenizer
    batch : WindowBatch
    progress : as for `Tokenizer.encode`, once a resolution

    Returns
    -------
    Tokens (B, C, P, 2 D) on the patches of the stretched windows: first the window's own tokens,
    each repeated over the finer patches in it, then the finer ones; valid where both are. The
    context is that of the windows as they are. A window that fills the context has its own tokens
    twice.

    Raises
    ------
    DataError : windows that do not fit the encoder
    """
    own = tokenizer.encode(batch, progress=progress)
    samples = tokenizer.spec.native_context
    if batch.values.shape[-1] == samples:
        return replace(own, values=np.concatenate([own.values, own.values], axis=-1))
    fine = tokenizer.encode(stretched(batch, samples), progress=progress)
    coarse = laid_on(own, fine)
    mask = coarse.mask & fine.mask
    values = np.concatenate([coarse.values, fine.values], axis=-1)
    values[~mask] = 0
    return replace(coarse, values=values, mask=mask)


def stretched(batch: WindowBatch, samples: int) -> WindowBatch:
    """Return the windows interpolated linearly to `samples` samples over the same seconds.

    A sample is measured where both neighbours it lies between are; the window's two ends, half a
    sample each, repeat the outermost one.
    """
    length = batch.values.shape[-1]
    at = np.clip((np.arange(samples) + 0.5) * length / samples - 0.5, 0, length - 1)
    low = np.floor(at).astype(np.int64)
    high = np.minimum(low + 1, length - 1)
    part = (at - low).astype(batch.values.dtype)
    high = np.where(part > 0, high, low)
    mask = batch.mask[..., low] & batch.mask[..., high]
    values = batch.values[..., low] * (1 - part) + batch.values[..., high] * part
    return replace(
        batch,
        values=np.where(mask, values, 0).astype(batch.values.dtype),
        mask=mask,
        rate_hz=batch.rate_hz * samples / length,
    )


COVERED = 0.5  # a cell of the common grid is valid if this share of it is in valid patches


_ROWS_AT_ONCE = 256


def laid_on(part: Tokens, grid: Tokens) -> Tokens:
    """Return the tokens of `part` on the patches of `grid`: same windows, other seconds.

    Each cell gets the mean of the valid tokens over it, weighted by the seconds they share; it is
    valid where at least half of it is covered.
    """
    if part.session_ids != grid.session_ids:
        raise DataError("Only tokens of the same windows can be laid on one grid.")
    (b, c, _, d), p = part.values.shape, grid.start_s.shape[1]
    values, mask = np.zeros((b, c, p, d), np.float32), np.zeros((b, c, p), dtype=bool)
    for first in range(0, b, _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        shared = _shared_s(grid.start_s[rows], grid.patch_s, part.start_s[rows], part.patch_s)
        weight = shared[:, None] * part.mask[rows, :, None, :]
        covered = weight.sum(axis=-1)
        total = np.einsum("bcpq,bcqd->bcpd", weight, part.values[rows], optimize=True)
        valid = covered >= COVERED * grid.patch_s * (1 - 1e-9)
        values[rows] = np.where(valid[..., None], total / np.maximum(covered, 1e-12)[..., None], 0)
        mask[rows] = valid
    return replace(
        part, values=values, mask=mask, start_s=grid.start_s, patch_s=grid.patch_s,
        window_start_s=grid.window_start_s, window_s=grid.window_s,
    )  # fmt: skip


def _shared_s(
    start_a: np.ndarray, length_a: float, start_b: np.ndarray, length_b: float
) -> np.ndarray:
    """Seconds (B, P, Q) that spans of `length_a` from (B, P) share with those of b from (B, Q)."""
    begin = np.maximum(start_a[:, :, None], start_b[:, None, :])
    end = np.minimum(start_a[:, :, None] + length_a, start_b[:, None, :] + length_b)
    return np.asarray(np.maximum(end - begin, 0.0))
