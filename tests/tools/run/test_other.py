"""Searching, ranking, checking, comparing and asking, on the real sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.tools.call.context import ToolContext


def test_search_finds_the_same_activity_elsewhere(call: Any) -> None:
    """Stretches like two seconds of walking are walking, nearest first, never the query itself."""
    call("select_task_head", task="retrieve")
    content = call("run_task", query_session="test 23", query_start_s=3, query_end_s=5, k=4)
    assert content["query"] == {"session_id": "bm-test-023", "start_s": 3.0, "end_s": 5.0}
    rows = content["neighbours"]
    assert len(rows) == 4
    assert [r["distance"] for r in rows] == sorted(r["distance"] for r in rows)
    assert all(r["end_s"] - r["start_s"] == pytest.approx(2.0) for r in rows)
    assert not any(r["session_id"] == "bm-test-023" and 1 < r["start_s"] < 5 for r in rows)
    assert sum(r["label"] == "walking" for r in rows) >= 3
    assert call("interpret_results")["most_common_label"] == "walking"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"query_session": "test 23", "query_end_s": 50}, "0 to 10 s.*got 0 to 50 s"),
        ({"query_session": "test 23", "query_end_s": 0.3}, "at least one patch, 0.8 s"),
        ({}, "Give query_session"),
    ],
)
def test_search_refuses_a_query_that_cannot_be(
    call: Any, args: dict[str, Any], message: str
) -> None:
    """A query outside its session, or too short to encode, says the valid range."""
    call("select_task_head", task="retrieve")
    with pytest.raises(DataError, match=message):
        call("run_task", **args)


def test_ranking_names_the_session_least_like_the_others(call: Any) -> None:
    """The most unlike session has the largest distance, the most typical the smallest."""
    call("select_task_head", task="retrieve")
    content = call("run_task", target_label="walking")
    distances = [r["distance"] for r in content["ranking"]]
    assert content["n_sessions"] == 20
    assert content["most_unlike"]["distance"] == max(distances)
    assert content["most_typical"]["distance"] <= min(distances)
    reasons = call("interpret_results")["set_apart_by"]
    assert abs(reasons[0]["z"]) >= abs(reasons[-1]["z"]) > 0


def test_anomaly_scores_every_window_against_other_sessions(call: Any) -> None:
    """The strangest window comes first, and the threshold's coverage is measured."""
    call("select_task_head", task="anomaly")
    content = call("run_task", query_session="test 0")
    scores = [w["score"] for w in content["windows"]]
    assert scores == sorted(scores, reverse=True)
    assert content["n_unusual"] == sum(s > content["threshold"] for s in scores)
    assert content["coverage"]["measured_on"] == "test"
    assert 0.7 < content["coverage"]["empirical"] <= 1.0
    assert call("interpret_results")["start_s"] == content["most_unusual"]["start_s"]


def test_compare_heads_draws_few_labels_repeatedly(call: Any) -> None:
    """Heads see the same draws; the best is clear only if the interval leaves out zero."""
    call("select_task_head", task="classify")
    content = call("compare_heads", heads=["prototypes", "knn"], labels_per_class=2, repeats=3)
    assert content["repeats"] == 3
    assert content["judged_on"]["n_sessions"] == 40  # a session is a case, whatever its windows
    first, second = content["rows"]
    assert first["accuracy"]["value"] >= second["accuracy"]["value"] > content["chance"]["accuracy"]
    gap = content["difference"]
    assert gap["value"] == pytest.approx(
        first["accuracy"]["value"] - second["accuracy"]["value"], abs=1e-5
    )
    assert gap["clear"] == (gap["lower"] > 0 or gap["upper"] < 0)


def test_compare_heads_ranks_forecasters_by_error(call: Any) -> None:
    """Forecast heads are judged on the same held-out futures, the smallest error first."""
    call("select_task_head", task="forecast")
    call("filter_by_time", labels=["walking"])
    content = call("compare_heads", heads=["latent_ssm", "seasonal_naive"])
    errors = [row["mae"]["value"] for row in content["rows"]]
    assert errors == sorted(errors)
    assert content["label"] == "walking"


def test_compare_heads_needs_two(call: Any) -> None:
    """One head cannot be compared."""
    with pytest.raises(DataError, match="needs two heads"):
        call("compare_heads", heads=["knn"])


def test_run_task_asks_for_a_task_first(call: Any) -> None:
    """Without a task the error names the call to make."""
    with pytest.raises(DataError, match="select_task_head"):
        call("run_task")


def test_interpret_needs_a_run(call: Any) -> None:
    """There is nothing to explain before a run, nor in another tool's result."""
    with pytest.raises(DataError, match="Call run_task first"):
        call("interpret_results")
    other = call("select_channels", channels=["acc"])["result_id"]
    with pytest.raises(DataError, match="only run_task results"):
        call("interpret_results", result_id=other)


def test_request_labels_keeps_what_a_person_says(call: Any, ctx: ToolContext) -> None:
    """The least certain training windows are asked about, and the answers are used afterwards."""
    asked: list[dict[str, Any]] = []

    def person(question: dict[str, Any]) -> Mapping[str, str]:
        asked.append(question)
        return {question["windows"][0]["window_id"]: "Walk"}

    call.ctx = replace(ctx, ask=person)
    content = call("request_labels", budget=3)
    assert content["n_asked"] == 3
    assert len({w["session_id"] for w in asked[0]["windows"]}) == 3
    assert all(w["session_id"].startswith("bm-train-") for w in asked[0]["windows"])
    assert list(content["labels"].values()) == ["walking"]
    assert call.working_set.given_labels == content["result_id"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("walking", DataError),
        ({"no-such-window": "walking"}, NotFoundError),
        ({"bm-train-000@0": "flying"}, NotFoundError),
    ],
)
def test_request_labels_refuses_an_answer_that_does_not_fit(
    call: Any, ctx: ToolContext, answer: Any, error: type[Exception]
) -> None:
    """An answer must map asked windows to known labels."""
    call.ctx = replace(ctx, ask=lambda _: answer)
    with pytest.raises(error):
        call("request_labels", budget=24)


def test_request_labels_says_so_when_nobody_can_be_asked(call: Any) -> None:
    """Outside a graph there is no person to ask."""
    with pytest.raises(DataError, match="Run it inside a graph"):
        call("request_labels", budget=1)


def test_configure_head_refuses_an_unknown_setting(call: Any) -> None:
    """Settings are the head's own, and limits are told."""
    call("select_task_head", task="classify", head="knn")
    with pytest.raises(NotFoundError, match=r"Did you mean 'k'|Valid: .*k"):
        call("configure_head", params={"kk": 3})
    with pytest.raises(DataError, match="whole number from 1 to 100"):
        call("configure_head", params={"k": 0})
    assert call("configure_head", params={"k": 3})["params"]["k"] == 3


def test_configure_tokenizer_refuses_a_window_it_cannot_hold(call: Any) -> None:
    """A window longer than every session says the valid range."""
    with pytest.raises(DataError, match=r"`window_s` must be in \[0.8, 10\] s.*got 40"):
        call("configure_tokenizer", window_s=40)


def test_select_tokenizer_refuses_weights_that_are_not_here(call: Any) -> None:
    """A tokenizer whose weights are missing is refused before anything is downloaded."""
    with pytest.raises(DataError, match=r"AutonLab/MOMENT-1-large.*not on this machine"):
        call("select_tokenizer", tokenizer="moment large")


def test_select_channels_for_encoding_takes_modalities_in_turn(call: Any) -> None:
    """With room for two, each modality keeps its liveliest channel."""
    content = call("select_channels_for_encoding", max_channels=2)
    assert {c.partition(".")[0] for c in content["channels"]} == {"accelerometer", "gyroscope"}
    assert len(content["dropped"]) == 4
