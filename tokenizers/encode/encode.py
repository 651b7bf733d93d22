"""Sessions to tokens, whatever the config asks: overlap, several rates, hours, context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.progress import Progress
from tool_use_om.tokenizers.encode.hours import long_windows
from tool_use_om.tokenizers.encode.overlap import encode_overlapping
from tool_use_om.tokenizers.encode.resolutions import encode_resolutions, laid_on
from tool_use_om.tokenizers.spec import TokenizerSpec
from tool_use_om.tokenizers.tokenizer import Tokenizer
from tool_use_om.tokenizers.tokens import Tokens
from tool_use_om.tokenizers.windows.config import MIN_PATCHES, TokenizerConfig
from tool_use_om.tokenizers.windows.windows import common_rate, cut_windows


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
        if config.resolutions == 2:
            parts.append(encode_resolutions(tokenizer, batch, progress=progress))
            continue
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
