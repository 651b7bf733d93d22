"""How signals are cut for a tokenizer: everything in seconds."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tool_use_om.data.errors import DataError, unknown
from tool_use_om.data.values import Json

Fusion = Literal["common", "per_modality"]
# what a window's context may hold beside its tokens; the first three are there by default
DEFAULT_CONTEXT = ("mean", "std", "log_std")
CONTEXT_FEATURES = (*DEFAULT_CONTEXT, "time_of_day", "log_rate")
MIN_PATCHES = 2
_SAME = 1e-6  # two ways to say a rate agree within this share


Window = Annotated[float, Field(gt=0, description="Length of a window in seconds.")]
Stride = Annotated[float, Field(gt=0, description="Seconds from one window to the next.")]
Fused = Annotated[
    Fusion,
    Field(
        description="Several rates: 'common' brings all channels to one, 'per_modality' encodes "
        "each at its own and joins the tokens on the seconds axis."
    ),
]
Context = Annotated[
    bool | tuple[str, ...],
    Field(
        description="What heads get beside tokens: true = each window's mean and scale, which the "
        f"encoder removes; or names out of {', '.join(CONTEXT_FEATURES)}."
    ),
]


class PartialConfig(BaseModel):
    """What somebody asked of the windows; None = by rule. All of it decided: `TokenizerConfig`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    window_s: Window | None = None
    stride_s: Stride | None = None
    target_rate_hz: float | None = Field(
        default=None,
        gt=0,
        description="Resample to this rate before encoding; with fusion 'per_modality' the highest "
        "rate any modality keeps.",
    )
    patch_s: float | None = Field(
        default=None,
        gt=0,
        description="Seconds one patch covers; sets the rate instead of target_rate_hz.",
    )
    patch_stride_s: float | None = Field(
        default=None,
        gt=0,
        description="Seconds from one patch to the next, a half, quarter or eighth of a patch: "
        "finer in time, as many times the work. Not for forecasts.",
    )
    fusion: Fused | None = None
    super_s: float | None = Field(
        default=None,
        gt=0,
        description="Seconds a super-patch summarises, at most half of window_s: for windows of "
        "minutes to hours. Not for forecasts.",
    )
    resolutions: int | None = Field(
        default=None,
        ge=1,
        le=2,
        description="2: also encode each window stretched to the encoder's whole context, for "
        "short or fine shapes; several times the work. Not for forecasts.",
    )
    context_features: Context | None = None

    @field_validator("context_features")
    @classmethod
    def _known(cls, given: Context | None) -> Context | None:
        if given is None or isinstance(given, bool):
            return given
        for name in given:
            if name not in CONTEXT_FEATURES:
                raise unknown("context feature", name, CONTEXT_FEATURES)
        return tuple(name for name in CONTEXT_FEATURES if name in given)


class TokenizerConfig(PartialConfig):
    """Windows of `window_s` seconds every `stride_s` (default: half of one), brought to one rate.

    Rates left out: each channel's own, which must then be one. `patch_s` left out: by the rate.
    """

    window_s: Window
    stride_s: Stride = 0.0
    fusion: Fused = "common"
    context_features: Context = True
    bridge_s: float | None = Field(
        default=None,
        gt=0,
        description="Gaps of irregular time stamps up to so long are bridged by straight lines.",
    )

    @property
    def context_names(self) -> tuple[str, ...]:
        """The context features asked for, by name."""
        if isinstance(self.context_features, tuple):
            return self.context_features
        return DEFAULT_CONTEXT if self.context_features else ()

    def for_encoder(self, patch_len: int) -> Self:
        """Return the config with `patch_s` said as the rate at which `patch_len` samples last it.

        Raises
        ------
        DataError : a `target_rate_hz` that says otherwise
        """
        if self.patch_s is None:
            return self
        rate = patch_len / self.patch_s
        if self.target_rate_hz is not None and abs(self.target_rate_hz - rate) > _SAME * rate:
            raise DataError(
                f"`patch_s` and `target_rate_hz` contradict: a patch of {patch_len} samples lasts "
                f"{self.patch_s:g} s at {rate:g} Hz, not at {self.target_rate_hz:g} Hz. "
                "Give one of the two."
            )
        return self.model_copy(update={"target_rate_hz": rate, "patch_s": None})

    def shift_samples(self, patch_len: int, rate_hz: float) -> int:
        """Return the samples from one patch's start to the next.

        Raises
        ------
        DataError : no whole part of a patch
        """
        if self.patch_stride_s is None:
            return patch_len
        parts = [n for n in range(1, patch_len + 1) if patch_len % n == 0]
        samples = self.patch_stride_s * rate_hz
        for n in parts:
            if abs(samples - patch_len / n) <= 1e-3 * patch_len:
                return patch_len // n
        listed = ", ".join(f"{patch_len / n / rate_hz:.4g}" for n in parts)
        raise DataError(
            f"`patch_stride_s` must be one of {listed} s (a patch of {patch_len} samples at "
            f"{rate_hz:g} Hz in equal parts of whole samples), got {self.patch_stride_s:g}. "
            "Choose one of these, or set patch_s."
        )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Check what one field says of another."""
        pairs = (
            ("patch_stride_s", self.patch_stride_s, "patch_s", self.patch_s),
            ("patch_s", self.patch_s, "window_s", self.window_s),
            ("super_s", self.super_s, "half of window_s", self.window_s / MIN_PATCHES),
        )
        if self.patch_stride_s is not None and (self.super_s or self.fusion != "common"):
            raise ValueError(
                "`patch_stride_s` lays patches over one another on one rate: it goes with "
                "fusion='common' and without super_s. Leave one of them out."
            )
        if self.resolutions == 2 and (
            self.patch_stride_s is not None or self.super_s or self.fusion != "common"
        ):
            raise ValueError(
                "`resolutions` 2 lays two patch grids over one another on one rate: it goes with "
                "fusion='common', without patch_stride_s and super_s. Leave one of them out."
            )
        for name, value, limit, most in pairs:
            if value is not None and most is not None and value > most * (1 + _SAME):
                raise ValueError(
                    f"`{name}` must be at most {limit} ({most:g} s), got {value:g}. Shorten it."
                )
        return self

    @model_validator(mode="before")
    @classmethod
    def _half_a_window(cls, given: Json) -> Json:
        if isinstance(given, dict) and given.get("stride_s") is None:
            window = given.get("window_s")
            if isinstance(window, int | float) and not isinstance(window, bool):
                return {**given, "stride_s": window / 2}
        return given
