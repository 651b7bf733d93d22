"""An activity in measurable terms, as a person or a language model gives it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Intensity = Literal["still", "low", "medium", "high"]
Regularity = Literal["none", "some", "strong"]


class ActivityDescription(BaseModel):
    """What an activity looks like to a motion sensor; what is left out does not count."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str = Field(min_length=1, max_length=80, description="The activity's name.")
    cadence_hz: tuple[float, float] | None = Field(
        default=None, description="Repeats a second, [lowest, highest], for the sensor."
    )
    intensity: Intensity | None = Field(
        default=None, description="How lively, among the windows at hand: thirds, and 'still'."
    )
    intensity_range: tuple[float, float] | None = Field(
        default=None,
        description="Deviation in a window, channel units, [lowest, highest].",
    )
    posture: dict[str, float] | None = Field(
        default=None,
        description="Direction of the accelerometer: channel → share, -1 to 1; others 0.",
    )
    regularity: Regularity | None = Field(
        default=None, description="How strictly it repeats over a window."
    )

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        for name in ("cadence_hz", "intensity_range"):
            band = getattr(self, name)
            if band is not None and not 0 <= band[0] < band[1]:
                raise ValueError(f"{name} must be [lowest, highest] with 0 <= lowest < highest")
        if self.posture is not None and not any(self.posture.values()):
            raise ValueError("posture must name at least one channel with a share other than 0")
        given = self.model_dump(exclude={"name"}, exclude_none=True)
        if not given:
            raise ValueError(f"{self.name!r} is described by nothing; give at least one attribute")
        return self
