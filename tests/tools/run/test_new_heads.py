"""Events, described activities, motifs and the other anomaly head, on the real sample."""

from __future__ import annotations

from typing import Any

import pytest

from tool_use_om.data.errors import DataError

DESCRIPTIONS = [
    {"name": "standing", "intensity": "still"},
    {"name": "walking", "cadence_hz": [0.7, 2.2], "intensity": "medium", "regularity": "strong"},
    {"name": "running", "cadence_hz": [1.2, 3.5], "intensity": "high", "regularity": "strong"},
]


def test_forecast_says_how_likely_a_threshold_is_reached(call: Any) -> None:
    """Each stretch has its probability; how good they are is measured on held-out windows."""
    call("select_task_head", task="forecast")
    content = call(
        "run_task", target_channels=["accelerometer.x"], horizon_s=5, threshold=5, direction="above"
    )
    event = content["event"]
    chances = [row["probability"] for row in content["forecasts"]]
    assert all(0 < p < 1 for p in [*chances, event["probability"]])
    assert (event["threshold"], event["unit"], event["horizon_s"]) == (5, "a.u.", 5)
    assert 0 < event["base_rate"] < 1
    assert event["brier"]["value"] < event["brier_of_base_rate"]
    assert sum(part["n"] for part in event["reliability"]) == event["brier"]["n"]


def test_forecast_refuses_a_threshold_on_several_channels(call: Any) -> None:
    """One level means one channel."""
    call("select_task_head", task="forecast")
    with pytest.raises(DataError, match="Name one in target_channels"):
        call("run_task", target_channels=["accelerometer"], horizon_s=5, threshold=5)


def test_described_activities_are_found_without_labels(call: Any) -> None:
    """Three described activities are told apart; labels of the same names only judge."""
    call("select_channels", channels=["accelerometer"])
    call("select_task_head", task="classify")
    content = call("run_task", descriptions=DESCRIPTIONS)
    assert content["described"] == ["standing", "walking", "running"]
    assert content["metrics"]["accuracy"]["value"] > 0.8
    assert {row["label"] for row in content["confusion"]} == {"standing", "walking", "running"}
    assert sum(content["found"].values()) == content["n_windows"]


def test_described_activities_have_no_accuracy_where_no_label_bears_their_name(call: Any) -> None:
    """What nobody labelled is found all the same, and nothing is claimed of how well."""
    call("select_task_head", task="classify")
    renamed = [{**d, "name": d["name"] + " about"} for d in DESCRIPTIONS]
    content = call("run_task", descriptions=renamed, sessions=["test 0"])
    assert content["metrics"] is None
    assert content["n_sessions"] == 1


@pytest.mark.parametrize(
    "bad",
    [
        [DESCRIPTIONS[0]],
        [DESCRIPTIONS[0], {"name": "nothing"}],
        [DESCRIPTIONS[0], {"name": "x", "cadence_hz": [3, 1]}],
        [DESCRIPTIONS[0], DESCRIPTIONS[0]],
        [DESCRIPTIONS[0], {"name": "x", "posture": {"accelerometer.w": 1}}],
    ],
)
def test_descriptions_that_cannot_be_used_are_refused(call: Any, bad: list[Any]) -> None:
    """One alone, nothing measurable, a band upside down, a name twice, an unknown channel."""
    call("select_task_head", task="classify")
    with pytest.raises(Exception, match=r"descri|cadence|different names|accelerometer"):
        call("run_task", descriptions=bad)


def test_descriptions_are_for_classification(call: Any) -> None:
    """Another task does not silently ignore them."""
    call("select_task_head", task="anomaly")
    with pytest.raises(DataError, match="classify"):
        call("run_task", descriptions=DESCRIPTIONS)


def test_motif_finds_what_recurs_in_the_selected_sessions(call: Any) -> None:
    """Pairs come nearest first, last the window's seconds, and lie inside selected sessions."""
    call("configure_tokenizer", window_s=2.4)
    call("select_task_head", task="retrieve", head="motif")
    content = call("run_task", sessions=["test 23", "test 24"], k=2)
    distances = [row["distance"] for row in content["motifs"]]
    assert distances == sorted(distances)
    for row in content["motifs"]:
        for side in ("first", "second"):
            assert row[side]["session_id"] in {"bm-test-023", "bm-test-024"}
            assert row[side]["end_s"] - row[side]["start_s"] == pytest.approx(content["length_s"])


def test_motif_keeps_the_length_asked_for_to_the_sample(call: Any) -> None:
    """Two seconds stay two seconds, though a patch covers 0.8 s."""
    call("configure_tokenizer", window_s=2)
    call("select_task_head", task="retrieve", head="motif")
    content = call("run_task", sessions=["test 23", "test 24"], k=1)
    assert content["length_s"] == 2.0
    first = content["motifs"][0]["first"]
    assert first["end_s"] - first["start_s"] == pytest.approx(2.0)


def test_a_described_activity_matches_windows_inside_every_band(call: Any) -> None:
    """What matches does not hang on what else is described; the closest are ranked by it."""
    call("select_channels", channels=["accelerometer"])
    call("select_task_head", task="classify")
    walk = {"name": "walking", "cadence_hz": [0.6, 0.9]}
    one = call("run_task", descriptions=[walk, DESCRIPTIONS[0]], target_label="walking")
    two = call("run_task", descriptions=[walk, *DESCRIPTIONS[::2]], target_label="walking")
    assert one["matching"] == two["matching"]
    assert one["matching"]["labelled_found_frac"] > 0.8
    for row in one["closest"]:
        assert row["matches"] == (0.6 <= row["cadence_hz"] <= 0.9)


def test_motif_says_when_nothing_can_come_twice(call: Any) -> None:
    """One session hardly longer than the motif holds no pair."""
    call("configure_tokenizer", window_s=8)
    call("select_task_head", task="retrieve", head="motif")
    with pytest.raises(DataError, match="comes twice"):
        call("run_task", sessions=["test 23"])


def test_reconstruction_checks_a_session(call: Any) -> None:
    """The other anomaly head runs by the same call, with its threshold's coverage measured."""
    call("select_task_head", task="anomaly", head="reconstruction")
    content = call("run_task", query_session="test 0")
    assert content["head"] == "reconstruction"
    assert content["coverage"]["measured_on"] == "test"
    assert 0.7 < content["coverage"]["empirical"] <= 1.0
