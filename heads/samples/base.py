"""Models of samples by name: what answers beside or instead of a head, measured and never silently.

Forecasters are given a `Problem` and a `Fold` (see `forecaster`), classifiers windows and labels.
The tools, the suites and the judge of encoders all use these. One file and one line adds one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pkgutil import resolve_name
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from tool_use_om.data.errors import DataError, NotFittedError, unknown
from tool_use_om.data.values import Untyped
from tool_use_om.heads.contract.checks import check_labels
from tool_use_om.heads.contract.spec import HeadSpec, Task
from tool_use_om.heads.numeric.folds import Fold

if TYPE_CHECKING:
    from tool_use_om.heads.samples.forecaster import RawForecaster
    from tool_use_om.tokenizers.windows.windows import WindowBatch

Array = np.ndarray

RAW: Mapping[Task, Mapping[str, str]] = {
    "classify": {
        "minirocket": "tool_use_om.heads.samples.rocket:MiniRocket",
        "hydra": "tool_use_om.heads.samples.rocket:Hydra",
    },
    "forecast": {
        "rlinear": "tool_use_om.heads.samples.linear:RLinear",
        "dlinear": "tool_use_om.heads.samples.linear:DLinear",
        "naive": "tool_use_om.heads.samples.local:Naive",
        "seasonal_naive": "tool_use_om.heads.samples.local:SeasonalNaive",
        "naive2": "tool_use_om.heads.samples.local:Naive2",
        "theta": "tool_use_om.heads.samples.local:Theta",
        "ets": "tool_use_om.heads.samples.local:ETS",
        "patchtst": "tool_use_om.heads.samples.deep.patchtst:PatchTST",
    },
}


class RawClassifier(ABC):
    """A classifier of windows of samples; the contract of a head, without tokens.

    Parameters
    ----------
    seed : of whatever is random in it
    """

    spec: ClassVar[HeadSpec]
    classes_: Array
    window_channels_: tuple[str, ...]
    n_samples_: int

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    @property
    def name(self) -> str:
        """The registered name."""
        return self.spec.name

    def fit(
        self, windows: WindowBatch, y: Sequence[str], groups: Sequence[str] | None = None
    ) -> Self:
        """Fit on labelled windows.

        Parameters
        ----------
        windows : WindowBatch of n windows, 0 where nothing was measured
        y : n labels
        groups : n group names that cross-validation keeps together; default: the sessions

        Raises
        ------
        DataError : fewer than two classes, too few labels, windows that are too short
        """
        labels = check_labels(y, len(windows), self.spec.labels_needed)
        chosen = windows.session_ids if groups is None else groups
        self.classes_, codes = np.unique(labels, return_inverse=True)
        self.window_channels_ = tuple(windows.channels)
        self.n_samples_ = int(windows.values.shape[2])
        self._fit(windows, codes, np.asarray(chosen, dtype=np.str_))
        return self

    def predict_proba(self, windows: WindowBatch) -> Array:
        """Return (B, K) probabilities in the order of `classes_`.

        Raises
        ------
        NotFittedError : before fit()
        DataError : other channels or window length than fitted on
        """
        if not hasattr(self, "classes_"):
            raise NotFittedError(f"The fallback {self.name!r} is not fitted yet: call fit() first.")
        form = (tuple(windows.channels), int(windows.values.shape[2]))
        if form != (self.window_channels_, self.n_samples_):
            raise DataError(
                f"Fitted on windows of {self.n_samples_} samples of "
                f"{', '.join(self.window_channels_)}; got {form[1]} of {', '.join(form[0])}."
            )
        return self._proba(windows)

    def fold_proba(
        self, windows: WindowBatch, y: Sequence[str], groups: Sequence[str], folds: Sequence[Fold]
    ) -> Array:
        """Return (n, K) probabilities of held-out windows, in the order of the sorted labels.

        Each fold learns from its own labels alone; what needs no labels may be shared by all. NaN
        where no fold judges. The model is not fitted afterwards.

        Parameters
        ----------
        folds : (train indices, held-out indices) each
        """
        labels = check_labels(y, len(windows), self.spec.labels_needed)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        proba = self._fold_proba(windows, codes, np.asarray(groups, dtype=np.str_), folds)
        del self.classes_
        return proba

    def predict(self, windows: WindowBatch) -> Array:
        """Return the (B,) most probable labels."""
        best = self.predict_proba(windows).argmax(axis=1)
        chosen: Array = self.classes_[best]
        return chosen

    @property
    @abstractmethod
    def memory_mb(self) -> float:
        """Megabytes of what was fitted."""

    @abstractmethod
    def _fit(self, windows: WindowBatch, codes: Array, groups: Array) -> None:
        """Fit on windows and (n,) class indices."""

    @abstractmethod
    def _fold_proba(
        self, windows: WindowBatch, codes: Array, groups: Array, folds: Sequence[Fold]
    ) -> Array:
        """Return (n, K) probabilities of held-out windows; NaN where no fold judges."""

    @abstractmethod
    def _proba(self, windows: WindowBatch) -> Array:
        """Return (B, K) probabilities."""


def raw_names(task: Task) -> tuple[str, ...]:
    """Return the names of a task's models of samples; none for most tasks."""
    return tuple(RAW.get(task, {}))


def raw_classifier(name: str, seed: int = 0) -> RawClassifier:
    """Build an unfitted classifier; raise NotFoundError with the nearest names otherwise."""
    made: RawClassifier = raw_class("classify", name)(seed)
    return made


def raw_forecaster(name: str, **params: object) -> RawForecaster:
    """Build an unfitted forecaster; raise NotFoundError with the nearest names otherwise."""
    made: RawForecaster = raw_class("forecast", name)(**params)
    return made


def raw_class(task: Task, name: str) -> Untyped:
    """Return the class of a model of samples; raise NotFoundError with the nearest names."""
    if name not in RAW[task]:
        raise unknown(f"raw-space {task} fallback", name, RAW[task])
    return resolve_name(RAW[task][name])
