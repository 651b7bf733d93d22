"""Fracast-0 zero-shot: a small pretrained forecaster whose weights come inside its package."""

from __future__ import annotations

from importlib.util import find_spec
from typing import ClassVar

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Untyped
from tool_use_om.heads.events.foundation.paths import chance_of_reaching
from tool_use_om.heads.events.model import EventModel, EventSpec
from tool_use_om.heads.events.windows import EventWindows, Split

Array = np.ndarray
_AT_ONCE = 32  # windows, each padded to the model's 2 048 samples


class Fracast(EventModel):
    """Quantiles of the channel's next samples, and from them P(event); nothing is learnt here.

    It sees the channel that is asked about within the window, and no other feature.
    """

    spec: ClassVar[EventSpec] = EventSpec(
        name="fracast",
        summary="Fracast-0, zero-shot: 85 001 parameters, nine quantiles a step",
        kind="foundation",
        source="the package fracast 0.1 with its weights",
        drawn=False,
        needs="study",
    )
    model_: Untyped

    def _fit(self, learnt: Split, check: Split) -> None:
        del check
        if find_spec("fracast") is None:
            raise DataError("fracast is not installed: pip install 'tool-use-om[study]'.")
        from fracast import FracastModel

        self.model_ = FracastModel.from_pretrained(weights="fp32")
        if learnt.windows.steps > self.model_.horizon:
            raise DataError(
                f"Fracast-0 forecasts {self.model_.horizon} samples, the horizon is "
                f"{learnt.windows.steps}. Ask for at most "
                f"{self.model_.horizon * learnt.windows.step_s:g} s."
            )

    @property
    def n_parameters(self) -> int:
        """Those of the package."""
        return sum(p.numel() for part in (self.model_.core, self.model_.head)
                   for p in part.parameters())  # fmt: skip

    def _proba(self, windows: EventWindows) -> Array:
        path = windows.path[windows.rows()]
        said = [
            self.model_.forecast_batch(path[a : a + _AT_ONCE], horizon=windows.steps)
            for a in range(0, len(path), _AT_ONCE)
        ]
        return chance_of_reaching(
            np.concatenate(said),
            np.asarray(self.model_.quantiles),
            windows.levels(),
            windows.event.direction,
            seed=self.seed,
        )
