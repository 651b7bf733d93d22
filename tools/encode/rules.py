"""The documented rules by which settings follow from the data when nobody names them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from tool_use_om.data.errors import DataError
from tool_use_om.tokenizers.windows.config import PartialConfig, TokenizerConfig

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.tokenizers.spec import TokenizerSpec
    from tool_use_om.tools.look.selection import Selection

MOVEMENT_RATE_HZ = 10.0  # from here on, repeated movements of 1 to 3 Hz can be seen
MOVEMENT_WINDOW_S = 4.0  # several steps or strokes, still one activity
SLOW_PATCHES = 32  # slower data: half of what the encoders were trained on
MIN_PATCHES = 2
SHORT_SAMPLES = 80  # sessions of so few samples are interpolated where they fill no patch
SUPER_PATCHES = 512  # in a window at most
COMMON_RATE_HZ = 50.0


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """How windows are cut, with the reason for each derived number."""

    config: TokenizerConfig
    rate_hz: float
    patch_s: float
    why: str


def target_rate(dataset: DataSet, channels: Sequence[str]) -> tuple[float | None, str]:
    """Return the rate to bring channels of different rates to, and why; None = leave one rate.

    The highest of their rates up to 50 Hz (bodies do not move faster than half of that), else the
    lowest: every further hertz costs encoding time for all channels.
    """
    rates = sorted({dataset.manifest.rate_of(c) for c in channels})
    if len(rates) == 1:
        return None, ""
    chosen = max((r for r in rates if r <= COMMON_RATE_HZ), default=rates[0])
    listed = ", ".join(f"{r:g}" for r in rates)
    return chosen, f"target_rate_hz={chosen:g}, one rate for channels of {listed} Hz"


def encoding_settings(
    found: Selection, channels: Sequence[str], spec: TokenizerSpec, wish: PartialConfig
) -> Chosen:
    """Return window and stride in seconds, each as wished or by rule.

    Rate: the channels' own, or as `target_rate` says, or that of a wished patch. Window: 4 s for
    channels of at least 10 Hz, else 32 patches; never longer than the encoder's context, the length
    that nine in ten of the selected sessions reach (the others give one padded window) or that half
    of the labelled stretches reach; never shorter than 2 patches. Stride: half a window. With
    super-patches, 32 of those take the place of both rules for a window.

    Raises
    ------
    DataError : a wished window that the encoder or the longest session cannot hold, or wishes that
        contradict each other
    """
    target, rate_why = wish.target_rate_hz, ""
    if target is None and wish.patch_s is not None:
        target = spec.patch_len / wish.patch_s
    elif target is None:
        target, rate_why = target_rate(found.dataset, channels)
    rate = target or found.dataset.manifest.rate_of(channels[0])
    token_s = wish.super_s or spec.patch_len / rate
    most = SUPER_PATCHES if wish.super_s else spec.native_context // spec.patch_len
    limits = _Limits(found=found, patch_s=token_s, context_s=most * token_s)
    if target is None and not wish.model_dump(exclude_none=True) and limits.too_short(rate):
        target, rate_why = _finer_rate(limits, spec, rate)
        rate, token_s = target, spec.patch_len / target
        limits = _Limits(found=found, patch_s=token_s, context_s=most * token_s)
    window_s, window_why = wish.window_s, ""
    if window_s is None:
        window_s, window_why = limits.window(rate, summarised=wish.super_s is not None)
    limits.check(window_s)
    stride_s, stride_why = wish.stride_s, ""
    if stride_s is None:
        stride_s = window_s / 2
        stride_why = f"stride_s={stride_s:g}, half a window, so that no event falls between two"
    decided = {"window_s": window_s, "stride_s": stride_s, "target_rate_hz": target}
    config = _checked({**wish.model_dump(exclude_none=True), **decided}, spec, rate)
    why = "; ".join(filter(None, (rate_why, window_why, stride_why))) or "all as asked"
    return Chosen(config=config, rate_hz=rate, patch_s=limits.patch_s, why=why)


def _finer_rate(limits: _Limits, spec: TokenizerSpec, rate: float) -> tuple[float, str]:
    """Return the rate at which the shortest session fills the fewest patches, and why."""
    times = math.ceil(MIN_PATCHES * spec.patch_len / (limits.shortest_s * rate) - 1e-9)
    finer = rate * times
    return finer, (
        f"target_rate_hz={finer:g}: sessions of {limits.shortest_s:g} s are shorter than the "
        f"{spec.patch_len} samples that the encoder reads at once, so they are interpolated"
    )


def _checked(settings: dict[str, object], spec: TokenizerSpec, rate: float) -> TokenizerConfig:
    """Return the config; raise DataError for what the tokenizer layer refuses, in its words."""
    try:
        config = TokenizerConfig.model_validate(settings)
    except ValidationError as error:
        said = "; ".join(e["msg"].removeprefix("Value error, ") for e in error.errors())
        raise DataError(said) from error
    config.for_encoder(spec.patch_len).shift_samples(spec.patch_len, rate)
    return config


@dataclass(frozen=True, kw_only=True)
class _Limits:
    found: Selection
    patch_s: float
    context_s: float

    @property
    def usual_s(self) -> float:
        """The length that nine in ten sessions reach, and half of the labelled stretches."""
        sessions = self.found.sessions["duration_s"].quantile(0.1, interpolation="lower")
        label_sets = list(self.found.dataset.manifest.label_sets)
        if not label_sets:
            return float(sessions)
        rows = self.found.dataset.labels(label_set=label_sets[0])
        return min(float(sessions), float((rows["end_s"] - rows["start_s"]).median()))

    @property
    def shortest_s(self) -> float:
        """The length of the shortest session."""
        return float(self.found.sessions["duration_s"].min())

    @property
    def longest_s(self) -> float:
        """The length of the longest session."""
        return float(self.found.sessions["duration_s"].max())

    def too_short(self, rate: float) -> bool:
        """Whether sessions are too short for one token, and all of them are short."""
        few = self.longest_s * rate <= SHORT_SAMPLES
        return few and self.shortest_s < self.patch_s - 1e-9

    def window(self, rate: float, *, summarised: bool) -> tuple[float, str]:
        """Choose a window of whole patches and say why."""
        moving = rate >= MOVEMENT_RATE_HZ and not summarised
        wish = MOVEMENT_WINDOW_S if moving else SLOW_PATCHES * self.patch_s
        slow = f"{SLOW_PATCHES} {'super-patches' if summarised else 'patches of slow data'}"
        kind = "a few movement cycles" if moving else slow
        most = min(wish, self.usual_s, self.context_s)
        patches = max(int(most / self.patch_s + 1e-9), MIN_PATCHES)
        window_s = round(max(min(patches * self.patch_s, self.usual_s), self.patch_s), 6)
        bound = (
            ""
            if most == wish
            else f", bounded by sessions and labelled stretches of {self.usual_s:g} s"
        )
        return window_s, (
            f"window_s={window_s:g}: {kind} at {rate:g} Hz{bound}, "
            f"in whole patches of {self.patch_s:g} s"
        )

    def check(self, window_s: float) -> None:
        low, high = self.patch_s, min(self.context_s, self.longest_s)
        if high < low - 1e-9:
            raise DataError(
                f"The longest session lasts {self.longest_s:g} s, but the encoder reads "
                f"{self.patch_s:g} s at once. Leave out patch_s and target_rate_hz in "
                "configure_tokenizer, or import longer sessions."
            )
        if not low - 1e-9 <= window_s <= high + 1e-9:
            raise DataError(
                f"`window_s` must be in [{low:g}, {high:g}] s (one patch to the shorter of the "
                f"encoder's context and the longest session), got {window_s:g}. Choose one inside."
            )


def liveliest(
    dataset: DataSet, channels: Sequence[str], session_ids: Sequence[str], limit: int | None
) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """Return the channels kept, those dropped, and why.

    Flat channels and those missing for over half the time are dropped. With a limit, the modalities
    take turns, each offering its channel of the largest standard deviation first.
    """
    pooled = dataset.pooled_over(channels, session_ids).set_index("channel")
    dead = [
        c
        for c in channels
        if c not in pooled.index or not pooled["std"][c] > 0 or pooled["nan_frac"][c] > 0.5
    ]
    alive = sorted((c for c in channels if c not in dead), key=lambda c: -float(pooled["std"][c]))
    if not alive:
        flat = [c for c in channels if c in pooled.index and pooled["nan_frac"][c] < 1]
        if not flat:
            raise DataError(
                f"None of {', '.join(channels[:6])} has a value in the selected sessions. Choose "
                "other channels or sessions."
            )
        first = tuple(flat[: limit or len(flat)])
        rest = tuple(c for c in channels if c not in first)
        return first, rest, "all that have values never change"
    order = sorted(alive, key=lambda c: _turn(c, alive))
    kept = set(order[: limit or len(order)])
    why = f"{len(dead)} flat or mostly missing" if dead else "none is flat or mostly missing"
    if limit is not None and len(alive) > limit:
        why += f"; the {limit} liveliest kept, modalities in turn"
    dropped = tuple(c for c in channels if c not in kept)
    return tuple(c for c in channels if c in kept), dropped, why


def _turn(channel: str, by_liveliness: list[str]) -> int:
    """The place of a channel within its own modality."""
    modality = channel.partition(".")[0]
    own = [c for c in by_liveliness if c.partition(".")[0] == modality]
    return own.index(channel)
