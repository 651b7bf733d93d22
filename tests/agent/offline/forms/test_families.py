"""How chances, repeats, descriptions, drift, fallbacks and reasons are told, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tool_use_om.agent.offline.answer import told as rendered
from tool_use_om.agent.offline.language.parse import parse
from tool_use_om.agent.offline.model import plan_of
from tool_use_om.agent.verify.check import Checked

EVENT = {
    "channel": "resource.memory", "threshold": 50.0, "unit": "%", "direction": "above",
    "horizon_s": 3600.0, "probability": 0.11098, "probability_not": 0.88902, "base_rate": 0.15652,
    "brier": {"value": 0.07351, "lower": 0.03862, "upper": 0.10238, "n": 230},
    "brier_of_base_rate": 0.13231, "skill": 0.44,
    "reliability": [{"probability": 0.02, "came": 0.01, "n": 200}], "n_paths": 49,
}  # fmt: skip
FORECAST = {
    "task": "forecast", "horizon_s": 3600.0, "channels": ["resource.memory"],
    "judged_on": {"split": "test", "n_sessions": 6, "n_windows": 230},
    "metrics": {"mae": {"value": 2.49, "unit": "%", "baseline": 1.87, "lower": 1.88, "upper": 3.0}},
    "beats_baseline": False, "coverage": {"nominal": 0.9, "empirical": 0.942},
    "event": EVENT, "n_forecasts": 6,
    "forecasts": [
        {"session_id": "machine-10-a", "channel": "resource.memory", "unit": "%",
         "start_s": 165600.0, "end_s": 169200.0, "mean": 28.4, "lower": 0.486, "upper": 63.1,
         "probability": 0.2449},
        {"session_id": "machine-11-a", "channel": "resource.memory", "unit": "%",
         "start_s": 165600.0, "end_s": 169200.0, "mean": 24.9, "lower": 21.6, "upper": 28.9,
         "probability": 0.02041},
    ],
}  # fmt: skip
MOTIFS = {
    "task": "retrieve", "head": "motif", "length_s": 2.0, "channels": ["gyroscope.x"],
    "n_searched": {"sessions": 80},
    "motifs": [
        {"distance": distance,
         "first": {"session_id": "bm-test-026", "start_s": at, "end_s": at + 2, "label": "walking"},
         "second": {"session_id": other, "start_s": 5.4, "end_s": 7.4, "label": "walking"}}
        for distance, at, other in ((1.12, 4.3, "bm-train-020"), (1.39, 0.5, "bm-test-026"))
    ],
}  # fmt: skip
DESCRIBED = {
    "task": "classify", "head": "attributes", "described": ["walking", "slower", "faster"],
    "n_windows": 160, "n_sessions": 40, "found": {"slower": 133, "walking": 27}, "fits": 1.0,
    "metrics": {"accuracy": {"value": 0.0, "lower": 0.0, "upper": 0.278, "n": 40}},
    "target_label": "walking",
    "matching": {"n_windows": 2, "n_sessions": 2, "n_labelled": 40, "labelled_found_frac": 0.0,
                 "found_labelled_frac": 0.0, "labelled_cadence_hz": 0.754312},
    "closest": [
        {"session_id": "bm-test-017", "start_s": 6.0, "end_s": 10.0, "matches": True, "score": 0.0,
         "cadence_hz": 1.61, "regularity": 0.758},
        {"session_id": "bm-test-018", "start_s": 0.0, "end_s": 4.0, "matches": False,
         "score": -0.5, "cadence_hz": 1.23, "regularity": 0.773},
    ],
    "segments": [],
}  # fmt: skip
SLOW = {"name": "walking", "cadence_hz": [1.5, 2.0], "intensity": "low"}
DRIFT = {"task": "classify", "drift": {"between": ["calibration", "test"], "p_value": 0.005,
         "drifted": True, "distance": 0.4, "n_sessions": [16, 40]}}  # fmt: skip
CLASSIFIED = {
    "task": "classify", "head": "prototypes", "n_segments": 40,
    "judged_on": {"split": "test", "n_sessions": 40},
    "metrics": {"accuracy": {"value": 0.9875, "lower": 0.912, "upper": 1.0, "n": 160}},
    "coverage": {"nominal": 0.9, "empirical": 0.925, "lower": 0.801, "upper": 0.974,
                 "empty_frac": 0.075},
    "abstention": {"max_set_size": 1, "abstained_frac": 0.075, "n_answered": 148,
                   "accuracy_answered": {"value": 0.993, "lower": 0.97, "upper": 1.0, "n": 148}},
}  # fmt: skip
GATE = {
    "metric": "accuracy", "answered_by": "prototypes",
    "rows": [
        {"model": model, "kind": kind, "folds": {"value": fold, "lower": 0.94, "upper": 1.0},
         "test": {"value": 1.0}, "memory_mb": memory}
        for model, kind, fold, memory in (
            ("minirocket", "raw", 0.9979, 0.48), ("prototypes", "tokens", 0.979, 8.62))
    ],
}  # fmt: skip
WHY = {
    "task": "classify", "target_label": "walking",
    "faithfulness": {"faithful": False, "salient_drop": 0.0143, "random_drop": 0.00678,
                     "difference": {"value": 0.00747, "lower": -0.00316, "upper": 0.0192},
                     "n_sessions": 10},
    "what_would_change": {"session_id": "bm-train-002", "start_s": 4.0, "end_s": 8.0,
                          "distance": 11.0, "label": "standing", "times_farther": 1.609},
}  # fmt: skip


CARD = {
    "name": "homes",
    "channels": [
        {"id": i, "unit": unit, "rate_hz": 10.0}
        for i, unit in (("resource.memory", "%"), ("gyroscope.x", "a.u."))
    ],
    "labels": {"activity": ["standing", "walking"]},
}


def told(
    question: str, content: Mapping[str, Any], tool: str = "run_task", **args: Any
) -> tuple[str, Checked]:
    """Return the answer on one result, and what the check says of it."""
    content = {k: v for k, v in content.items() if k != "timing"}
    results = [{"result_id": "r-000000000001", "tool": tool, "args": args, "content": content}]
    understood = parse(question, [CARD]).to_json()
    checked = rendered({"question": question, "results": results, "understood": understood})
    return checked.prose, checked


def test_a_chance_is_told_with_its_level_in_the_channels_unit() -> None:
    """The level has the channel's unit, chance and scores are shares, and all of it is checked."""
    prose, checked = told("What is the chance that memory exceeds 50 % in the next hour?", FORECAST)
    assert checked.ok, checked.rejected
    assert prose.startswith(
        "**The chance that `resource.memory` rises above 50 % within the next 1 h is 11.1 %, "
        "averaged over 6 held-out sessions.**"
    )
    assert "| `machine-10-a` | 24.5 |" in prose
    assert "scores 0.132" in prose


def test_staying_below_has_the_chance_of_not_reaching_the_level() -> None:
    """Who asks what stays below hears that chance first, then its counterpart."""
    prose, checked = told("Will the memory stay below 50 % in the next hour?", FORECAST)
    assert checked.ok, checked.rejected
    assert "stays below 50 % for the next 1 h is 88.9 %" in prose.splitlines()[0]
    assert "reaches the level at least once is 11.1 %" in prose


def test_a_mean_chance_says_when_only_the_first_sessions_were_forecast() -> None:
    """A mean over some of the held-out sessions is not told as one over all."""
    more = {**FORECAST, "judged_on": {"split": "test", "n_sessions": 40}}
    prose, checked = told("How likely does memory exceed 50 % in the next hour?", more)
    assert checked.ok, checked.rejected
    assert "averaged over the first 6 of 40 held-out sessions" in prose


@pytest.mark.parametrize(("asked_s", "said"), [(2, False), (2.04, True)])
def test_repeats_are_told_with_their_length(asked_s: float, said: bool) -> None:
    """Pairs with where they lie; a length that had to be changed is said to be the nearest."""
    question = f"Find repeated patterns of {asked_s} seconds in gyroscope.x"
    prose, checked = told(question, MOTIFS)
    assert checked.ok, checked.rejected
    assert "2 s long, is `bm-test-026` from 4.3 s to 6.3 s" in prose
    assert ("closest to what you asked for" in prose) is said


def test_a_description_is_told_by_the_windows_that_match_it() -> None:
    """Windows inside every band count, with what was measured of them; labels judge apart."""
    question = "Find windows that look like slow walking at 1.5 to 2 Hz"
    prose, checked = told(question, DESCRIBED, descriptions=[SLOW])
    assert checked.ok, checked.rejected
    assert prose.startswith("**2 of the 160 windows of 40 sessions fit walking as described.**")
    assert "repeating at 1.5 Hz to 2 Hz, calm" in prose
    assert "| `bm-test-017` | 6 | 10 | 1.61 | 0.758 |" in prose
    assert "bm-test-018" not in prose
    assert "labelled walking repeat at 0.754 Hz" in prose


def test_a_description_nothing_matches_shows_what_is_nearest() -> None:
    """None found is said first; the nearest windows are named as that, not as found."""
    none = {**DESCRIBED["matching"], "n_windows": 0, "found_labelled_frac": None}  # type: ignore[dict-item]  # a mapping, as written above
    rows = [{**row, "matches": False} for row in DESCRIBED["closest"]]  # type: ignore[attr-defined]  # rows, as written above
    prose, checked = told(
        "Which windows repeat at 1.5 to 2 Hz?", {**DESCRIBED, "matching": none, "closest": rows},
        descriptions=[SLOW],
    )  # fmt: skip
    assert checked.ok, checked.rejected
    assert prose.startswith("**None of the 160 windows")
    assert "**Nearest to it**" in prose
    assert "Of the windows that fit" not in prose


def test_drift_is_told_with_what_was_compared() -> None:
    """Which parts, how many sessions of each, and the p-value."""
    prose, checked = told("Has the data drifted between training and test?", DRIFT)
    assert checked.ok, checked.rejected
    lead = "**Yes, the data have drifted between the 16 calibration and the 40 test sessions"
    assert prose.startswith(f"{lead} (p = 0.005).**")


def test_abstention_is_in_the_headline_where_it_is_asked_for() -> None:
    """How much is left open, and how right the rest is; not the accuracy of naming everything."""
    prose, checked = told("Classify the activities and abstain when unsure", CLASSIFIED)
    assert checked.ok, checked.rejected
    assert prose.startswith("**7.5 % of the held-out windows are left open, and 99.3")
    assert "Not understood" not in prose


@pytest.mark.parametrize(
    ("empty", "why"),
    [
        (0.0, "more than 1 activity remains possible"),
        (0.075, "because no activity is likely enough"),
        (0.025, "no activity is likely enough (2.5 %) or more than 1 remains possible"),
    ],
)
def test_abstention_says_whether_too_few_or_too_many_remain(empty: float, why: str) -> None:
    """An empty set and one of several activities are both left open, for different reasons."""
    coverage = {**CLASSIFIED["coverage"], "empty_frac": empty}  # type: ignore[dict-item]  # a mapping
    prose, checked = told("Classify the activities", {**CLASSIFIED, "coverage": coverage})
    assert checked.ok, checked.rejected
    assert why in prose


def test_the_gate_is_told_as_a_table_of_candidates() -> None:
    """Who answers, with what each reached and weighs."""
    question = "Classify the activities; use MiniRocket if it is clearly better"
    prose, checked = told(question, {**CLASSIFIED, "gate": GATE})
    assert checked.ok, checked.rejected
    assert "`prototypes` answered; that was decided on the training sessions:" in prose
    assert "| `minirocket` | 99.8 | 94 to 100 | 100 | 0.48 |" in prose


@pytest.mark.parametrize(
    ("question", "first", "not_said"),
    [
        ("Is the explanation for walking faithful?", "The explanation is not shown to be faithful",
         "nearest other answer"),
        ("What would change the answer for walking?", "The closest other answer is standing",
         "faithful"),
    ],
)  # fmt: skip
def test_why_answers_what_was_asked(question: str, first: str, not_said: str) -> None:
    """Whether an explanation holds and what would change it are two questions."""
    prose, checked = told(question, WHY, tool="interpret_results")
    assert checked.ok, checked.rejected
    assert prose.startswith(f"**{first}")
    assert not_said not in prose


def test_requested_labels_are_told_window_by_window() -> None:
    """Which windows are worth a label is said, whether or not a person gave one."""
    window = {"session_id": "bm-train-002", "start_s": 0.0, "end_s": 4.0, "suggested": "standing"}
    asked = {
        "label_set": "activity", "n_asked": 2, "n_given": 1, "n_without_label": 0,
        "n_agreeing": 1, "labels": {"bm-train-002@0": "standing"},
        "windows": [{**window, "given": "standing"},
                    {**window, "session_id": "bm-train-023", "given": None}],
    }  # fmt: skip
    question = "Which 2 windows should I label next?"
    prose, checked = told(question, asked, tool="request_labels", budget=2)
    assert checked.ok, checked.rejected
    assert "| `bm-train-002` | 0 | 4 | standing | standing |" in prose
    assert "| `bm-train-023` | 0 | 4 | standing | skipped |" in prose
    assert "already has a label" in prose


def test_settings_of_an_earlier_clause_hold_for_the_run(cards: list[dict[str, Any]]) -> None:
    """Windows, patches and encoder named first are those that the next clause works with."""
    _, steps = plan_of("Use patches of 0.5 s and classify the activities", cards)
    configured = [step.args for step in steps if step.tool == "configure_tokenizer"]
    assert configured
    assert all(args == {"patch_s": 0.5} for args in configured)


def test_a_level_of_an_unknown_channel_names_the_channels(cards: list[dict[str, Any]]) -> None:
    """The channel that is not there is the reason, not how many others there are."""
    query, _ = plan_of("Will the temperature stay below 30 degC in the next hour?", cards)
    assert len(query.refused) == 1
    assert 'no channel "temperature"' in query.refused[0]
