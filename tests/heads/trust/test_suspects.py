"""Confident learning: what probabilities of unseen cases say against the labels they were given."""

from __future__ import annotations

import numpy as np

from tool_use_om.heads.trust.suspects import suspects


def test_a_swapped_label_is_found_and_the_clearest_comes_first() -> None:
    """Two of eight labels are wrong; the one with the larger margin leads."""
    proba = np.array(
        [[0.9, 0.1], [0.8, 0.2], [0.95, 0.05], [0.3, 0.7],
         [0.1, 0.9], [0.2, 0.8], [0.15, 0.85], [0.97, 0.03]]
    )  # fmt: skip
    given = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    found = suspects(proba, given)
    assert found.index.tolist() == [7, 3]
    assert found.likely.tolist() == [0, 1]


def test_a_class_that_models_are_shy_of_is_not_suspected_as_a_whole() -> None:
    """Class 1 never gets over 0.45: below its own mean only, a case of it is no suspect."""
    proba = np.array([[0.9, 0.1], [0.8, 0.2], [0.56, 0.44], [0.57, 0.43], [0.55, 0.45]])
    given = np.array([0, 0, 1, 1, 1])
    assert suspects(proba, given).index.size == 0


def test_cases_nobody_judged_are_no_suspects() -> None:
    """A row without probabilities is neither judged nor suspected."""
    proba = np.array([[0.9, 0.1], [np.nan, np.nan], [0.1, 0.9]])
    found = suspects(proba, np.array([0, 0, 1]))
    assert found.judged.tolist() == [True, False, True]
    assert found.index.size == 0
