"""What stands beside the architectures: the base rate, the last day alone, boosted trees."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tool_use_om.data.values import Untyped
from tool_use_om.heads.events.model import EventModel, EventSpec
from tool_use_om.heads.events.windows import EventWindows, Split

Array = np.ndarray
_STRENGTHS = (0.001, 0.01, 0.1, 1.0)


class BaseRate(EventModel):
    """The share of training windows in which the event came, whatever the window."""

    spec: ClassVar[EventSpec] = EventSpec(
        name="base_rate",
        summary="always says how often the event came before",
        kind="plain",
        source="none: the bar under every other",
        drawn=False,
    )
    share_: float

    def _fit(self, learnt: Split, check: Split) -> None:
        del check
        self.share_ = float(learnt.y.mean())

    def _proba(self, windows: EventWindows) -> Array:
        return np.full(len(windows), self.share_)


class LastDay(EventModel):
    """Logistic regression on the features of the window's last sample; the check sets its ridge."""

    spec: ClassVar[EventSpec] = EventSpec(
        name="last_day",
        summary="logistic regression on the features of the last sample",
        kind="plain",
        source="scikit-learn's LogisticRegression",
        drawn=False,
    )

    def _fit(self, learnt: Split, check: Split) -> None:
        from sklearn.linear_model import LogisticRegression
        from sklearn.metrics import log_loss

        found = []
        for strength in _STRENGTHS:
            model = LogisticRegression(C=strength, max_iter=1000)
            model.fit(learnt.windows.last(), learnt.y)
            said = model.predict_proba(check.windows.last())[:, 1]
            found.append((log_loss(check.y, said, labels=[0, 1]), strength, model))
        self.model_ = min(found, key=lambda each: each[0])[2]

    @property
    def n_parameters(self) -> int:
        """Weights and the constant."""
        return int(self.model_.coef_.size + 1)

    def _proba(self, windows: EventWindows) -> Array:
        said: Array = self.model_.predict_proba(windows.last())[:, 1]
        return said


class Boosting(EventModel):
    """Gradient boosting on the features of the last sample; the check says how many trees."""

    spec: ClassVar[EventSpec] = EventSpec(
        name="boosting",
        summary="gradient boosting on the features of the last sample",
        kind="plain",
        source="scikit-learn's HistGradientBoostingClassifier (Friedman, 2001)",
    )
    model_: Untyped
    n_trees_: int

    def _fit(self, learnt: Split, check: Split) -> None:
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.metrics import log_loss

        self.model_ = HistGradientBoostingClassifier(
            learning_rate=0.05, max_iter=300, max_leaf_nodes=15, min_samples_leaf=40,
            l2_regularization=1.0, max_features=0.5, early_stopping=False, random_state=self.seed,
        )  # fmt: skip
        self.model_.fit(learnt.windows.last(), learnt.y)
        stages = self.model_.staged_predict_proba(check.windows.last())
        losses = [log_loss(check.y, said[:, 1], labels=[0, 1]) for said in stages]
        self.n_trees_ = 1 + int(np.argmin(losses))
        self.curve = [{"step": i + 1.0, "check": float(loss)} for i, loss in enumerate(losses)]

    @property
    def n_parameters(self) -> int:
        """Leaves, at most, of the trees that are used."""
        return 15 * self.n_trees_

    def _proba(self, windows: EventWindows) -> Array:
        stages = self.model_.staged_predict_proba(windows.last())
        for _, said in zip(range(self.n_trees_), stages, strict=False):
            last = said
        found: Array = last[:, 1]
        return found
