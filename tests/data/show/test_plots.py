"""Figures: every asked session and channel, on seconds, with what is missing said."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.format.schema import Channel, Modality
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.show.panels import (
    MAX_POINTS,
    duration_text,
    plain_text,
    read_time,
    read_values,
    thin,
    time_unit,
    with_gaps,
)
from tool_use_om.data.show.plots import draw_sessions, pick_sessions


def test_draw_sessions_gives_rows_of_sessions_and_columns_of_modalities(tiny: DataSet) -> None:
    """Three sessions of two modalities make six panels; units and NaN shares are on them."""
    figure = draw_sessions(tiny, ["a", "b", "c"])
    panels = figure.axes
    assert len(panels) == 6
    assert panels[0].get_ylabel() == "motion\n[g]"
    assert panels[4].get_xlabel() == "seconds from session start"
    legend = panels[2].get_legend()
    assert legend is not None
    assert legend.get_title().get_text() == "NaN 0.8%"
    assert "no heart here" in [t.get_text() for t in panels[5].texts]


def test_draw_sessions_of_one_session_stacks_its_modalities(tiny: DataSet) -> None:
    """One session's modalities share the seconds axis, cut to the asked range."""
    figure = draw_sessions(tiny, ["a"], ["heart", "motion.y"], 1.0, 3.0)
    assert [panel.get_xlim() for panel in figure.axes] == [(1.0, 3.0), (1.0, 3.0)]
    assert {t.get_text().strip() for t in figure.axes[0].texts} == {"walk", "run"}


def test_draw_sessions_refuses_what_it_cannot_draw(tiny: DataSet) -> None:
    """No sessions, too many, unknown names and a start after the end are refused."""
    with pytest.raises(DataError, match="1 to 16"):
        draw_sessions(tiny, [])
    with pytest.raises(NotFoundError, match="channel"):
        draw_sessions(tiny, ["a"], ["nothing"])
    with pytest.raises(DataError, match="lasts 2 s"):
        draw_sessions(tiny, ["a", "c"], None, 3.0, 3.5)


def test_pick_sessions_covers_every_label(tiny: DataSet) -> None:
    """The debug figure shows at least one session of each label."""
    labels = tiny.labels(pick_sessions(tiny), "activity")
    assert set(labels["label"]) == {"run", "walk"}


def test_write_debug_survives_hostile_names(
    tmp_path: Path, new_writer: Callable[..., DataSetWriter]
) -> None:
    """Signs that matplotlib would interpret, or has no glyph for, are drawn as plain text."""
    time_s = np.arange(20) / 10
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with new_writer(tmp_path / "set", debug=True) as writer:
            writer.add_session(
                "s",
                subject_id="$x_{1}$ 步行",
                split="test",
                signals={"motion": (time_s, np.zeros((20, 2)))},
                labels=[(0.0, 2.0, "$\\frac{1}$ 🦆 \x07", "activity")],
            )
    assert (tmp_path / "set" / "debug" / "overview.png").stat().st_size > 1000


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 20_000), seed=st.integers(0, 99))
def test_thin_keeps_the_extremes(n: int, seed: int) -> None:
    """Thinning keeps order, the highest and the lowest value, and stays small."""
    values = np.random.default_rng(seed).normal(size=n)
    time_s, kept = thin(np.arange(n) / 10, values)
    assert kept.size <= max(n if n <= MAX_POINTS else MAX_POINTS, 1)
    assert (kept.min(), kept.max()) == (values.min(), values.max())
    assert (np.diff(time_s) > 0).all()


def test_with_gaps_breaks_the_line_where_samples_are_missing() -> None:
    """A gap of several intervals gets a NaN, an ordinary step does not."""
    time_s, values = with_gaps(np.array([0, 1, 2, 6, 7.0]), np.ones(5), 1.0)
    assert time_s.tolist() == [0, 1, 2, 4, 6, 7]
    assert np.isnan(values).tolist() == [False, False, False, True, False, False]


def test_plain_clips_and_escapes() -> None:
    """Dollar signs are escaped, unknown glyphs spelled out, long texts cut."""
    assert plain_text("a$b") == r"a\$b"
    assert plain_text("步") == r"\u6b65"
    assert len(plain_text("x" * 500)) == 80


def test_draw_sessions_thins_long_sessions(tmp_path: Path, new_writer: Callable[..., Any]) -> None:
    """A long session is drawn with a bounded number of points."""
    time_s = np.arange(50_000) / 10
    with new_writer(tmp_path / "set") as writer:
        values = np.stack([np.sin(time_s), np.cos(time_s)], axis=1)
        writer.add_session("s", subject_id="p", split="test", signals={"motion": (time_s, values)})
    figure = draw_sessions(DataSet.open(tmp_path / "set"), ["s"], ["motion"])
    assert all(len(line.get_xdata()) <= MAX_POINTS for line in figure.axes[0].lines)


@pytest.mark.parametrize(
    ("span_s", "name", "shown"),
    [(90.0, "seconds", "80"), (5400.0, "minutes", "60"), (90_000.0, "hours", "12"),
     (2_591_953.0, "days", "15")],
)  # fmt: skip
def test_time_axis_is_written_in_a_unit_people_read(span_s: float, name: str, shown: str) -> None:
    """Ticks are round in the unit the label names; the data stay in seconds, no offset is shown."""
    from matplotlib.figure import Figure

    panel = Figure(figsize=(8, 2)).subplots()
    panel.set_xlim(0, span_s)
    unit = time_unit(span_s)
    read_time(panel, unit)
    panel.figure.draw_without_rendering()
    texts = [t.get_text() for t in panel.get_xticklabels()]
    assert panel.get_xlabel() == f"{name} from session start"
    assert shown in texts
    assert [float(t) * unit[0] for t in texts] == pytest.approx(list(panel.get_xticks()))
    assert panel.xaxis.get_offset_text().get_text() == ""
    assert panel.get_xlim() == (0, span_s)


def test_duration_text_says_seconds_and_what_they_are() -> None:
    """Long durations are given twice: exactly in seconds, and in a unit people read."""
    assert duration_text(12.5) == "12.5 s"
    assert duration_text(7200.0) == "7200 s (120 minutes)"
    assert duration_text(2_591_953.0) == "2,591,953 s (30 days)"


@pytest.mark.parametrize("largest", [0.001, 3.0, 9000.0, 2.5e6, 8e9])
def test_value_axis_shows_no_offset(largest: float) -> None:
    """Values large and small are written out or with a prefix, never as a factor aside."""
    from matplotlib.figure import Figure

    panel = Figure(figsize=(4, 2)).subplots()
    panel.set_ylim(0, largest)
    read_values(panel)
    panel.figure.draw_without_rendering()
    assert panel.yaxis.get_offset_text().get_text() == ""
    last = panel.get_yticklabels()[-1].get_text()
    size = {"k": 1e3, "M": 1e6, "G": 1e9}.get(last[-1], 1.0)
    assert float(last.rstrip("kMG")) * size == pytest.approx(panel.get_yticks()[-1], rel=1e-6)


def mixed(path: Path, new_writer: Callable[..., Any], channels: int, modalities: int) -> DataSet:
    """Write two sessions of some modalities with so many channels each."""
    names = tuple(Channel(name=f"c{i}", unit="mV") for i in range(channels))
    every = tuple(Modality(name=f"m{i}", rate_hz=10, channels=names) for i in range(modalities))
    time_s = np.arange(50) / 10
    with new_writer(path, modalities=every) as writer:
        for session in ("a", "b"):
            values = np.random.default_rng(0).normal(size=(50, channels))
            signals = {m.name: (time_s, values) for m in every}
            writer.add_session(session, subject_id=session, split="test", signals=signals)
    return DataSet.open(path)


@pytest.mark.parametrize(
    ("channels", "modalities"), [(1, 1), (3, 2), (6, 3), (12, 1), (66, 1), (4, 11), (20, 11)]
)
def test_draw_sessions_keeps_panels_apart(
    tmp_path: Path, new_writer: Callable[..., Any], channels: int, modalities: int
) -> None:
    """For 1 to 66 channels and many modalities no panel, name or title meets another panel."""
    figure = draw_sessions(mixed(tmp_path / "set", new_writer, channels, modalities), ["a", "b"])
    figure.draw_without_rendering()
    boxes = [panel.get_window_extent() for panel in figure.axes]
    texts = [panel.get_tightbbox() for panel in figure.axes]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in texts[:i] + texts[i + 1 :])
        assert figure.bbox.x0 <= texts[i].x0
        assert texts[i].x1 <= figure.bbox.x1
    drawn = sum(len(panel.lines) for panel in figure.axes)
    assert drawn == 2 * modalities * min(channels, max(8, 72 // modalities))


def test_thin_leaves_every_visible_gap_open() -> None:
    """However many drop-outs there are, no line is drawn through one that can be seen."""
    rng = np.random.default_rng(0)
    time_s = np.arange(30_000) / 10
    keep = np.ones(time_s.size, bool)
    for start in rng.choice(time_s.size, 300, replace=False):
        keep[start : start + rng.integers(3, 400)] = False
    whole = with_gaps(time_s[keep], rng.normal(size=keep.sum()), 10.0)
    shown, values = thin(*whole)
    ends = np.flatnonzero(np.diff(time_s[keep]) > time_s[-1] / 150)
    for a, b in zip(time_s[keep][ends], time_s[keep][ends + 1], strict=True):
        assert np.isnan(values[(shown > a) & (shown < b)]).any()


def test_pick_sessions_covers_every_modality(
    tmp_path: Path, new_writer: Callable[..., Any]
) -> None:
    """A modality that only one unlabelled session has is in the debug figure, too."""
    names = (Channel(name="x", unit="g"),)
    every = (Modality(name="acc", rate_hz=10, channels=names),
             Modality(name="rare", rate_hz=10, channels=names))  # fmt: skip
    time_s, values = np.arange(20) / 10, np.zeros((20, 1))
    with new_writer(tmp_path / "set", modalities=every) as writer:
        for i in range(9):
            signals = {"rare" if i == 5 else "acc": (time_s, values)}
            labels = [] if i == 5 else [(0.0, 1.0, "walk", "activity")]
            writer.add_session(
                f"s{i}", subject_id=f"p{i}", split="test", signals=signals, labels=labels
            )
    assert "s5" in pick_sessions(DataSet.open(tmp_path / "set"))
