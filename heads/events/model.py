"""The contract of every model of threshold events: fit on labelled windows, say P(event)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np

from tool_use_om.data.errors import DataError, NotFittedError
from tool_use_om.heads.events.windows import EventWindows, Split

Array = np.ndarray
Kind = Literal["plain", "architecture", "foundation"]
_HELD_BACK = 0.2  # of the windows, where no split to check on is given


@dataclass(frozen=True, kw_only=True)
class EventSpec:
    """What a model says about itself.

    Parameters
    ----------
    name, summary : the registered name; what it is, in one line
    kind : "plain", "architecture" (trained here from nothing) or "foundation" (trained elsewhere)
    source : whose it is, and where its code comes from
    drawn : something random is in it, so seeds differ
    sized : it is built to a number of parameters
    needs : the extra that installs its library, "" for none
    not_run : why it is not run, "" where it is
    """

    name: str
    summary: str
    kind: Kind
    source: str
    drawn: bool = True
    sized: bool = False
    needs: str = ""
    not_run: str = ""


class EventModel(ABC):
    """A model of P(the event comes within the horizon | the window).

    Parameters
    ----------
    seed : of whatever is random in it
    parameters : about how many a sized model shall have
    """

    spec: ClassVar[EventSpec]
    form_: tuple[int, tuple[str, ...]]  # samples of a window, features

    def __init__(self, *, seed: int = 0, parameters: int = 2_000_000) -> None:
        self.seed, self.parameters = seed, parameters
        self.curve: list[dict[str, float]] = []

    @property
    def n_parameters(self) -> int:
        """Fitted numbers; 0 where that means nothing."""
        return 0

    def fit(self, windows: EventWindows, y: Array, check: Split | None = None) -> Self:
        """Learn from labelled windows.

        Parameters
        ----------
        windows : n windows in order of time
        y : (n,) 1 where the event came, 0 where not
        check : what tells when to stop; default: the last fifth of the windows, without those whose
            horizon reaches into it

        Raises
        ------
        DataError : labels of another number, or of one kind only
        """
        y = np.asarray(y)
        if y.shape != (len(windows),):
            raise DataError(f"Got {len(windows)} windows and {y.shape} labels: one each is needed.")
        if set(np.unique(y)) != {0, 1}:
            raise DataError(
                "Both windows with and without the event are needed to learn from, got labels "
                f"{sorted(set(np.unique(y).tolist()))}. Choose another threshold or horizon."
            )
        learnt = Split(windows=windows, y=y)
        if check is None:
            learnt, check = _held_back(learnt)
        self.form_ = (windows.context, windows.features)
        self._fit(learnt, check)
        return self

    def predict_proba(self, windows: EventWindows) -> Array:
        """Return (n,) float64 P(event), from 0 to 1.

        Raises
        ------
        NotFittedError : before fit()
        DataError : windows of another length or of other features than fitted on
        """
        if not hasattr(self, "form_"):
            raise NotFittedError(f"{self.spec.name!r} is not fitted yet: call fit() first.")
        if (windows.context, windows.features) != self.form_:
            raise DataError(
                f"{self.spec.name!r} was fitted on windows of {self.form_[0]} samples of "
                f"{len(self.form_[1])} features, got {windows.context} of {len(windows.features)}. "
                "Cut the windows with the same context and event."
            )
        if not len(windows):
            return np.zeros(0)
        return np.clip(np.asarray(self._proba(windows), dtype=np.float64), 0.0, 1.0)

    @abstractmethod
    def _fit(self, learnt: Split, check: Split) -> None:
        """Learn from `learnt`; `check` may tell when to stop and nothing else."""

    @abstractmethod
    def _proba(self, windows: EventWindows) -> Array:
        """Return (n,) P(event)."""


def _held_back(split: Split) -> tuple[Split, Split]:
    """Return the earlier windows and the last fifth, without those that reach into it."""
    n = len(split.y)
    at = max(1, int(n * (1 - _HELD_BACK)))
    early, late = np.arange(max(1, at - split.windows.steps)), np.arange(at, n)
    first, second = (
        Split(windows=split.windows.select(rows), y=split.y[rows]) for rows in (early, late)
    )
    return first, second
