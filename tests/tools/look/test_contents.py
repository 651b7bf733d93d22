"""What sessions hold, from the index: labels in time, holes between them, people, lengths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import Channel, Modality
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet

LENGTHS = {"a": 10.0, "b": 20.0, "c": 20.0}
LABELS = {
    "a": [(0.0, 4.0, "walk", "act"), (3.0, 6.0, "walk", "act"), (8.0, 10.0, "run", "act")],
    "b": [(0.0, 20.0, "walk", "act"), (5.0, 6.0, "beep", "event")],
    "c": [],
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace.at(tmp_path_factory.mktemp("contents"))
    modality = Modality(name="m", rate_hz=10.0, channels=(Channel(name="x", unit="g"),))
    with DataSetWriter(
        workspace.folder("datasets") / "held", name="held", title="Held", licence="none",
        source="a test", synthetic=True, modalities=(modality,), split_rule="by subject",
        debug=False,
    ) as writer:  # fmt: skip
        for name, length in LENGTHS.items():
            n = round(length * 10)
            writer.add_session(
                name, subject_id="p1" if name == "a" else "p2", split="train",
                signals={"m": (np.arange(n) / 10, np.zeros((n, 1)))}, labels=LABELS[name],
            )  # fmt: skip
    return workspace


@pytest.fixture
def ask(place: Workspace, new_call: Callable[[ToolContext], Any]) -> Any:
    session = new_call(ToolContext(workspace=place))
    session.working_set = WorkingSet(dataset="held")
    return session


def test_time_under_a_label_counts_an_overlap_once(ask: Any) -> None:
    """By hand: walk is 0-6 s of a and all of b, 26 of 50 s; run 2 s of a."""
    rows = {r["label"]: r for r in ask("show_session_stats")["labels"]}
    assert rows["walk"]["total_s"] == pytest.approx(26.0)
    assert rows["walk"]["time_frac"] == pytest.approx(26 / 50)
    assert (rows["walk"]["n_sessions"], rows["walk"]["n_stretches"]) == (2, 3)
    assert rows["run"]["total_s"] == pytest.approx(2.0)


def test_what_has_no_label_is_found_in_the_set_that_covers_most(ask: Any) -> None:
    """6-8 s of a and all of c; the beep of another set fills no hole."""
    told = ask("show_session_stats")["unlabelled"]
    assert told["total_s"] == pytest.approx(22.0)
    assert (told["n_parts"], told["n_sessions"]) == (2, 1)
    assert [(p["session_id"], p["start_s"], p["end_s"]) for p in told["parts"]] == [
        ("c", 0.0, 20.0), ("a", 6.0, 8.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("at_s", "held", "n"),
    [(0.0, {"a": ["walk"], "b": ["walk"], "c": []}, 3), (7.0, {"a": [], "b": ["walk"]}, 3),
     (5.5, {"b": ["walk", "beep"]}, 3), (15.0, {"b": ["walk"], "c": []}, 2)],
)  # fmt: skip
def test_labels_at_a_second_are_those_that_hold_then(
    ask: Any, at_s: float, held: dict[str, list[str]], n: int
) -> None:
    """A session that has ended is not told of; two that overlap are both told."""
    told = ask("show_session_stats", at_s=at_s)["at"]
    found = {row["session_id"]: row["labels"] for row in told["sessions"]}
    assert told["n_sessions"] == n
    for session, labels in held.items():
        assert sorted(found[session]) == sorted(labels)


def test_a_second_past_the_end_of_all_is_refused(ask: Any) -> None:
    """The error says how long they are."""
    with pytest.raises(DataError, match="end by 20 s"):
        ask("show_session_stats", at_s=21.0)


def test_the_longest_and_the_shortest_are_named_with_how_many_are_alike(ask: Any) -> None:
    """Two sessions of 20 s; one of 10."""
    told = ask("show_session_stats")
    assert told["longest"]["duration_s"] == pytest.approx(20.0)
    assert told["longest"]["n"] == 2
    assert told["shortest"] == {"session_id": "a", "duration_s": pytest.approx(10.0), "n": 1}


def test_people_have_their_sessions_and_time(ask: Any) -> None:
    """Two people, one with two sessions."""
    rows = {r["subject"]: r for r in ask("show_session_stats")["subjects"]}
    assert (rows["p2"]["n_sessions"], rows["p2"]["total_s"]) == (2, pytest.approx(40.0))
    assert rows["p1"]["sessions"] == ["a"]


def test_nothing_undated_has_dates(ask: Any) -> None:
    """No moment is made up."""
    assert "dates" not in ask("show_session_stats")
