"""What is judged, and what is learned from: units of windows, few labels, rare ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.format.schema import Channel, Modality
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.tokenizers.tokens import Tokens
from tool_use_om.tools.run.classify.cases import Units, is_by_session
from tool_use_om.tools.run.classify.labelled import Labelled, few_labels, rare_labels
from tool_use_om.tools.run.classify.stretches import Predicted, found_sessions


def labelled(sessions: str, labels: str) -> Labelled:
    """Return windows of 2 s: a letter each for its session and its label, "-" for none."""
    n = len(sessions)
    start = np.arange(n) * 2.0
    tokens = Tokens(
        values=np.zeros((n, 1, 1, 2), np.float32), mask=np.ones((n, 1, 1), bool),
        start_s=start[:, None], patch_s=2.0, channels=("a.x",), session_ids=tuple(sessions),
        window_start_s=start, window_s=2.0, context=np.zeros((n, 1, 0), np.float32),
        context_names=(),
    )  # fmt: skip
    y = np.array([None if c == "-" else c for c in labels], dtype=object)
    return Labelled(tokens=tokens, y=y, groups=np.array(list(sessions)))


def test_units_are_sessions_in_the_order_they_come() -> None:
    """Whatever their names; each knows its first row and all of its rows."""
    units = Units.of(labelled("bbaca", "wwwww"), by_session=True)
    assert units.place.tolist() == [0, 0, 1, 2, 1]
    assert units.first.tolist() == [0, 2, 3]
    assert units.rows(np.array([1, 2])).tolist() == [2, 3, 4]
    assert len(units) == 3


def test_units_of_windows_are_themselves() -> None:
    """Nothing is combined where windows are judged."""
    units = Units.of(labelled("bba", "wrw"), by_session=False)
    votes = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]])
    assert units.mean(votes) == pytest.approx(votes)


def test_votes_of_a_session_are_combined_by_their_mean() -> None:
    """By hand: (0.9 + 0.2) / 2 for b, 0.5 for a."""
    units = Units.of(labelled("bba", "www"), by_session=True)
    assert units.mean(np.array([[0.9], [0.2], [0.5]])) == pytest.approx(np.array([[0.55], [0.5]]))


def test_known_and_unknown_part_the_windows() -> None:
    """Each window is in one of them, in order."""
    data = labelled("aabb", "w-r-")
    assert data.known().tokens.window_start_s.tolist() == [0.0, 4.0]
    assert data.unknown().tokens.window_start_s.tolist() == [2.0, 6.0]


def test_a_forgotten_label_leaves_its_windows() -> None:
    """They stay, without a label; to leave the windows out is another thing."""
    data = labelled("aab", "wrw")
    assert list(data.forgetting(["w"]).y) == [None, "r", None]
    assert len(data.without("w")) == 1


@pytest.mark.parametrize("per_class", [1, 2, 3])
def test_few_labels_are_sessions_drawn_for_each_label(per_class: int) -> None:
    """As many sessions a label, all windows of it in them, and the same draw for a seed."""
    data = labelled("aabbccddee", "wrwrwrwrww")
    few = few_labels(data, per_class, (0, per_class))
    for label in "wr":
        own = few.sessions[few.y == label]
        assert len(set(own)) == min(per_class, {"w": 5, "r": 4}[label])
    again = few_labels(data, per_class, (0, per_class))
    assert few.tokens.session_ids == again.tokens.session_ids


def test_rare_labels_are_counted_in_sessions() -> None:
    """Ten windows of one session are one session."""
    data = labelled("aaaaabc", "rrrrrww")
    assert rare_labels(data, 2) == {"r": 1}
    assert rare_labels(data, 1) == {}


def test_found_sessions_are_whole_and_surest_first() -> None:
    """Of the wanted labels only; the set says whether the label is in it."""
    predicted = Predicted(
        classes=("r", "w"), label=np.array(["w", "r", "w"]),
        proba=np.array([[0.4, 0.6], [0.9, 0.1], [0.1, 0.9]]), sets=[{"w", "r"}, {"r"}, {"r"}],
    )  # fmt: skip
    rows = found_sessions(["a", "b", "c"], [5.0, 6.0, 7.0], predicted, ["w"])
    assert [(r["session_id"], r["end_s"], r["in_prediction_set"]) for r in rows] == [
        ("c", 7.0, False), ("a", 5.0, True),
    ]  # fmt: skip


Labels = list[tuple[float, float, str, str]]


def written(target: Path, labels: Callable[[int], Labels], n: int = 6) -> DataSet:
    modality = Modality(name="m", rate_hz=10.0, channels=(Channel(name="x", unit="g"),))
    with DataSetWriter(
        target, name="cases", title="Cases", licence="none", source="a test", synthetic=True,
        modalities=(modality,), split_rule="by subject", debug=False,
    ) as writer:  # fmt: skip
        for i in range(n):
            writer.add_session(
                f"s{i}", subject_id=f"p{i}", split=("train", "calibration", "test")[i % 3],
                signals={"m": (np.arange(100) / 10, np.zeros((100, 1)))}, labels=labels(i),
            )  # fmt: skip
    return DataSet.open(target)


@pytest.mark.parametrize(
    ("labels", "whole"),
    [
        (lambda i: [(0.0, 10.0, "wr"[i % 2], "act")], True),
        (lambda i: [(0.5, 9.6, "wr"[i % 2], "act")], True),
        (lambda i: [(0.0, 5.0, "wr"[i % 2], "act")], False),
        (lambda i: [(0.0, 5.0, "w", "act"), (5.0, 10.0, "r", "act")], False),
        (lambda _: [(0.0, 10.0, "w", "act")], False),
    ],
    ids=["whole", "nearly", "half", "two", "one label in all"],
)
def test_sessions_are_judged_whole_where_each_has_one_label_from_end_to_end(
    tmp_path: Path, labels: Callable[[int], Labels], whole: bool
) -> None:
    """Half a session, two labels in one, or nothing to tell apart: windows are judged."""
    assert is_by_session(written(tmp_path / "cases", labels), "act") is whole
