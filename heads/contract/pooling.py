"""From tokens to one feature row a window, and the affine map that training fits to such rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tool_use_om.heads.contract.spec import Param

if TYPE_CHECKING:
    from tool_use_om.tokenizers.tokens import Tokens

Array = np.ndarray
_WINDOWS_AT_ONCE = 512

POOLING_PARAMS = (
    Param(
        name="pooling",
        kind="str",
        default="stats",
        choices=("stats", "shape", "channels", "mean"),
        description="'stats': each channel's mean, std and maximum over its patches; 'shape': also "
        "minimum, quartiles and spread of steps from patch to patch; 'channels': the mean alone; "
        "'mean': averaged over the channels too",
    ),
    Param(
        name="context",
        kind="bool",
        default=True,
        description="add what the encoder's normalisation removes: mean, scale and the like",
    ),
    Param(
        name="max_dims",
        kind="int",
        default=256,
        low=2,
        high=512,
        description="features are reduced to at most this many principal components",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Pooled features.

    Parameters
    ----------
    values : ndarray (B, F) float64, NaN where a window has no valid patch of a channel
    n_context : how many of the last columns are context features
    """

    values: Array
    n_context: int


def pool(tokens: Tokens, mode: str, *, context: bool) -> Rows:
    """Pool the valid patches of each window: `mode` is "channels", "stats", "shape" or "mean"."""
    mask = np.asarray(tokens.mask)
    starts = range(0, len(mask), _WINDOWS_AT_ONCE)
    parts = [slice(i, i + _WINDOWS_AT_ONCE) for i in starts]
    rows = np.concatenate([_pool_part(tokens.values[p], mask[p], mode) for p in parts])
    if not context or not tokens.context.size:
        return Rows(values=rows, n_context=0)
    seen = np.any(mask, axis=2)[..., None]
    present = np.where(seen, tokens.context, np.nan).reshape(len(rows), -1).astype(np.float64)
    return Rows(values=np.concatenate([rows, present], axis=1), n_context=present.shape[1])


def _pool_part(values: Array, mask: Array, mode: str) -> Array:
    """Return (b, F) of some windows; the whole batch at once would need several copies of it."""
    mean = _masked_mean(values, mask)
    pooled = [mean]
    if mode in {"stats", "shape"}:
        mean_square = _masked_mean(np.square(values, dtype=np.float64), mask)
        pooled.append(np.sqrt(np.maximum(mean_square - mean**2, 0.0)))
        highest = np.where(mask[..., None], values, -np.inf).max(axis=2)
        pooled.append(np.where(np.isfinite(highest), highest, np.nan))
    if mode == "shape":
        pooled += _shape(values, mask)
    if mode == "mean":
        pooled = [_masked_mean(mean[:, None], np.any(mask, axis=2)[:, None])]
    return np.concatenate([p.reshape(len(p), -1) for p in pooled], axis=1)


def _shape(values: Array, mask: Array) -> list[Array]:
    """Return lowest value, quartiles and spread of the steps between neighbouring valid patches.

    A quartile is that of linear interpolation between ranks; the spread is about the mean step, and
    0 with fewer than two neighbours.
    """
    ranked = np.sort(np.where(mask[..., None], values, np.inf), axis=2).astype(np.float64)
    count = mask.sum(axis=2)
    found = []
    for share in (0.0, 0.25, 0.75):
        place = share * np.maximum(count - 1, 0)
        low = np.floor(place).astype(np.int64)
        high = np.minimum(low + 1, np.maximum(count - 1, 0))
        at = [np.take_along_axis(ranked, k[..., None, None], axis=2)[:, :, 0] for k in (low, high)]
        some = np.isfinite(at[0])
        at = [np.where(some, a, 0.0) for a in at]
        between = at[0] + (place - low)[..., None] * (at[1] - at[0])
        found.append(np.where(some, between, np.nan))
    steps, both = np.diff(values.astype(np.float64), axis=2), mask[..., 1:] & mask[..., :-1]
    mean, square = _masked_mean(steps, both), _masked_mean(np.square(steps), both)
    spread = np.sqrt(np.maximum(square - mean**2, 0.0))
    found.append(np.where(np.isfinite(spread), spread, np.where(count > 0, 0.0, np.nan)[..., None]))
    return found


def _masked_mean(values: Array, mask: Array) -> Array:
    """Return the mean over the second last axis where `mask`; NaN where nothing is valid."""
    weight = mask.astype(np.float64)
    count = weight.sum(axis=-1)[..., None]
    filled = np.where(mask[..., None], values, 0.0)
    total = np.einsum("...pd,...p->...d", filled, weight)
    mean: Array = np.where(count > 0, total / np.maximum(count, 1.0), np.nan)
    return mean


def fit_projection(rows: Rows, max_dims: int) -> tuple[Array, Array]:
    """Fit `z = (x - shift) @ matrix`: standardise, balance the blocks, keep principal components.

    Token features and context features get the same total variance: otherwise a handful of
    scale features drowns in hundreds of token features.

    Returns
    -------
    shift (F,), matrix (F, d) with d <= max_dims
    """
    shift, scale = balance(rows)
    basis = principal_axes((fill(rows.values, shift) - shift) * scale, max_dims)
    return shift, scale[:, None] * basis


def balance(rows: Rows) -> tuple[Array, Array]:
    """Return shift (F,) and scale (F,) that standardise and give each block a variance of one."""
    shift = _column_mean(rows.values)
    centred = fill(rows.values, shift) - shift
    spread = centred.std(axis=0)
    alive = spread > 1e-9 * max(float(spread.max(initial=0.0)), 1e-12)
    scale = np.where(alive, 1.0 / np.where(alive, spread, 1.0), 0.0)
    first_context = len(scale) - rows.n_context
    for block in (slice(0, first_context), slice(first_context, None)):
        scale[block] /= np.sqrt(max(int(alive[block].sum()), 1))
    return shift, scale


def principal_axes(centred: Array, max_dims: int) -> Array:
    """Return the (F, d) leading principal axes of centred rows, signs fixed."""
    n, width = centred.shape
    dims = min(max_dims, width, max(n - 1, 1))
    if min(n, width) <= 600:
        axes = np.linalg.svd(centred, full_matrices=False)[2][:dims]
    else:
        from sklearn.utils.extmath import randomized_svd

        axes = randomized_svd(centred, dims, n_iter=4, random_state=0)[2]
    largest = np.abs(axes).argmax(axis=1)
    signs = np.sign(axes[np.arange(len(axes)), largest])
    fixed: Array = (axes * np.where(signs == 0, 1.0, signs)[:, None]).T
    return fixed


def fill(values: Array, replacement: Array) -> Array:
    """Return `values` with NaN replaced by `replacement` (one value a column)."""
    filled: Array = np.where(np.isfinite(values), values, replacement)
    return filled


def project(values: Array, shift: Array, matrix: Array) -> Array:
    """Apply a fitted projection to (B, F) rows; a missing feature counts as the training mean."""
    projected: Array = (fill(values, shift) - shift) @ matrix
    return projected


def squared_distances(a: Array, b: Array) -> Array:
    """Return the (len(a), len(b)) squared Euclidean distances."""
    cross = a @ b.T
    total = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2.0 * cross
    squared: Array = np.maximum(total, 0.0)
    return squared


def _column_mean(values: Array) -> Array:
    present = np.isfinite(values)
    total = np.where(present, values, 0.0).sum(axis=0)
    mean: Array = total / np.maximum(present.sum(axis=0), 1)
    return mean
