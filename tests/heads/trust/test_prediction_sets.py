"""Sets hold the truth as often as promised, for any head, by class too; abstention counts them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import DataError, NotFittedError
from tool_use_om.heads.numeric.metrics import wilson
from tool_use_om.heads.registry import make_head
from tool_use_om.heads.trust.conformal import measured_coverage
from tool_use_om.heads.trust.prediction_sets import (
    Abstention,
    Keys,
    PredictionSets,
)
from tool_use_om.tokenizers.tokens import Tokens

CLASSES = ("running", "standing", "walking")
Noisy = Callable[[int, int], tuple[Any, list[str]]]


@pytest.fixture
def noisy(make_tokens: Callable[..., Any]) -> Noisy:
    """Make (tokens, labels) of overlapping classes, four windows a session."""

    def make(n: int, seed: int) -> tuple[Any, list[str]]:
        y = [CLASSES[i // 4 % 3] for i in range(n)]
        return make_tokens(y, seed=seed, spread=6.0), y

    return make


def _fitted(name: str, noisy: Noisy) -> Any:
    return make_head(name).fit(*noisy(48, 0))  # type: ignore[attr-defined]  # a classifier


class Calibrated:
    """Prediction sets over what a fitted head says of windows."""

    def __init__(self, head: Any, coverage: float = 0.9, **settings: Any) -> None:
        self.head, self.sets = head, PredictionSets(head.classes_, coverage, **settings)

    def calibrate(self, tokens: Tokens, y: list[str]) -> Calibrated:
        self.sets.calibrate(self.head.predict_proba(tokens), y, self._keys(tokens))
        return self

    def predict_sets(self, tokens: Tokens) -> list[set[str]]:
        return self.sets.sets(self._inside(tokens))

    def share(self, tokens: Tokens, y: list[str]) -> float:
        return float(self.sets.hits(self._inside(tokens), y).mean())

    def _inside(self, tokens: Tokens) -> np.ndarray:
        return self.sets.inside(self.head.predict_proba(tokens), self._keys(tokens))

    def _keys(self, tokens: Tokens) -> Keys:
        return Keys.of(tokens.session_ids, tokens.window_start_s)


@pytest.mark.parametrize("head_name", ["prototypes", "knn"])
@pytest.mark.parametrize("method", ["lac", "aps"])
@pytest.mark.parametrize("class_conditional", [False, True])
def test_sets_cover_as_promised_over_many_splits(
    head_name: str, method: Any, class_conditional: bool, noisy: Noisy
) -> None:
    """Mean coverage over 30 calibration sets lies within two points, discrete scores or not."""
    head = _fitted(head_name, noisy)
    shares = []
    for seed in range(1, 31):
        conformal = Calibrated(
            head, 0.8, method=method, class_conditional=class_conditional
        ).calibrate(*noisy(120, seed))
        shares.append(conformal.share(*noisy(120, 1000 + seed)))
    assert 0.78 < np.mean(shares) < 0.82


def test_kept_ties_cover_more_than_random_ones() -> None:
    """Where all scores are equal, ties that count as covered cover everything."""
    proba = np.full((400, 2), 0.5)
    y = ["a"] * 400
    keys = Keys.of([f"s{i}" for i in range(400)], np.zeros(400))
    shares = {}
    for ties in ("keep", "random"):
        sets = PredictionSets(["a", "b"], 0.8, ties=ties).calibrate(proba, y, keys)  # type: ignore[arg-type]  # a literal
        shares[ties] = sets.hits(sets.inside(proba, keys), y).mean()
    assert shares["keep"] == 1.0
    assert shares["random"] == pytest.approx(0.8, abs=0.05)


def test_sessions_count_not_their_windows() -> None:
    """Ten calibration sessions, each of 50 equal windows, cover a new session as often as said."""
    rng = np.random.default_rng(0)
    hits = []
    for trial in range(300):
        truth = np.repeat(rng.uniform(size=11), 50)
        proba = np.stack([truth, 1 - truth], axis=1)
        names = np.repeat([f"{trial}-{g}" for g in range(11)], 50)
        keys = Keys.of(names, np.tile(np.arange(50.0), 11))
        old = Keys.of(names[:500], keys.start_s[:500])
        new = Keys.of(names[500:], keys.start_s[500:])
        sets = PredictionSets(["a", "b"], 0.8).calibrate(proba[:500], ["a"] * 500, old)
        hits.append(sets.hits(sets.inside(proba[500:], new), ["a"] * 50).mean())
    assert np.mean(hits) == pytest.approx(0.8, abs=0.05)


def test_each_class_is_covered_when_calibrated_by_class(noisy: Noisy) -> None:
    """Class-conditional sets cover the hard class too; marginal sets let it pay for the others."""
    rng = np.random.default_rng(1)
    n = 3000
    y = np.where(np.arange(n) % 3 == 0, "hard", "easy")
    certain = np.where(y == "hard", rng.uniform(0, 1, n), rng.uniform(0.9, 1, n))
    proba = np.stack([np.where(y == "easy", certain, 1 - certain)] * 2, axis=1)
    proba[:, 1] = 1 - proba[:, 0]
    keys = Keys.of([f"s{i}" for i in range(n)], np.zeros(n))
    half = n // 2
    old, new = (Keys.of(keys.sessions[p], keys.start_s[p]) for p in (slice(half), slice(half, n)))
    found = {}
    for by_class in (False, True):
        sets = PredictionSets(["easy", "hard"], 0.9, class_conditional=by_class)
        sets.calibrate(proba[:half], list(y[:half]), old)
        hits = sets.hits(sets.inside(proba[half:], new), list(y[half:]))
        found[by_class] = hits[y[half:] == "hard"].mean()
    assert found[False] < 0.8
    assert found[True] == pytest.approx(0.9, abs=0.04)


def test_a_class_with_too_few_sessions_falls_back(noisy: Noisy) -> None:
    """It is calibrated with all labels together, and named."""
    head = _fitted("prototypes", noisy)
    tokens, y = noisy(120, 1)
    kept = [i for i in range(120) if y[i] != "standing" or i < 24]
    conformal = Calibrated(head, 0.8, class_conditional=True)
    conformal.calibrate(tokens.select(kept), [y[i] for i in kept])
    assert conformal.sets.fallback_ == ("standing",)


def test_a_set_does_not_depend_on_its_neighbours(noisy: Noisy) -> None:
    """The number that breaks ties follows from the window's own name."""
    conformal = Calibrated(_fitted("knn", noisy), 0.8).calibrate(*noisy(48, 1))
    tokens, _ = noisy(48, 2)
    whole = conformal.predict_sets(tokens)
    assert conformal.predict_sets(tokens.select([5, 3])) == [whole[5], whole[3]]


def test_sets_are_never_empty_when_ties_are_kept_under_aps(noisy: Noisy) -> None:
    """The most probable label then always stays possible."""
    conformal = Calibrated(_fitted("prototypes", noisy), 0.5, method="aps", ties="keep")
    conformal.calibrate(*noisy(48, 1))
    assert all(conformal.predict_sets(noisy(48, 2)[0]))


def test_sets_hold_every_label_when_calibration_is_too_small(noisy: Noisy) -> None:
    """Three sessions cannot support 90 %: nothing is ruled out, and the note says why."""
    tokens, y = noisy(12, 1)
    conformal = Calibrated(_fitted("prototypes", noisy), 0.9).calibrate(
        tokens.select([0, 4, 8]), ["running", "standing", "walking"]
    )
    assert conformal.predict_sets(tokens) == [set(CLASSES)] * 12
    assert "9 are needed" in conformal.sets.note
    assert conformal.share(tokens, y) == 1.0


def test_sets_raise_when_not_calibrated_or_label_is_strange(noisy: Noisy) -> None:
    """No sets before calibration, and no calibration on labels the head never saw."""
    head = _fitted("prototypes", noisy)
    tokens, y = noisy(12, 1)
    with pytest.raises(NotFittedError):
        Calibrated(head).predict_sets(tokens)
    with pytest.raises(DataError, match="flying"):
        Calibrated(head).calibrate(tokens, ["flying", *y[1:]])
    with pytest.raises(DataError, match="coverage"):
        Calibrated(head, 1.0)


def test_a_label_never_learnt_counts_as_missed(noisy: Noisy) -> None:
    """A held-out window of an unknown label is never covered."""
    conformal = Calibrated(_fitted("prototypes", noisy), 0.8).calibrate(*noisy(48, 1))
    assert conformal.share(noisy(12, 2)[0], ["flying"] * 12) == 0.0


def test_coverage_counts_sessions_not_windows(noisy: Noisy) -> None:
    """Windows of one session are alike: the interval is that of the sessions."""
    conformal = Calibrated(_fitted("prototypes", noisy), 0.8).calibrate(*noisy(48, 1))
    tokens, y = noisy(48, 2)
    hits = conformal.sets.hits(conformal._inside(tokens), y)
    found = measured_coverage(hits, 0.8, np.array(tokens.session_ids))
    assert (found.n, found.n_groups) == (48, 12)
    assert (found.lower, found.upper) == pytest.approx(wilson(found.empirical, 12))


def test_abstention_is_an_empty_or_too_large_set() -> None:
    """Only sets of 1 to the allowed number of labels are answers."""
    inside = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]], dtype=bool)
    assert Abstention.of(inside).abstains.tolist() == [True, False, True, True]
    assert Abstention.of(inside, 2).abstains.tolist() == [True, False, False, True]
    assert Abstention.of(inside, 2).share == 0.5
