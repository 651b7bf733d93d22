"""How calls are scored and phrasings filled: what counts as right, what does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.data.synthetic.sets.drawn import draw_set
from tool_use_om.evals.suites.questions.examples import Filled, filled
from tool_use_om.evals.suites.questions.expected import calls_of_templates, expected
from tool_use_om.evals.suites.questions.fill import card_of, fill
from tool_use_om.evals.suites.questions.scoring import score_calls, tools_right
from tool_use_om.evals.suites.questions.written import Phrasing, learnt, overlap
from tool_use_om.tools.registry import TOOLS


def call(tool: str, **args: Any) -> dict[str, Any]:
    return {"tool": tool, "args": args}


@pytest.mark.parametrize(
    ("want", "got", "right"),
    [
        (5, 5.0, True), (5, 5.0000001, True), (5, 5.1, False), (5, "5", False), (1, True, False),
        (True, True, True), (None, None, True), (None, 0, False),
        ("Walking", "walking", True), ("walk", "walking", False),
        (["a", "b"], ["B", "A"], True), (["a"], "A", True), (["a", "b"], ["a"], False),
        (["m"], ["m.x", "m.y"], True), (["m.x"], ["m.x", "m.y"], False),
        ({"k": 1}, {"k": 1, "more": 2}, True), ({"k": 1}, {"more": 2}, False), ({"k": 1}, 1, False),
        ([{"k": 1}], [{"k": 2}, {"k": 1}], True), ([{"k": 1}], [{"k": 2}], False),
        (["a"], 3, False),
    ],
)  # fmt: skip
def test_an_argument_is_right_whatever_its_case_and_order(
    want: object, got: object, right: bool
) -> None:
    """Numbers within 1e-6, names folded, a modality for its channels, objects by what is wanted."""
    assert score_calls([call("t", x=want)], [call("t", x=got)]) is right


def test_each_expectation_needs_a_call_of_its_own() -> None:
    """One call does not meet two; the order is free and further calls are allowed."""
    twice = [call("t", x=1), call("t", x=1)]
    assert not score_calls(twice, [call("t", x=1)])
    assert score_calls(twice, [call("u"), call("t", x=1), call("t", x=1, y=2)])
    assert score_calls([call("t", x=1), call("t")], [call("t", x=2), call("t", x=1)])


def test_nothing_expected_makes_any_call_wrong() -> None:
    """A refusal is right only where nothing was run."""
    assert score_calls([], [])
    assert not score_calls([], [call("t")])
    assert not score_calls([call("t")], [])


def test_any_of_several_calls_may_meet_an_expectation() -> None:
    """And the tools alone are judged the same way."""
    either = [{"any_of": [call("t", x=1), call("u", x=2)]}]
    assert score_calls(either, [call("u", x=2)])
    assert not score_calls(either, [call("u", x=1)])
    assert tools_right(either, [call("u", x=1)])
    assert not tools_right(either, [call("v")])


CARD = card_of(draw_set(3))


def about(template: str, text: str, **meant: Any) -> Filled:
    phrasing = Phrasing(template=template, language="en", voice="plain", text=text)
    return Filled(phrasing=phrasing, question=text, meant=meant, card=CARD)


def test_places_become_the_arguments_they_mean() -> None:
    """Lengths in seconds, numbers as numbers, names as they are in the data."""
    (made,) = expected(about("count-longer", "longer than {dur}", dur=(3, 1))) or ()
    assert made == call("show_session_stats", min_duration_s=180.0)
    (made,) = expected(about("count-between", "{t0} to {t1}", t0=4, t1=9)) or ()
    assert made["args"] == {"min_duration_s": 4, "max_duration_s": 9}
    (made,) = expected(about("count-label", "with {label}", label="idle")) or ()
    assert made["args"] == {"labels": ["idle"]}


def test_a_statistic_is_expected_only_where_the_phrasing_names_one() -> None:
    """Two named, or none: no argument can be called right."""
    for text, said in (("the median of {channel}", "median"), ("what is {channel} like", None),
                       ("mean and median of {channel}", None)):  # fmt: skip
        made = expected(about("stat-channel", text, channel="a.b")) or []
        stats = next(c for c in made if c["tool"] == "show_channel_stats")
        assert stats["args"].get("statistic") == said


def test_a_template_without_a_line_is_an_error() -> None:
    """A phrasing that nobody says the answer of must not be scored."""
    with pytest.raises(DataError, match="no-such-template"):
        expected(about("no-such-template", "?"))


def test_every_expected_call_is_of_a_tool_that_there_is() -> None:
    """A renamed tool or argument would make right calls wrong in silence."""
    for template, calls in calls_of_templates().items():
        for tool, args in ({} if calls == "pending" else calls).items():
            known = TOOLS[tool].args_model.model_fields
            assert set(args) <= set(known), template


def test_every_phrasing_to_learn_from_has_its_calls_and_fills() -> None:
    """No place is left open, the same seeds give the same questions, other sets other ones."""
    rows = learnt()
    assert {one.template for one in rows} <= set(calls_of_templates())
    some = rows[:: max(1, len(rows) // 150)]
    first, again, others = filled(some, range(3)), filled(some, range(3)), filled(some, range(3, 6))
    assert [f.question for f in first] == [f.question for f in again]
    assert [f.question for f in first] != [f.question for f in others]
    assert not [f.question for f in first if "{" in f.question]
    for one in first:
        expected(one)


@pytest.mark.parametrize(("language", "said"), [("en", "seconds"), ("de", "Sekunden"),
                                                ("fr", "secondes"), ("zh", "秒")])  # fmt: skip
def test_lengths_are_said_in_the_language_of_the_phrasing(language: str, said: str) -> None:
    """Seconds or minutes of two to nine."""
    found = {fill("{dur}", CARD, language, np.random.default_rng(i))[0] for i in range(12)}
    assert any(said in text for text in found)
    assert all(text[0] in "23456789" for text in found)


def test_a_value_has_the_unit_of_its_channel() -> None:
    """Which is what a person would write behind it; two places differ where they can."""
    units = {c["id"]: c["unit"] for c in CARD["channels"]}
    for seed in range(10):
        text, meant = fill("{channel} over {value}", CARD, "en", np.random.default_rng(seed))
        unit = units[meant["channel"]]
        assert meant["value"][1] == ("" if unit in {"a.u.", "1"} else unit)
        assert text.endswith(f"{meant['value'][0]} {meant['value'][1]}".strip())
        _, two = fill("{label} and {label2}", CARD, "en", np.random.default_rng(seed))
        labels = [v for group in CARD["labels"].values() for v in group]
        assert (two["label"] != two["label2"]) == (len(labels) > 1)


def test_overlap_sees_through_case_marks_and_spaces() -> None:
    """A held-out phrasing that training has in other dress is no held-out one."""

    def one(text: str) -> Phrasing:
        return Phrasing(template="t", language="en", voice="plain", text=text)

    assert overlap([one("How many  sessions?")], [one("how many sessions"), one("how much")]) == [
        "how many sessions"
    ]
