"""Tokens of one patch grid laid on another: other seconds, same windows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.tokenizers.tokens import Tokens

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
