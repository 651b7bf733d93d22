"""From the working set to tokens: what is encoded, how it is cut, and the cache in between."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tool_use_om.data.errors import DataError
from tool_use_om.tokenizers.spec import Precision
from tool_use_om.tokenizers.windows.config import PartialConfig, TokenizerConfig
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.rules import encoding_settings
from tool_use_om.tools.look.selection import Segment, channels_of, open_current, select

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.tokenizers.spec import TokenizerSpec
    from tool_use_om.tokenizers.tokens import Tokens
    from tool_use_om.tokenizers.windows.windows import WindowBatch


@dataclass
class CacheUse:
    """How many sessions the token cache answered in one run, and how many were encoded."""

    hits: int = 0
    misses: int = 0

    def to_timing(self) -> dict[str, float | str]:
        """Return what stands beside the seconds: it differs by run and machine as they do."""
        asked = self.hits + self.misses
        if not asked:
            return {}
        return {"cache_hit_ratio": self.hits / asked}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What one run encodes: data set, channels, window settings, tokenizer.

    Parameters
    ----------
    patch_s : seconds a token covers: a patch, or a super-patch where there are some
    notes : what was chosen by rule and not by anybody, in words
    cache_use : counts what the plan's encodings took from the cache
    """

    dataset: DataSet
    channels: tuple[str, ...]
    config: TokenizerConfig
    tokenizer: str
    precision: Precision
    rate_hz: float
    patch_s: float
    notes: tuple[str, ...] = ()
    cache_use: CacheUse = field(default_factory=CacheUse, compare=False)

    def with_window(self, window_s: float, stride_s: float, note: str = "") -> Plan:
        """Return the plan with another window, and why."""
        config = self.config.model_copy(update={"window_s": window_s, "stride_s": stride_s})
        return replace(self, config=config, notes=(*self.notes, *([note] if note else [])))

    def to_json(self) -> dict[str, object]:
        """Return what a result says about its encoding."""
        return {
            "tokenizer": self.tokenizer,
            "precision": self.precision,
            "channels": list(self.channels),
            **self.config.model_dump(exclude={"target_rate_hz"}, exclude_none=True),
            "rate_hz": self.rate_hz,
            **({"rates_hz": self.rates_hz()} if self.config.fusion != "common" else {}),
        }

    def rates_hz(self) -> dict[str, float]:
        """Return the rate that each channel is encoded at."""
        from tool_use_om.tokenizers.adapt.adapter import spec_of
        from tool_use_om.tokenizers.encode.encode import rate_groups

        groups = rate_groups(self.dataset, self.channels, self.config, spec_of(self.tokenizer))
        by_channel = {c: group.rate_hz for group in groups for c in group.channels}
        return {c: by_channel[c] for c in self.channels}


@dataclass
class Stopwatch:
    """Seconds spent under each name; they add up over repeated laps."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def lap(self, name: str) -> Iterator[None]:
        """Add the time of the block to `name`."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - began


def plan_encoding(
    ctx: ToolContext, working_set: WorkingSet, extra_channels: Sequence[str] = ()
) -> Plan:
    """Return what to encode, filling by rule what the working set leaves open."""
    dataset = open_current(ctx, working_set)
    spec = tokenizer_spec(working_set)
    wanted = {*encoder_channels(dataset, working_set), *extra_channels}
    channels = tuple(c for c in dataset.manifest.channel_ids if c in wanted)
    wish = working_set.tokenizer_config or PartialConfig()
    chosen = encoding_settings(select(dataset, working_set), channels, spec, wish)
    return Plan(
        dataset=dataset,
        channels=channels,
        config=chosen.config,
        tokenizer=spec.name,
        precision=working_set.precision,
        rate_hz=chosen.rate_hz,
        patch_s=chosen.patch_s,
        notes=() if working_set.tokenizer_config else (chosen.why,),
    )


def check_forecast(config: TokenizerConfig) -> None:
    """Raise DataError for tokens that a forecast cannot step through patch by patch."""
    for name in ("super_s", "patch_stride_s"):
        value = getattr(config, name)
        if value is not None:
            raise DataError(
                f"A forecast steps from patch to patch: `{name}` must be left out for it, got "
                f"{value:g} s. Call configure_tokenizer without it."
            )
    if config.resolutions == 2:
        raise DataError(
            "A forecast steps from patch to patch at one resolution: `resolutions` must be 1 for "
            "it, got 2. Call configure_tokenizer without it."
        )


def without_filters(working_set: WorkingSet) -> WorkingSet:
    """Return the working set's choices without its filters: stored splits are used whole."""
    kept = (
        "dataset",
        "channels",
        "tokenizer",
        "precision",
        "tokenizer_config",
        "encoding_channels",
        "given_labels",
    )
    return WorkingSet().but(**{key: getattr(working_set, key) for key in kept})


def whole(dataset: DataSet, session_ids: Sequence[str]) -> list[Segment]:
    """Return each session as one segment."""
    return [Segment(session_id=s, start_s=0.0, end_s=dataset.duration_of(s)) for s in session_ids]


def parts_of(dataset: DataSet, split: str, *, lead: bool = False) -> list[Segment]:
    """Return the parts of a split as segments: whole sessions, or blocks of them.

    Parameters
    ----------
    lead : each block with the free time before it (see `DataSet.split_parts`)
    """
    parts = dataset.split_parts(split, lead=lead)
    columns = (parts[c].tolist() for c in ("session_id", "start_s", "end_s"))
    return [Segment(session_id=s, start_s=a, end_s=b) for s, a, b in zip(*columns, strict=True)]


def cut(plan: Plan, segments: Sequence[Segment]) -> WindowBatch:
    """Cut segments into windows, several segments of one session included.

    Gaps that are joined for the encoder are gaps here: a straight line is no measurement.

    Raises
    ------
    DataError : no segment
    """
    import numpy as np

    from tool_use_om.tokenizers.windows.windows import cut_windows

    config = plan.config.model_copy(update={"join_s": None})
    parts = [
        cut_windows(
            plan.dataset, list(spans), plan.channels, config, ranges=spans, allow_empty=True
        )
        for spans in _layers(segments)
    ]
    if not any(p.mask.any() for p in parts):
        raise DataError(
            f"{', '.join(plan.channels[:3])} have no value in the time that is looked at. Choose "
            "other channels, sessions or times."
        )
    return replace(
        parts[0],
        values=np.concatenate([p.values for p in parts]),
        mask=np.concatenate([p.mask for p in parts]),
        start_s=np.concatenate([p.start_s for p in parts]),
        session_ids=tuple(s for p in parts for s in p.session_ids),
    )


def encode(ctx: ToolContext, plan: Plan, segments: Sequence[Segment]) -> Tokens:
    """Encode the windows of `cut` that hold a whole patch; a window that is all gap is left out.

    Raises
    ------
    DataError : no segment, or no window with a whole patch
    """
    import numpy as np

    tokens = encode_all(ctx, plan, segments)
    kept = np.flatnonzero(tokens.mask.any(axis=(1, 2)))
    return tokens if len(kept) == len(tokens) else tokens.select(kept)


def encode_all(
    ctx: ToolContext, plan: Plan, segments: Sequence[Segment], *, allow_empty: bool = False
) -> Tokens:
    """Encode the windows of `cut`, in the same order, through the cache.

    A segment too short for a patch, or all gap, has masked tokens beside the others.

    Parameters
    ----------
    allow_empty : return tokens even if no window at all holds a whole patch

    Raises
    ------
    DataError : no segment, or no window with a whole patch
    """
    from tool_use_om.tokenizers.adapt.adapter import load_any
    from tool_use_om.tokenizers.cache.cache import TokenCache, check_measured
    from tool_use_om.tokenizers.tokens import concatenate

    tokenizer = load_any(plan.tokenizer, ctx.workspace, precision=plan.precision)
    cache = TokenCache(ctx.workspace)
    parts = [
        cache.encode(
            tokenizer,
            plan.dataset,
            list(spans),
            plan.channels,
            plan.config,
            ranges=spans,
            allow_empty=True,
            progress=ctx.progress,
        )
        for spans in _layers(segments)
    ]
    plan.cache_use.hits += cache.hits
    plan.cache_use.misses += cache.misses
    tokens = concatenate(parts)
    if not allow_empty:
        check_measured(tokens)
    return tokens


def _layers(segments: Sequence[Segment]) -> list[dict[str, tuple[float, float]]]:
    """Sort segments into layers of at most one a session: what the lower layer takes at once."""
    layers: list[dict[str, tuple[float, float]]] = []
    seen: dict[str, int] = defaultdict(int)
    for s in segments:
        if seen[s.session_id] == len(layers):
            layers.append({})
        layers[seen[s.session_id]][s.session_id] = (s.start_s, s.end_s)
        seen[s.session_id] += 1
    if not layers:
        raise DataError("There is nothing to encode: no session or segment is selected.")
    return layers


def tokenizer_spec(working_set: WorkingSet) -> TokenizerSpec:
    """Return the spec of the selected tokenizer, else of the offline default."""
    from tool_use_om.tokenizers.adapt.adapter import spec_of
    from tool_use_om.tokenizers.registry import DEFAULT_TOKENIZER

    return spec_of(working_set.tokenizer or DEFAULT_TOKENIZER)


def encoder_channels(dataset: DataSet, working_set: WorkingSet) -> tuple[str, ...]:
    """Return what the encoder sees: chosen for it, else selected, else all channels."""
    return channels_of(dataset, working_set.encoding_channels or working_set.channels)
