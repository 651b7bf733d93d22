"""What an answer says is compared with what is true."""

from __future__ import annotations

from typing import Any

import pytest

from tool_use_om.evals.suites.questions.answers import judged
from tool_use_om.evals.suites.questions.truth import Truth


def _state(answer: str, *findings: tuple[str, Any, str | None]) -> dict[str, Any]:
    return {
        "answer": answer,
        "findings": [{"statement": s, "value": v, "unit": u} for s, v, u in findings],
    }


MEAN = _state(
    "**The mean of `x` is 23.3 V.**\n\nIt rests on 3012 samples.",
    ("Mean: 23.3 V", 23.319, "V"),
    ("Samples: 3012", 3012, None),
)


@pytest.mark.parametrize(
    ("truth", "verdict"),
    [
        (Truth(value=23.32, unit="V", tolerance=1e-3), "right"),
        (Truth(value=23.32, unit="mV", tolerance=1e-3), "wrong"),
        (Truth(value=24.0, unit="V", tolerance=1e-3), "wrong"),
        (Truth(value=3012.0), "partly"),  # true of the data, but not what the answer is about
    ],
)
def test_a_number_is_in_the_first_sentence_in_its_unit(truth: Truth, verdict: str) -> None:
    assert judged(truth, MEAN) == verdict


def test_none_is_told_in_words() -> None:
    state = _state("**None of the 7 sessions last less than 8 s.**", ("Limit: 8 s", 8.0, "s"))
    assert judged(Truth(value=0.0), state) == "right"
    assert judged(Truth(value=2.0), state) == "wrong"


def test_a_share_may_be_told_in_percent() -> None:
    state = _state("**Idling takes 36.7 % of the time.**", ("Share: 36.7 %", 0.366534, "frac"))
    assert judged(Truth(value=36.6534, unit="%", tolerance=5e-3), state) == "right"


def test_names_are_all_there_and_no_false_one_is() -> None:
    state = _state("**`s1` is labelled walking and running.**")
    assert judged(Truth(value=("running", "walking"), others=("idling",)), state) == "right"
    assert judged(Truth(value=("running", "walking", "idling")), state) == "partly"
    assert judged(Truth(value=("running",), others=("walking",)), state) == "wrong"
    assert judged(Truth(value=("s11", "s12")), state) == "wrong"
    counted = _state("**2 of the 24 sessions are of w02.**")
    assert judged(Truth(value=("s11", "s12")), counted) == "partly"


def test_nothing_is_told_as_nothing() -> None:
    assert judged(Truth(value=()), _state("**There is no label at 3 s.**")) == "right"
    assert judged(Truth(value=()), _state("**The label is idling.**")) == "wrong"


def test_groups_are_right_where_each_value_is_shown() -> None:
    state = _state("**A table.**", ("walking: 3 V", 3.0, "V"), ("idling: 1 V", 1.0, "V"))
    assert judged(Truth(value={"walking": 3.0, "idling": 1.0}), state) == "right"
    assert judged(Truth(value={"walking": 3.0, "idling": 2.0}), state) == "partly"
    assert judged(Truth(value={"walking": 4.0, "idling": 2.0}), state) == "wrong"


def test_of_many_groups_the_highest_and_the_lowest_are_shown() -> None:
    groups = {f"s{i}": float(i) for i in range(20)}
    shown = [(f"s{i}: {i} V", float(i), "V") for i in (0, 3, 19)]
    assert judged(Truth(value=groups), _state("**A table.**", *shown)) == "right"
    assert judged(Truth(value=groups), _state("**A table.**", *shown[:2])) == "wrong"
