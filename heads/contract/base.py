"""The contract of every head: validate once, then `_fit/_predict`; fitted attributes end in `_`.

A head never sees an encoder and never changes its input. The same input gives the same answer, and
the answer for a window does not depend on the other windows of the batch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from tool_use_om.data.errors import DataError, NotFittedError
from tool_use_om.heads.contract.checks import (
    check_groups,
    check_labels,
    check_same_form,
    check_tokens,
    check_units,
)
from tool_use_om.heads.contract.pooling import Rows, pool, squared_distances
from tool_use_om.heads.contract.results import Explanation, Neighbour
from tool_use_om.heads.contract.spec import HeadSpec, ParamValue
from tool_use_om.heads.contract.state import (
    HeadState,
    join_attributes,
    split_attributes,
    write_state,
)

if TYPE_CHECKING:
    from tool_use_om.tokenizers.tokens import Tokens

Array = np.ndarray


class Head(ABC):
    """What all heads share: parameters, fitted state, saving.

    Parameters
    ----------
    params : the settings named in `spec.params`; the others keep their defaults

    Raises
    ------
    NotFoundError : an unknown parameter
    DataError : a value outside its limits
    """

    spec: ClassVar[HeadSpec]

    def __init__(self, **params: object) -> None:
        self.params: dict[str, ParamValue] = self.spec.resolve(params)

    @property
    def name(self) -> str:
        """The head's registered name."""
        return self.spec.name

    @property
    def task(self) -> str:
        """One of classify, forecast, retrieve, anomaly."""
        return self.spec.task

    @property
    def is_fitted(self) -> bool:
        """Whether `fit` has been called."""
        return hasattr(self, "channels_")

    def to_state(self) -> HeadState:
        """Return everything fitted, as arrays and JSON values."""
        self._require_fitted()
        fitted = {k: v for k, v in vars(self).items() if k.endswith("_") and k[0] != "_"}
        arrays, values = split_attributes(fitted)
        return HeadState(name=self.name, params=dict(self.params), arrays=arrays, values=values)

    @classmethod
    def from_state(cls, state: HeadState) -> Self:
        """Build a fitted head from what `to_state` returned."""
        head = cls(**state.params)
        for name, value in join_attributes(state).items():
            setattr(head, name, value)
        return head

    def save(self, path: Path) -> None:
        """Write the fitted head to one safetensors file; `registry.load_head` reads it."""
        write_state(self.to_state(), path)

    def _seal(self) -> None:
        """Lay fitted arrays out as a file does, so that a loaded head answers alike."""
        for name, value in vars(self).items():
            if name.endswith("_") and isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
                setattr(self, name, np.ascontiguousarray(value))

    def _require_fitted(self) -> None:
        if not self.is_fitted:
            raise NotFittedError(f"The head {self.name!r} is not fitted yet: call fit() first.")

    def _int(self, name: str) -> int:
        return int(self.params[name] or 0)

    def _float(self, name: str) -> float:
        return float(self.params[name] or 0.0)


class TokenHead(Head):
    """A head that reads pooled tokens and remembers the windows it was fitted on."""

    channels_: tuple[str, ...]
    units_: tuple[str, ...] = ()  # empty where nobody said
    n_features_: int
    n_context_: int
    bank_: Array  # (n, d): the fitted windows in the head's metric
    bank_sessions_: Array
    bank_start_s_: Array
    bank_end_s_: Array

    @abstractmethod
    def _embed(self, rows: Array) -> Array:
        """Map (B, F) pooled rows to (B, d), where Euclidean distance is the head's metric."""

    def _remember_form(self, tokens: Tokens) -> None:
        self.channels_ = tuple(tokens.channels)
        self.units_ = tuple(tokens.units)
        self.n_features_ = int(tokens.values.shape[3])
        self.n_context_ = int(tokens.context.shape[2])

    def _remember_bank(self, tokens: Tokens, rows: Array) -> None:
        self.bank_ = self._embed(rows).astype(np.float32)
        self.bank_sessions_ = np.array(tokens.session_ids, dtype=np.str_)
        self.bank_start_s_ = np.array(tokens.window_start_s, dtype=np.float64)
        whole = np.all(np.any(tokens.mask, axis=1), axis=1)
        full_end = self.bank_start_s_ + float(tokens.window_s)
        self.bank_end_s_ = np.where(whole, full_end, tokens.end_s)

    def _check_like_fitted(self, tokens: Tokens) -> None:
        self._require_fitted()
        check_tokens(tokens)
        check_same_form(tokens, self.channels_, self.n_features_, self.n_context_)
        check_units(tokens, self.units_)

    def _rows(self, tokens: Tokens) -> Array:
        self._check_like_fitted(tokens)
        return self._pool(tokens).values

    def _pool(self, tokens: Tokens) -> Rows:
        mode = str(self.params["pooling"])
        return pool(tokens, mode, context=bool(self.params["context"]))

    def _neighbour(self, index: int, squared: float, label: str | None = None) -> Neighbour:
        return Neighbour(
            session_id=str(self.bank_sessions_[index]),
            start_s=float(self.bank_start_s_[index]),
            end_s=float(self.bank_end_s_[index]),
            distance=float(np.sqrt(squared)),
            label=label,
        )


class ClassifierHead(TokenHead):
    """A head that gives each window one of the labels it was fitted on."""

    classes_: Array
    bank_labels_: Array
    token_mean_: Array  # (C, D) mean valid token of each channel, for occlusion
    context_mean_: Array  # (C, K)

    def fit(self, tokens: Tokens, y: Sequence[str], groups: Sequence[str] | None = None) -> Self:
        """Fit on labelled windows.

        Parameters
        ----------
        tokens : Tokens of n windows
        y : n labels
        groups : n group names that cross-validation keeps together; default: the sessions

        Raises
        ------
        DataError : unusable tokens, fewer than two classes, too few labels in a class
        """
        check_tokens(tokens)
        labels = check_labels(y, len(tokens.session_ids), self.spec.labels_needed)
        group_of = check_groups(groups, tokens)
        self._remember_form(tokens)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        self._remember_means(tokens)
        rows = self._pool(tokens)
        self._fit(rows, codes, group_of)
        self._remember_bank(tokens, rows.values)
        self.bank_labels_ = codes.astype(np.int64)
        self._seal()
        return self

    def predict_proba(self, tokens: Tokens) -> Array:
        """Return (B, K) probabilities in the order of `classes_`."""
        return self._proba(self._rows(tokens))

    def predict(self, tokens: Tokens) -> Array:
        """Return the (B,) most probable labels."""
        chosen: Array = self.classes_[self.predict_proba(tokens).argmax(axis=1)]
        return chosen

    def explain(self, tokens: Tokens, k: int = 3) -> list[Explanation]:
        """Return for each window its answer, the k nearest fitted windows and a counterfactual."""
        rows = self._rows(tokens)
        proba = self._proba(rows)
        points = self._embed(rows)
        distances = squared_distances(points, self.bank_.astype(np.float64))
        return [
            self._explain(p, d, k, point)
            for p, d, point in zip(proba, distances, points, strict=True)
        ]

    @abstractmethod
    def _fit(self, rows: Rows, codes: Array, groups: Array) -> None:
        """Fit on pooled (n, F) rows and (n,) class indices."""

    @abstractmethod
    def _proba(self, rows: Array) -> Array:
        """Return (B, K) probabilities of pooled (B, F) rows."""

    def _explain(self, proba: Array, squared: Array, k: int, point: Array) -> Explanation:
        answer = int(proba.argmax())
        same = self.bank_labels_ == answer
        return Explanation(
            label=str(self.classes_[answer]),
            probability=float(proba[answer]),
            nearest=self._nearest(point, squared, k),
            counterfactual=self._closest(squared, ~same),
            own=self._closest(squared, same),
            neighbours=tuple(
                self._labelled(int(i), float(squared[i]))
                for i in np.argsort(squared, kind="stable")[:k]
            ),
        )

    def _closest(self, squared: Array, among: Array) -> Neighbour | None:
        """Return the nearest fitted window `among` those marked; None where none is."""
        if not among.any():
            return None
        index = int(np.where(among, squared, np.inf).argmin())
        return self._labelled(index, float(squared[index]))

    def _nearest(self, point: Array, squared: Array, k: int) -> tuple[Neighbour, ...]:  # noqa: ARG002  # prototypes use the point
        order = np.argsort(squared, kind="stable")[:k]
        return tuple(self._labelled(int(i), float(squared[i])) for i in order)

    def _labelled(self, index: int, squared: float) -> Neighbour:
        return self._neighbour(index, squared, str(self.classes_[self.bank_labels_[index]]))

    def _remember_means(self, tokens: Tokens) -> None:
        valid = tokens.mask[..., None]
        total = np.where(valid, tokens.values, 0.0).sum(axis=(0, 2), dtype=np.float64)
        self.token_mean_ = total / np.maximum(valid.sum(axis=(0, 2)), 1)
        self.context_mean_ = np.asarray(tokens.context, dtype=np.float64).mean(axis=0)


class RetrievalHead(TokenHead):
    """A head that finds the windows most like a query."""

    def fit(self, tokens: Tokens) -> Self:
        """Remember the windows to search."""
        check_tokens(tokens)
        self._remember_form(tokens)
        rows = self._pool(tokens)
        self._fit(rows)
        self._remember_bank(tokens, rows.values)
        self._seal()
        return self

    def query(
        self, tokens: Tokens, k: int = 5, *, exclude_overlapping: bool = True
    ) -> list[Neighbour]:
        """Return the k fitted windows most like the one window in `tokens`, nearest first.

        Neighbours never overlap each other in the same session; with `exclude_overlapping` they
        do not overlap the query either.
        """
        rows = self._rows(tokens)
        if len(rows) != 1:
            raise DataError(f"A query is one window, got {len(rows)}. Choose a shorter time range.")
        if k < 1:
            raise DataError(f"`k` must be at least 1, got {k}.")
        return self._query(tokens, self._embed(rows), k, exclude_overlapping=exclude_overlapping)

    @abstractmethod
    def _fit(self, rows: Rows) -> None:
        """Fit the metric on pooled (n, F) rows."""

    @abstractmethod
    def _query(
        self, tokens: Tokens, point: Array, k: int, *, exclude_overlapping: bool
    ) -> list[Neighbour]:
        """Choose k neighbours of the query, (1, d) in the head's metric."""


class AnomalyHead(TokenHead):
    """A head that says how strange a window is among those it was fitted on.

    The reference for p-values and thresholds are scores of the fitted windows, each left out in
    turn, or, after `calibrate`, those of held-out usual windows, which is the exact conformal way
    (Laxhammar, 2014).
    """

    reads_extremes: ClassVar[bool] = False  # the least and greatest sample of each window
    reference_: Array  # sorted scores of usual windows
    reference_from_: str

    def fit(self, tokens: Tokens) -> Self:
        """Learn what is usual."""
        self.learn(tokens)
        return self

    def learn(self, tokens: Tokens) -> Array:
        """Learn what is usual; return the (B,) windows' own scores, each left out in turn.

        Infinite where no other window may vouch for one.
        """
        check_tokens(tokens)
        self._remember_form(tokens)
        scores = self._learn(tokens)
        self.reference_ = np.sort(scores[np.isfinite(scores)])
        self.reference_from_ = "fitted windows, left out in turn"
        self._seal()
        return scores

    def calibrate(self, tokens: Tokens) -> Self:
        """Take the reference scores from held-out usual windows instead of the fitted ones."""
        self.reference_ = np.sort(self.score(tokens))
        self.reference_from_ = "held-out windows"
        return self

    def score(self, tokens: Tokens) -> Array:
        """Return (B,) scores; higher = stranger."""
        self._check_like_fitted(tokens)
        return self._score(tokens)

    def p_values(self, tokens: Tokens) -> Array:
        """Return (B,) shares of usual windows at least as strange, (1 + #) / (1 + n)."""
        n_below = np.searchsorted(self.reference_, self.score(tokens), side="left")
        n = len(self.reference_)
        shares: Array = (1.0 + n - n_below) / (1.0 + n)
        return shares

    def threshold(self, coverage: float = 0.9) -> float:
        """Return the score that a share `coverage` of usual windows stays at or under."""
        self._require_fitted()
        n = len(self.reference_)
        rank = int(np.ceil((n + 1) * coverage))
        return float(self.reference_[rank - 1]) if rank <= n else float("inf")

    @abstractmethod
    def _learn(self, tokens: Tokens) -> Array:
        """Fit, and return the fitted windows' own scores, each left out in turn."""

    @abstractmethod
    def _score(self, tokens: Tokens) -> Array:
        """Return (B,) scores of checked windows."""
