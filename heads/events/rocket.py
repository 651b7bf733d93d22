"""MiniRocket under the contract of events: the house's classifier on the windows' features."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tool_use_om.heads.events.model import EventModel, EventSpec
from tool_use_om.heads.events.windows import EventWindows, Split
from tool_use_om.heads.samples.base import RawClassifier, raw_classifier
from tool_use_om.tokenizers.windows.windows import WindowBatch

Array = np.ndarray
MOST_WINDOWS = 1000  # its ridge is solved over the products of all pairs
_GROUPS = 10  # stretches of time that its sharpness is fitted on


class Rocket(EventModel):
    """Ridge regression on random convolutions of the window's features.

    At most 1 000 windows are learnt from, spread evenly over time.
    """

    spec: ClassVar[EventSpec] = EventSpec(
        name="minirocket",
        summary="ridge regression on 10 000 random convolutions of the window",
        kind="plain",
        source="Dempster, Schmidt and Webb (2021), aeon's transform",
        needs="raw",
    )
    model_: RawClassifier

    def _fit(self, learnt: Split, check: Split) -> None:
        del check
        few = learnt.thinned(MOST_WINDOWS)
        stretch = np.arange(len(few.y)) * _GROUPS // len(few.y)
        self.model_ = raw_classifier("minirocket", self.seed)
        self.model_.fit(
            _batch(few.windows), [str(v) for v in few.y], groups=[str(s) for s in stretch]
        )

    @property
    def n_parameters(self) -> int:
        """Weights of the ridge."""
        weights: Array = self.model_.weights_  # type: ignore[attr-defined]  # of its kind
        return int(weights.size)

    def _proba(self, windows: EventWindows) -> Array:
        return self.model_.predict_proba(_batch(windows))[:, 1]


def _batch(windows: EventWindows) -> WindowBatch:
    values = np.ascontiguousarray(windows.values().transpose(0, 2, 1))
    n = len(windows)
    return WindowBatch(
        values=values,
        mask=np.ones(values.shape, dtype=bool),
        rate_hz=1.0 / windows.step_s,
        channels=windows.features,
        units=("1",) * len(windows.features),
        session_ids=tuple(str(owner) for owner in windows.owner),
        start_s=np.zeros(n),
    )
