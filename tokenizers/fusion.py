"""Sessions to tokens, whatever the config asks: overlap, several rates, hours, context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tool_use_om.data.dataset import DataSet
from tool_use_om.data.errors import DataError
from tool_use_om.data.progress import Progress
from tool_use_om.tokenizers.config import MIN_PATCHES, TokenizerConfig
from tool_use_om.tokenizers.hours import long_windows
from tool_use_om.tokenizers.overlap import encode_overlapping
from tool_use_om.tokenizers.spec import TokenizerSpec
from tool_use_om.tokenizers.tokenizer import Tokenizer
from tool_use_om.tokenizers.tokens import Tokens
from tool_use_om.tokenizers.windows import common_rate, cut_windows

COVERED = 0.5  # a cell of the common grid is valid if this share of it is in valid patches
_ROWS_AT_ONCE = 256


@dataclass(frozen=True, kw_only=True)
class RateGroup:
    """Channels that are encoded at one rate."""

    rate_hz: float
    channels: tuple[str, ...]


def encode_windows(
    tokenizer: Tokenizer,
    dataset: DataSet,
    session_ids: Sequence[str],
    channels: Sequence[str] | str,
    config: TokenizerConfig,
    *,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    progress: Progress | None = None,
) -> Tokens:
    """Cut and encode sessions as `config` says, with the encoder's own context features.

    Parameters
    ----------
    as for `cut_windows`; windows in which nothing is measured are there, all masked

    Returns
    -------
    Tokens of the windows of `cut_windows`, in the same order

    Raises
    ------
    as for `cut_windows` and `Tokenizer.encode`; DataError also for a `patch_stride_s` that is no
    part of a patch
    """
    chosen = dataset.check_channels(channels)
    config = config.for_encoder(tokenizer.spec.patch_len)
    groups = rate_groups(dataset, chosen, config, tokenizer.spec)
    units = tuple(dataset.manifest.unit_of(c) for c in chosen)
    if config.super_s is not None:
        parts = [
            long_windows(
                tokenizer, dataset, session_ids, group.channels, config,
                rate_hz=group.rate_hz, ranges=ranges, progress=progress,
            )
            for group in groups
        ]  # fmt: skip
        return replace(side_by_side(parts, chosen), units=units)
    clock = common_rate(dataset, chosen, config)
    parts = []
    for group in groups:
        batch = cut_windows(
            dataset, session_ids, group.channels,
            config.model_copy(update={"target_rate_hz": group.rate_hz}),
            ranges=ranges, allow_empty=True, progress=progress, clock_hz=clock,
        )  # fmt: skip
        shift = config.shift_samples(tokenizer.spec.patch_len, group.rate_hz)
        parts.append(encode_overlapping(tokenizer, batch, shift, progress=progress))
    grid = parts[0]
    fused = side_by_side([grid, *(laid_on(part, grid) for part in parts[1:])], chosen)
    return replace(fused, units=units)


def rate_groups(
    dataset: DataSet, channels: Sequence[str], config: TokenizerConfig, spec: TokenizerSpec
) -> list[RateGroup]:
    """Return which channels are encoded together at which rate, the fastest first.

    With fusion="per_modality" each keeps its own rate, unless that is above `target_rate_hz`, or a
    window would hold fewer than two patches or more than the encoder's context: then the nearest
    rate at which it does not.
    """
    top = common_rate(dataset, channels, config)
    if config.fusion == "common":
        return [RateGroup(rate_hz=top, channels=tuple(channels))]
    if config.super_s is not None:
        low, high = spec.patch_len / config.super_s, float("inf")
    else:
        low = MIN_PATCHES * spec.patch_len / config.window_s
        high = spec.native_context / config.window_s
    by_rate: dict[float, list[str]] = {}
    for channel in channels:
        own = min(dataset.manifest.rate_of(channel), top)
        by_rate.setdefault(min(max(own, low), high), []).append(channel)
    return [RateGroup(rate_hz=r, channels=tuple(by_rate[r])) for r in sorted(by_rate, reverse=True)]


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


def side_by_side(parts: Sequence[Tokens], channels: Sequence[str]) -> Tokens:
    """Return tokens of the same windows and patches with all their channels, in that order."""
    first = parts[0]
    if len(parts) == 1 and first.channels == tuple(channels):
        return first
    there = [c for part in parts for c in part.channels]
    order = [there.index(c) for c in channels]
    arrays = {
        name: np.concatenate([getattr(part, name) for part in parts], axis=1)[:, order]
        for name in ("values", "mask", "context")
    }
    return replace(first, channels=tuple(channels), units=(), **arrays)


def _shared_s(
    start_a: np.ndarray, length_a: float, start_b: np.ndarray, length_b: float
) -> np.ndarray:
    """Seconds (B, P, Q) that spans of `length_a` from (B, P) share with those of b from (B, Q)."""
    begin = np.maximum(start_a[:, :, None], start_b[:, None, :])
    end = np.minimum(start_a[:, :, None] + length_a, start_b[:, None, :] + length_b)
    return np.asarray(np.maximum(end - begin, 0.0))
