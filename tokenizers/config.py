"""How signals are cut for a tokenizer: everything in seconds."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator


class TokenizerConfig(BaseModel):
    """Windows of `window_s` seconds every `stride_s` seconds, brought to one rate."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    window_s: float = Field(gt=0, description="length of a window, seconds")
    stride_s: float = Field(
        default=0.0, gt=0, description="from one window's start to the next, seconds; half a window"
    )
    target_rate_hz: float | None = Field(
        default=None,
        gt=0,
        description="rate all channels are brought to; None = the highest of theirs",
    )
    context_features: bool = Field(
        default=True,
        description="give heads each window's mean and scale, which the encoder removes",
    )

    @model_validator(mode="before")
    @classmethod
    def _half_a_window(cls, given: Any) -> Any:  # noqa: ANN401 - whatever the caller passed, pydantic checks it next
        if isinstance(given, dict) and given.get("stride_s") is None:
            window = given.get("window_s")
            if isinstance(window, int | float) and not isinstance(window, bool):
                return {**given, "stride_s": window / 2}
        return given
