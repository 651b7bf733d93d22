"""The check of every number: what it lets through, what it refuses, what it cuts."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_use_om.agent.verify.check import NOTHING_LEFT, verify
from tool_use_om.agent.verify.facts import fact_at, rounds_to
from tool_use_om.agent.verify.prose import numbers_in, sentences

RESULT = {
    "kind": "run_task",
    "head": "prototypes",
    "n_sessions": 40,
    "horizon_s": 5.0,
    "duration_s": {"min": 10.0, "median": 10.0, "max": 90.0},
    "metrics": {
        "accuracy": {"value": 0.9473, "lower": 0.871, "upper": 0.99, "n": 40},
        "mae": {"value": 0.4217, "unit": "m/s^2", "baseline": 0.61, "lower": 0.3, "upper": 0.5},
    },
    "cadence_hz": {"median": 1.834, "n": 12},
    "coverage": {"nominal": 0.9, "empirical": 0.925},
    "beats_baseline": True,
    "segments": [
        {"session_id": "bm-test-003", "start_s": 2.0, "end_s": 4.5, "confidence": 0.98},
        {"session_id": "bm-test-011", "start_s": 0.0, "end_s": 2.5, "confidence": 0.71},
    ],
    "why": "windows of 2.56 s, since the rate is 10 Hz",
    "detail": {"all": [0.123456]},
    "variance": {"value": 3.21, "unit": "(m/s^2)^2"},
}
QUESTION = "Find walking and predict the next 5 seconds, in sessions longer than half a minute"
R = "r-0a1b2c3d4e5f"


class Store:
    """Results in memory."""

    def __init__(self, results: dict[str, Any]) -> None:
        self.results = results

    def resolve(self, result_id: str, pointer: str) -> Any:
        if result_id not in self.results:
            raise LookupError(result_id)
        return fact_at(self.results[result_id], pointer)[0]


STORE = Store({R: RESULT})
SHOWN = {R: {k: v for k, v in RESULT.items() if k != "detail"}}


def check(prose: str, findings: list[Any] | None = None, question: str = QUESTION) -> Any:
    return verify(findings or [], prose, STORE, question, contents=SHOWN)


def find(value: Any, pointer: str, unit: str | None = None, **more: Any) -> dict[str, Any]:
    source = {"result_id": R, "pointer": pointer}
    return {"statement": "A fact.", "value": value, "unit": unit, "source": source, **more}


@pytest.mark.parametrize(
    "prose",
    [
        "Accuracy is 0.947 on 40 sessions.",
        "Accuracy is 94.7 % (95 %).",
        "Accuracy is 95% [87 to 99 %].",
        "Accuracy is 95 percent.",
        "The error is 0.42 m/s² against 0.61 m/s^2 for the baseline.",
        "It walks at 1.8 Hz, that is 110 steps per minute.",
        "It walks at 1.83 Hz (110 bpm).",
        "Walking from 2.0 to 4.5 s in bm-test-003.",
        "Walking at 2–4.5 s of `bm-test-003` with confidence 0.98.",
        "The next 5 seconds, forecast.",
        "A 5-second horizon; 5s; 5 s.",
        "The longest lasts 1.5 min (90 s).",
        "Sessions longer than 30 s: none was asked for.",
        "Sessions longer than half a minute.",
        "There are 2 segments.",
        "There are two segments.",
        "Windows of 2.56 s at 10 Hz.",
        "1. Walking\n2. Running\n",
        "- 40 sessions\n- 0.98",
        "| session | start |\n|---|---|\n| bm-test-003 | 2.0 s |",
        "The variance is 3.21 (m/s²)².",
        "The variance is 3 (m/s^2)^2.",
        "MOMENT-1 and F1 and r-0a1b2c3d4e5f and [result](#r-0a1b2c3d4e5f/metrics/3) name things.",
        "It beats the baseline.",
        "Coverage is 92.5 % where 90 % was promised.",
        "The error, 0.42 m/s^2, is lower than the baseline's 0.61 m/s^2.",
        "Not a number in it.",
    ],
)
def test_verify_keeps_what_a_result_or_the_question_says(prose: str) -> None:
    """Rounded, converted to another unit of its kind, or restated from the question: it stands."""
    checked = check(prose)
    assert checked.rejected == ()
    assert checked.ok
    assert checked.prose == prose.strip()


@pytest.mark.parametrize(
    ("prose", "reason"),
    [
        ("Accuracy is 0.957.", "no result says 0.957"),
        ("Accuracy is 97 %.", "no result says 97"),
        ("Accuracy is 0.95 s.", "no result says 0.95 s"),
        ("It lasts 40 s.", "no result says 40 s"),
        ("The error is 0.42 g.", "no result says 0.42"),
        ("The error is 0.42 Hz.", "no result says 0.42 hz"),
        ("There are three segments.", "no result says three"),
        ("It walks at 1.9 Hz.", "no result says 1.9 hz"),
        ("The next 7 seconds.", "no result says 7 s"),
        ("The hidden value is 0.123456.", "no result says 0.123456"),
        ("The accuracy is 1.", "no result says 1"),
        ("It does not beat the baseline; it never beats the baseline.", "opposite"),
        ("At 0.42 m/s^2 it is higher than the 0.61 m/s^2 of the baseline.", "wrong way round"),
        ("A drop of -0.947.", "no result says"),
    ],
)
def test_verify_refuses_what_no_result_says(prose: str, reason: str) -> None:
    """A wrong number, a right number in a wrong unit, a wrong order: refused, with the reason."""
    checked = check(prose)
    assert not checked.ok
    assert reason in checked.rejected[0].reason
    assert checked.prose == ""


def test_verify_cuts_sentences_and_keeps_the_rest() -> None:
    """Only the sentence at fault goes; lines, lists and what follows stay."""
    prose = (
        "# Walking\n\nAccuracy is 0.947, e.g. good. It weighs 12 kg. Cadence is 1.83 Hz.\n\n"
        "- 40 sessions\n- 41 sessions\n\nDone."
    )
    assert check(prose).prose == (
        "# Walking\n\nAccuracy is 0.947, e.g. good. Cadence is 1.83 Hz.\n\n- 40 sessions\n\nDone."
    )


@pytest.mark.parametrize(
    "finding",
    [
        find(0.9473, "/metrics/accuracy/value"),
        find(0.947, "/metrics/accuracy/value"),
        find(94.7, "/metrics/accuracy/value", "%"),
        find(0.4217, "/metrics/mae/value", "m/s^2"),
        find(5, "/horizon_s", "s"),
        find(1.5, "/duration_s/max", "min"),
        find("prototypes", "/head"),
        find(True, "/beats_baseline"),
        find(None, "/segments/0/session_id"),
        find(0.123456, "/detail/all/0"),
        find(
            0.42,
            "/metrics/mae/value",
            "m/s^2",
            compare={"op": "<", "other": {"result_id": R, "pointer": "/metrics/mae/baseline"}},
        ),
    ],
)
def test_verify_keeps_findings_whose_source_says_so(finding: dict[str, Any]) -> None:
    """Value and unit equal what the pointer names; a comparison holds."""
    checked = check("Fine.", [finding])
    assert checked.rejected == ()
    assert len(checked.kept) == 1


@pytest.mark.parametrize(
    ("finding", "reason"),
    [
        (find(0.96, "/metrics/accuracy/value"), "says 0.9473"),
        (find(5, "/horizon_s", "Hz"), "says 5.0 s"),
        (find(0.42, "/metrics/mae/value", "g"), "says 0.4217 m/s^2"),
        (find("knn", "/head"), "says 'prototypes'"),
        (find(False, "/beats_baseline"), "says 'True'"),
        (find(1, "/beats_baseline"), "says 'True'"),
        (find(1, "/no/such"), "nothing at '/no/such'"),
        (find(1, "/segments/7/start_s"), "nothing at"),
        (find(40, "/n_sessions", statement="There are 44."), "no result says 44"),
        (find(40, "/n_sessions", source={"result_id": "r-x", "pointer": ""}), "is no result"),
        ({"statement": "No source."}, "not the form"),
        (
            find(
                0.42,
                "/metrics/mae/value",
                compare={"op": ">", "other": {"result_id": R, "pointer": "/metrics/mae/baseline"}},
            ),
            "does not hold",
        ),
        (
            find(
                0.42,
                "/metrics/mae/value",
                compare={"op": "<", "other": {"result_id": R, "pointer": "/horizon_s"}},
            ),
            "cannot be compared",
        ),
    ],
)
def test_verify_refuses_findings_their_source_denies(finding: Any, reason: str) -> None:
    """A wrong value, unit, source, order or form: refused alone, with the reason."""
    checked = check("Fine.", [finding, find(40, "/n_sessions")])
    assert [k["value"] for k in checked.kept] == [40]
    assert reason in checked.rejected[0].reason


def test_verify_changes_none_of_its_input() -> None:
    """The findings and results given are as they were."""
    findings = [find(40, "/n_sessions"), find(1, "/head")]
    before = copy.deepcopy((findings, RESULT, SHOWN))
    check("Fine.", findings)
    assert (findings, RESULT, SHOWN) == before


def test_verify_refuses_all_numbers_when_there_are_no_results() -> None:
    """With nothing computed, no number can stand, except the question's own."""
    checked = verify([], "You asked for 5 s. It is 12 m.", Store({}), QUESTION)
    assert checked.prose == "You asked for 5 s."
    assert NOTHING_LEFT


@given(
    st.floats(0.001, 1e6, allow_nan=False),
    st.integers(0, 6),
)
def test_verify_lets_any_rounding_of_a_value_pass(value: float, decimals: int) -> None:
    """Rounding to any number of digits is allowed, as long as it stays within a tenth."""
    text = f"{value:.{decimals}f}"
    near = abs(float(text) - value) <= 0.1 * value
    checked = verify([], f"It is {text} s.", Store({}), "", contents={R: {"value_s": value}})
    assert checked.ok == near


def test_verify_refuses_a_count_that_is_only_near() -> None:
    """A whole number without a unit counts something: 3 is not a rounded 3.21."""
    assert not check("There are 3 of them.").ok


@given(st.floats(0.01, 1e6), st.floats(0.02, 10.0))
def test_verify_refuses_any_value_that_is_further_off_than_rounding(
    value: float, factor: float
) -> None:
    """Four digits of another value never pass for this one."""
    other = value * (1 + factor)
    checked = verify([], f"It is {other:.4f}.", Store({}), "", contents={R: {"x_value": value}})
    assert not checked.ok or rounds_to(float(f"{other:.4f}"), 4, value)


@given(st.text(alphabet=st.sampled_from("ab1. \n-*|!?"), max_size=60))
def test_verify_text_sentences_join_to_the_whole(text: str) -> None:
    """Cutting nothing changes nothing."""
    assert "".join(s + gap for s, gap in sentences(text)) == text


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,234.5 and -2 and −3 and 1e-3 and .5", [1234.5, -2, -3, 0.001, 0.5]),
        ("3-5 s and 0.2–0.4", [3, 5, 0.2, 0.4]),
        ("bm-test-003, x2, accelerometer.x, deadbeef01, 1st", []),
        ("1. First\n2) Second\n- 3. Third", []),
        ("twelve people, TWO dogs", [12, 2]),
        ("±0.3 around 2.5±0.1", [0.3, 2.5, 0.1]),
    ],
)
def test_verify_text_numbers_are_found_and_names_are_not(text: str, values: list[float]) -> None:
    """Signs, thousands, exponents, ranges and words are numbers; ids and list marks are not."""
    assert [n.value for n in numbers_in(text)] == values
