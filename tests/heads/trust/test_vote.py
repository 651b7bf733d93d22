"""A vote is weighed on held-out cases: the better member counts more, few cases change little."""

from __future__ import annotations

import numpy as np
import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.heads.trust.vote import sharpened, weigh


def _said(codes: np.ndarray, right: float, confidence: float, seed: int) -> np.ndarray:
    """Three classes; a share `right` of the cases is named rightly, each with `confidence`."""
    rng = np.random.default_rng(seed)
    named = np.where(rng.random(len(codes)) < right, codes, (codes + 1) % 3)
    return np.where(named[:, None] == np.arange(3), confidence, (1 - confidence) / 2)


def test_the_better_member_counts_more_and_the_vote_is_no_worse() -> None:
    """95 % against 60 % right: nearly all weight goes to the first, and probabilities sum to 1."""
    codes = np.random.default_rng(0).integers(0, 3, 300)
    said = {"good": _said(codes, 0.95, 0.9, 1), "poor": _said(codes, 0.6, 0.9, 2)}
    vote = weigh(said, codes)
    assert vote.weights["good"] > 0.7
    assert sum(vote.weights.values()) == pytest.approx(1.0)
    proba = vote.proba(said)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    assert (proba.argmax(axis=1) == codes).mean() >= 0.95 - 0.02


def test_few_cases_leave_equal_members_equal() -> None:
    """Three cases that both name rightly say nothing about who is better."""
    codes = np.array([0, 1, 2])
    one = _said(codes, 1.0, 0.8, 1)
    vote = weigh({"a": one, "b": one.copy()}, codes)
    assert vote.weights == {"a": pytest.approx(0.5), "b": pytest.approx(0.5)}
    assert vote.n_cases == 3


def test_a_member_that_is_too_sure_is_softened() -> None:
    """Said with 99 %, right in 70 %: its probabilities are brought nearer to what it is worth."""
    codes = np.random.default_rng(3).integers(0, 3, 400)
    said = _said(codes, 0.7, 0.99, 4)
    vote = weigh({"sure": said}, codes)
    assert vote.exponents["sure"] < 0.5
    assert vote.proba({"sure": said}).max() < 0.9


def test_cases_that_a_member_has_not_judged_do_not_count() -> None:
    """NaN rows are left out; without any row that all have judged there is nothing to weigh."""
    codes = np.array([0, 1, 2, 0])
    said = _said(codes, 1.0, 0.8, 1)
    partly = said.copy()
    partly[:2] = np.nan
    assert weigh({"a": said, "b": partly}, codes).n_cases == 2
    with pytest.raises(DataError, match="none that all have judged"):
        weigh({"a": said, "b": np.full_like(said, np.nan)}, codes)


def test_sharpened_keeps_a_distribution_and_its_order() -> None:
    """Exponent 1 changes nothing; 2 sharpens: 0.8² against 0.2²."""
    proba = np.array([[0.8, 0.2]])
    np.testing.assert_allclose(sharpened(proba, 1.0), proba)
    np.testing.assert_allclose(sharpened(proba, 2.0), [[0.64 / 0.68, 0.04 / 0.68]])
