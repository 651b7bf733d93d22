"""What newer questions are understood to ask: levels, repeats, descriptions, drift, patches."""

from __future__ import annotations

from typing import Any

import pytest

from tool_use_om.agent.offline.language.measures import Level, in_unit
from tool_use_om.agent.offline.language.parse import parse
from tool_use_om.agent.offline.model import plan_of

Cards = list[dict[str, Any]]


def last_run(question: str, cards: Cards) -> dict[str, Any]:
    """Return the arguments of the last run_task that is planned."""
    return [s.args for s in plan_of(question, cards)[1] if s.tool == "run_task"][-1]


def calls(question: str, cards: Cards) -> list[tuple[str, dict[str, Any]]]:
    return [(step.tool, step.args) for step in plan_of(question, cards)[1]]


@pytest.mark.parametrize(
    ("question", "threshold", "direction"),
    [
        ("What is the chance that accelerometer.x exceeds 2 in the next 5 seconds?", 2, "above"),
        ("How likely is it that accelerometer x falls below -1.5 within 5 s?", -1.5, "below"),
        ("Will accelerometer.x stay under 3 a.u. for the next 5 seconds?", 3, "above"),
        ("Will accelerometer.x remain above 1 in the next 5 s?", 1, "below"),
    ],
)
def test_level_becomes_a_threshold(
    question: str, threshold: float, direction: str, cards: Cards
) -> None:
    """A chance is that of crossing the level; to stay on one side is not to cross to the other."""
    args = last_run(question, cards)
    assert (args["threshold"], args["direction"]) == (threshold, direction)
    assert (args["horizon_s"], args["target_channels"]) == (5, ["accelerometer.x"])


@pytest.mark.parametrize(
    ("level", "unit", "value"),
    [
        (Level(2.0, "g", above=True), "m/s^2", 19.6133),
        (Level(500.0, "uV", above=True), "mV", 0.5),
        (Level(2.0, "", above=True), "degC", 2.0),
        (Level(30.0, "degC", above=True), "g", None),
    ],
)
def test_level_is_brought_to_the_unit_of_its_channel(
    level: Level, unit: str, value: float | None
) -> None:
    """Units of one kind are converted, a bare number is taken as it is, others are not guessed."""
    assert in_unit(level, unit) == value


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("What is the chance that accelerometer.x exceeds 2 g in the next 5 s?", "is in a.u."),
        ("Will the accelerometer exceed 3 in the next 2 seconds?", "one channel at a time"),
        ("Compare the mean of accelerometer and barometer", '"barometer"'),
        ("Find repeating patterns of accelerometer, barometer", '"barometer"'),
    ],
)
def test_what_cannot_be_is_refused_by_name(question: str, said: str, cards: Cards) -> None:
    """A level in another unit or on several channels, an unknown channel: each is said."""
    query, steps = plan_of(question, cards)
    assert not steps
    assert said in " ".join(query.refused)


def test_level_without_a_chance_is_not_understood(cards: Cards) -> None:
    """A level that no step can use is named, not dropped."""
    assert parse("Plot walking above 2 g", cards).not_understood == ("above 2 g",)


def test_repeats_are_sought_with_the_motif_head(cards: Cards) -> None:
    """What repeats, of which length and where, becomes a search with the head for it."""
    made = dict(calls("Find the top 3 repeated patterns of 2 seconds in gyroscope.x", cards))
    assert made["configure_tokenizer"] == {"window_s": 2}
    assert made["select_channels"] == {"channels": ["gyroscope.x"]}
    assert made["select_task_head"] == {"task": "retrieve", "head": "motif"}
    assert made["run_task"] == {"k": 3}


def test_description_is_told_apart_from_its_contrary(cards: Cards) -> None:
    """What windows are like becomes one description, with others that differ in one attribute."""
    args = last_run("Which windows are rhythmic at 1.5 to 2 Hz and vigorous?", cards)
    first, *others = args["descriptions"]
    assert first == {
        "name": "as described", "cadence_hz": [1.5, 2.0], "regularity": "strong",
        "intensity": "high",
    }  # fmt: skip
    names = {d["name"] for d in others}
    assert {"slower", "faster", "calm", "without rhythm"} <= names
    assert "vigorous" not in names


def test_described_activity_keeps_its_name(cards: Cards) -> None:
    """A label beside a rate names the description, so that labels can judge it."""
    args = last_run("Find windows that look like slow walking at 1.5 to 2 Hz", cards)
    assert args["target_label"] == args["descriptions"][0]["name"] == "walking"


def test_direction_of_a_channel_is_a_posture(cards: Cards) -> None:
    """A channel that points up is described by its share of the mean direction."""
    args = last_run("Find windows where the x axis of the accelerometer is pointing up", cards)
    assert args["descriptions"][0]["posture"] == {"accelerometer.x": 1.0}


@pytest.mark.parametrize(
    ("question", "option"),
    [
        ("Classify the activities; use MiniRocket if it is clearly better", {"allow_raw": True}),
        ("Find walking, and let hydra answer if it is better", {"allow_raw": True}),
        ("Forecast accelerometer.x for 2 s; use DLinear if it is better", {"allow_raw": True}),
        ("Classify the activities, calibrated label by label", {"class_conditional": True}),
        ("Classify the activities and abstain if more than 2 labels remain", {"max_set_size": 2}),
    ],
)
def test_how_to_run_becomes_an_argument_of_the_run(
    question: str, option: dict[str, Any], cards: Cards
) -> None:
    """What is said on fallbacks, sets and abstention reaches the one run it is about."""
    runs = [args for tool, args in calls(question, cards) if tool == "run_task"]
    assert len(runs) == 1
    assert option.items() <= runs[0].items()


@pytest.mark.parametrize(
    ("question", "settings"),
    [
        ("Use patches of 0.5 s", {"patch_s": 0.5}),
        ("Use patches of 0.5 s with a patch stride of 0.25 s",
         {"patch_s": 0.5, "patch_stride_s": 0.25}),
        ("Encode each modality at its own rate", {"fusion": "per_modality"}),
        ("Use super-patches of 60 s", {"super_s": 60}),
        ("Use a second resolution", {"resolutions": 2}),
        ("Use no context features", {"context_features": False}),
        ("Resample to 20 Hz", {"target_rate_hz": 20}),
    ],
)  # fmt: skip
def test_settings_of_patches_are_understood(
    question: str, settings: dict[str, Any], cards: Cards
) -> None:
    """Each setting of windows and patches can be said."""
    assert dict(calls(question, cards))["configure_tokenizer"] == settings


def test_overlap_takes_half_of_the_patch_that_came(cards: Cards) -> None:
    """Patches overlap by half of what the first configuration made them."""
    steps = plan_of("Find walking with overlapping patches", cards)[1]
    late = [s.late for s in steps if s.tool == "configure_tokenizer"]
    assert late == [{}, {"patch_stride_s": "half_patch"}]


@pytest.mark.parametrize(
    ("question", "budget"),
    [
        ("Which 3 windows should I label next?", 3),
        ("Ask me to label 3 windows", 3),
        ("Which windows should I label next?", 10),
    ],
)
def test_labels_are_asked_for_with_a_budget(question: str, budget: int, cards: Cards) -> None:
    """Who asks what to label is asked about so many windows."""
    assert calls(question, cards)[-1] == ("request_labels", {"budget": budget})


def test_adapter_is_named_whole(cards: Cards) -> None:
    """A tokenizer with an adapter is one name; a plus between other words is none."""
    (ask,) = parse("Use the moment-tiny+home tokenizer", cards).asks
    assert ask.tokenizer == "moment-tiny+home"
    assert parse("What is the mean of acc+gyro?", cards).asks[0].channels == (
        "accelerometer", "gyroscope",
    )  # fmt: skip


def test_sensor_that_clips_is_a_fault_and_a_clip_a_recording(cards: Cards) -> None:
    """The word after a channel is a verb, elsewhere a noun."""
    (ask,) = parse("Does the accelerometer clip?", cards).asks
    assert (ask.kind, ask.faults, ask.channels) == ("check", ("clipping",), ("accelerometer",))
    assert parse("Plot clip bm-test-003", cards).asks[0].kind == "plot"


def test_word_that_several_modalities_share_means_all_of_them(cards: Cards) -> None:
    """Four leads are all ECG: none is taken in silence for the others."""
    leads = [{"id": f"ecg_{name}.v", "unit": "mV", "rate_hz": 100.0} for name in "abcd"]
    card = {**cards[0], "channels": [*cards[0]["channels"], *leads]}
    (ask,) = parse("What is the mean of the ECG?", [card]).asks
    assert ask.channels == ("ecg_a", "ecg_b", "ecg_c", "ecg_d")
    (one,) = parse("What is the mean of ecg_b?", [card]).asks
    assert one.channels == ("ecg_b",)


def test_drift_is_tested_by_a_run_on_all_sessions(cards: Cards) -> None:
    """A question on drift narrows nothing: the splits are what is compared."""
    made = calls("Has the data drifted between training and test?", cards)
    assert "filter_by_time" not in dict(made)
    assert made[-1] == ("run_task", {})
