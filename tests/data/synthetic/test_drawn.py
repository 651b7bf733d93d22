"""Drawn sets: the same seed the same set, every seed another one."""

from __future__ import annotations

from pathlib import Path

from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.synthetic.sets.drawn import convert, draw_set


def test_a_seed_draws_the_same_set_and_another_seed_another() -> None:
    assert draw_set(7) == draw_set(7)
    assert draw_set(7).name != draw_set(8).name


def test_what_is_drawn_is_what_is_written(tmp_path: Path) -> None:
    spec = draw_set(11)
    convert(tmp_path / "set", seed=11)
    found = DataSet.open(tmp_path / "set")
    sessions = found.sessions()
    assert list(sessions["session_id"]) == sorted(s[0] for s in spec.sessions)
    assert sorted(sessions["subject_id"].unique()) == sorted(spec.subjects)
    assert set(found.labels()["label"]) <= set(spec.labels)
    assert found.manifest.synthetic
    assert sessions.groupby("subject_id")["split"].nunique().max() == 1


def test_labels_differ_in_level(tmp_path: Path) -> None:
    """Questions about labels have an answer: at least two labels are far apart in a channel."""
    convert(tmp_path / "set", seed=3)
    found = DataSet.open(tmp_path / "set")
    channel = found.manifest.channel_ids[0]
    means: dict[str, list[float]] = {}
    for row in found.labels().itertuples():
        (signal,) = found.read(row.session_id, [channel], row.start_s, row.end_s)
        means.setdefault(str(row.label), []).append(float(signal.values.mean()))
    levels = [sum(m) / len(m) for m in means.values()]
    assert max(levels) - min(levels) > 5
