"""What an answer may say: references and claims; everything else is refused."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tool_use_om.agent.verify.check import Checked, Ours, check
from tool_use_om.agent.verify.facts import Sources, fact_at, rounds_to
from tool_use_om.agent.verify.form import MAX_CHARS, pieces, sentences
from tool_use_om.agent.verify.scan import RefusedError, words_of
from tool_use_om.agent.verify.words import ALLOWED, COUNTED, NOUNS, WHY_REFUSED
from tool_use_om.data.errors import DataError

X, Y = "{r1#/rows/0/value}", "{r1#/rows/2/value}"
CX, CY = "{r1#/rows/0/channel}", "{r1#/rows/2/channel}"


def said(prose: str, sources: Sources, *claims: dict[str, Any]) -> Checked:
    return check(prose, claims, sources)


@pytest.mark.parametrize(
    ("prose", "shown"),
    [
        (f"The variance is {X}.", "The variance is 117.7 a.u.² (accelerometer.x; running)."),
        (f"{CX} has {X}.", "`accelerometer.x` has variance 117.7 a.u.² (running)."),
        ("It has {r2#/metrics/accuracy/value}.",
         "It has accuracy 94.7 % (walking; held-out sessions)."),
        ("- The session {r2#/segments/1/session_id} has {r2#/segments/1/confidence}",
         "- The session `bm-test-021` has segment, confidence 50 % (2 s to 10 s; walking)"),
        (f"{CX} has {X}, and {CY} has {Y}.",
         "`accelerometer.x` has variance 117.7 a.u.² (running), and `gyroscope.y` has variance "
         "2.95 a.u.² (running)."),
        ("There are {r2#/judged_on/n_sessions} sessions.",
         "There are 40 (judged on; walking; held-out sessions) sessions."),
    ],
)  # fmt: skip
def test_a_reference_brings_value_unit_name_and_owner(
    prose: str, shown: str, sources: Sources
) -> None:
    """What the sentence does not say itself is written by code, from the result."""
    checked = said(prose, sources)
    assert checked.rejected == ()
    assert checked.prose == shown
    assert checked.sourced


@pytest.mark.parametrize(
    "prose",
    [
        "The variance is 117.7.",
        f"The mean is {X}.",
        f"{CY} has {X}.",
        f"The session {{r2#/segments/0/session_id}} has {Y}.",
        f"gyroscope.y has {X}.",
        f"The channel gyroscope has {X}.",
        f"Walking has {X}.",
        f"The variance is more than {X}.",
        f"The variance is {X} and {Y} is higher.",
        f"The variance is not {X}.",
        f"The variance is {X} Hz.",
        f"The variance is -{X}.",
        f"The variance is {X}%.",
        f"The variance goes from {X} to {Y}.",
        f"The variance is {X}–{Y}.",
        f"Twice {X}.",
        f"Half of the sessions: {X}.",
        "The signal soars.",
        "The channel drifts upwards.",
        "Nothing unusual was found.",
        "It holds ９ sessions.",
        "It holds ½.",
        "It holds tеn sessions.",
        "The accuracy on the training sessions is {r2#/metrics/accuracy/value}.",
        "{r1#/rows/1/channel} is the channel.",
        "There are {r1#/n_sessions} channels.",
        "{r1#/rows/9/value} is the variance.",
        "{r7#/rows/0/value} is the variance.",
        "{c9} is so.",
        "{r2#/beats_baseline} is so.",
        "{r2#/timing/fit_s} was used.",
        "{r2#/notes/0} was said.",
        "{r2#/notes} was said.",
        "{r2#/why} was said.",
        "{r2#/coverage/nominal} was asked.",
        "{r1#/args/statistic} was asked.",
        "| a | b |",
        "{r1#/rows} was listed.",
    ],
)
def test_what_rests_on_no_reference_is_refused(prose: str, sources: Sources) -> None:
    """Digits, words for numbers, wrong owners, other facts' nouns, signs, verdicts, echoes."""
    checked = said(prose, sources)
    assert checked.prose == ""
    assert len(checked.rejected) == 1
    assert checked.findings == ()


@pytest.mark.parametrize(
    ("claim", "shown"),
    [
        ({"kind": "most", "left": "r1#/rows/0/value", "over": "r1#/rows/*/value"},
         "Variance is highest for accelerometer.x; running at 117.7 a.u.², of 3 compared."),
        ({"kind": "least", "left": "r1#/rows/2/value", "over": "r1#/rows/*/value"}, "lowest"),
        ({"kind": "above", "left": "r1#/rows/0/value", "right": "r1#/rows/2/value"}, "is above"),
        ({"kind": "not", "of": "above", "left": "r1#/rows/2/value", "right": "r1#/rows/0/value"},
         "is not above"),
        ({"kind": "falls", "left": "r2#/trend/0/value"}, "falls by -0.03 a.u./s"),
        ({"kind": "not", "left": "r2#/beats_baseline"}, "does not clearly beat the baseline"),
        ({"kind": "not", "left": "r2#/drift/drifted"}, "No drift was found"),
        ({"kind": "found", "left": "r2#/n_segments"}, "2 found"),
        ({"kind": "none", "left": "r2#/unusual"}, "none found"),
        ({"kind": "range", "left": "r2#/duration_s/min", "right": "r2#/duration_s/max"},
         "from 4 s to 90 s"),
        ({"kind": "differs", "left": "r1#/rows/0/value", "right": "r1#/rows/2/value"}, "differs"),
        ({"kind": "between", "left": "r1#/rows/1/value",
          "members": ["r1#/rows/2/value", "r1#/rows/0/value"]}, "lies between"),
        ({"kind": "count", "left": "r2#/segments"}, "segments: 2"),
    ],
)  # fmt: skip
def test_a_claim_that_holds_is_written_by_code(
    claim: dict[str, Any], shown: str, sources: Sources
) -> None:
    """Each kind is evaluated on the results and has its own words."""
    checked = said("{c1}.", sources, {"id": "c1", **claim})
    assert checked.rejected == ()
    assert shown.casefold() in checked.prose.casefold()


@pytest.mark.parametrize(
    "claim",
    [
        {"kind": "most", "left": "r1#/rows/2/value", "over": "r1#/rows/*/value"},
        {"kind": "least", "left": "r1#/rows/0/value", "over": "r1#/rows/*/value"},
        {"kind": "most", "left": "r1#/rows/0/value"},
        {"kind": "above", "left": "r1#/rows/2/value", "right": "r1#/rows/0/value"},
        {"kind": "above", "left": "r1#/rows/0/value", "right": "r2#/duration_s/min"},
        {"kind": "equal", "left": "r1#/rows/0/value", "right": "r1#/rows/2/value"},
        {"kind": "same", "left": "r1#/rows/0/value", "right": "r1#/rows/2/value"},
        {"kind": "rises", "left": "r2#/trend/0/value"},
        {"kind": "rises", "left": "r1#/rows/0/value"},
        {"kind": "is", "left": "r2#/beats_baseline"},
        {"kind": "found", "left": "r2#/drift/drifted"},
        {"kind": "none", "left": "r2#/segments"},
        {"kind": "found", "left": "r2#/unusual"},
        {"kind": "found", "left": "r1#/rows/0/value"},
        {"kind": "range", "left": "r1#/rows/0/value", "right": "r1#/rows/2/value"},
        {"kind": "not", "of": "above", "left": "r1#/rows/0/value", "right": "r1#/rows/2/value"},
        {"kind": "soars", "left": "r1#/rows/0/value"},
        {"kind": "above", "left": "r1#/rows/0/value", "right": "r2#/coverage/nominal"},
    ],
)
def test_a_claim_that_does_not_hold_is_refused(claim: dict[str, Any], sources: Sources) -> None:
    """False, of incomparable things, without a measured trend, of another form."""
    assert said("{c1}.", sources, {"id": "c1", **claim}).prose == ""


def test_one_false_sentence_is_cut_and_the_rest_stays(sources: Sources) -> None:
    """Only the sentence at fault goes, and none of its values is a finding."""
    checked = said(f"The variance is {X}. It is {Y} times 99. {CY} has {Y}.", sources)
    assert checked.prose.startswith("The variance is 117.7")
    assert "99" not in checked.prose
    assert [f["value"] for f in checked.findings] == [117.708, "gyroscope.y", 2.95412]


def test_own_words_are_told_apart(sources: Sources) -> None:
    """A sentence with words that are neither connecting nor a fact's noun is the model's own."""
    checked = said(f"According to the analysis, {X} was measured.", sources)
    assert checked.rejected == ()
    assert len(checked.own) == 1
    assert not checked.sourced


def test_only_our_own_paragraphs_may_hold_fixed_words(sources: Sources) -> None:
    """The same text stands where our writer wrote it from these results, and nowhere else."""
    text = "**The variance is highest at {r1#/highest/value|unit}.**"
    ours = Ours(prose=text, names={("r1", "/highest/value"): "highest variance"})
    assert check(text, (), sources, ours).prose == "**The variance is highest at 117.7 a.u.².**"
    for forged in ("lowest at", "soars to", "clearly is", "so it is"):
        changed = text.replace("highest at", forged)
        assert check(changed, (), sources, ours).prose == ""
        assert check(changed, (), sources).prose == ""


@pytest.mark.parametrize("unit", ["a-", "a ", "{", "}", "{r1#/a}", "a.", "'", "a\n", "{{"])
def test_reading_and_scanning_take_time_linear_in_the_length(unit: str, sources: Sources) -> None:
    """A hundred kilobytes of whatever is read in a moment, a megabyte is refused by its limit."""
    text = (unit * (100_000 // len(unit) + 1))[:100_000]
    started = time.process_time()
    list(pieces(text))
    sentences(text)
    with contextlib.suppress(RefusedError):
        list(words_of(text))
    assert time.process_time() - started < 2.0
    with pytest.raises(DataError, match=f"the limit is {MAX_CHARS}"):
        check(text * 10, (), sources)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_no_text_of_a_model_brings_a_digit_or_a_control_character(text: str) -> None:
    """Whatever is written, without sources nothing numeric and nothing hidden is shown."""
    shown = check(text, (), Sources()).prose
    assert not any(c.isnumeric() for c in shown)
    assert all(c.isprintable() or c == "\n" for c in shown)


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet="abc {}#/r1|%é\n", max_size=200))
def test_pieces_lose_no_word(text: str) -> None:
    """Reading the form never fails, and braces doubled give the text back."""
    doubled = text.replace("{", "{{").replace("}", "}}")
    assert "".join(p.text for p in pieces(doubled)) == text  # type: ignore[union-attr]
    list(pieces(text))


def test_no_refused_word_is_allowed() -> None:
    """The lists do not contradict each other; a noun of a fact stays bound to its reference."""
    assert not ALLOWED & WHY_REFUSED.keys()
    assert not ALLOWED & (NOUNS.keys() | COUNTED.keys())


@given(st.floats(-1e6, 1e6), st.integers(0, 6))
def test_rounds_to_accepts_the_rounding(value: float, decimals: int) -> None:
    """What format() rounds is a rounding, unless it is more than a tenth away."""
    shown = float(f"{value:.{decimals}f}")
    if abs(shown - value) <= 0.1 * abs(value):
        assert rounds_to(shown, decimals, value)


def test_fact_at_reads_the_unit_of_its_key_or_its_neighbour() -> None:
    """A key's ending says the unit, else a "unit" beside the value."""
    assert fact_at({"a_s": 1.0}, "/a_s") == (1.0, "s")
    assert fact_at({"rows": [{"value": 2, "unit": "g"}]}, "/rows/0/value") == (2, "g")
    assert fact_at({"x": {"n": 3, "unit": "g"}}, "/x/n") == (3, None)
    with pytest.raises(LookupError):
        fact_at({}, "/a")


@pytest.mark.parametrize(
    "prose",
    [
        "The mean of the channels is {r1#/rows/0/value}.",  # of one of them
        "Overall, the variance is {r1#/rows/0/value}.",
        "The variance is {r1#/rows/0/value} windows.",
        "There are {r2#/judged_on/n_sessions} measurements.",
        "{r1#/rows/0/channel} used to have {r1#/rows/0/value}.",
        "The accuracy is {r2#/metrics/accuracy/lower}.",
        "{r1#/rows/0/channel} reaches {r1#/rows/0/value}.",
        "Has {r1#/rows/0/channel} {r1#/rows/0/value}?",
        "The data are ok.",
        "The sensor rests.",
    ],
)
def test_what_an_outsider_tried_is_refused(prose: str, sources: Sources) -> None:
    """Misattribution, counted things, tenses, roles, questions, words without a reference."""
    assert check(prose, (), sources).prose == ""


@pytest.mark.parametrize(
    "prose",
    [
        "It is doubtful whether {c1}.", "{c1}, they say.", "{c1}, thus {c2}.", "{c1} as {c2}.",
        "{c1} because of {c2}.", "How {c1}.", "{c1} is out.", "{c1}?", "The reason is that {c1}.",
        "In {r2#/segments/0/session_id}, {c1}.", "{c1} of {c2}.",
    ],
)  # fmt: skip
def test_a_claim_stands_by_itself(prose: str, sources: Sources) -> None:
    """Words around a claim may lead to it or join it to another, and change nothing of it."""
    one = {"kind": "most", "left": "r1#/rows/0/value", "over": "r1#/rows/*/value"}
    claims = [one | {"id": "c1"}, one | {"id": "c2", "kind": "not", "of": "least"}]
    told = check("Here, {c1}, and {c2}.", claims, sources)
    assert told.rejected == ()
    assert check(prose, claims, sources).prose == ""


def test_members_that_a_model_chose_are_told(sources: Sources) -> None:
    """A set of a model's own choice is named, so that nobody takes it for all there is."""
    few = ["r1#/rows/1/value", "r1#/rows/2/value"]
    facts = [sources.fact("r1", f"/rows/{i}/value") for i in (1, 2)]
    high = max((0, 1), key=lambda i: facts[i].value)
    claim = {"id": "c1", "kind": "most", "left": few[high], "members": few}
    owner = dict(facts[1 - high].owner)["channel"]
    assert f"compared with {owner}" in check("{c1}.", [claim], sources).prose
    assert check("{c1}.", [claim], sources).prose.endswith(" only.")


def test_two_ends_of_one_range_may_be_joined(sources: Sources) -> None:
    """From start to end of one row is a range the result gives; of two rows it is none."""
    one = "It lasts from {r2#/segments/0/start_s} to {r2#/segments/0/end_s}."
    two = "It lasts from {r2#/segments/0/start_s} to {r2#/segments/1/end_s}."
    turned = "From {r2#/segments/0/end_s} to {r2#/segments/0/start_s}."
    assert check(one.replace("It lasts from", "From"), (), sources).prose != ""
    assert check(two.replace("It lasts from", "From"), (), sources).prose == ""
    assert check(turned, (), sources).prose == ""
