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

from tool_use_om.data.dataset import DataSet
from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.data.plots import (
    MAX_POINTS,
    _plain,
    _thin,
    _with_gaps,
    draw_sessions,
    pick_sessions,
)
from tool_use_om.data.writer import DataSetWriter


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
    time_s, kept = _thin(np.arange(n) / 10, values)
    assert kept.size <= max(n if n <= MAX_POINTS else MAX_POINTS, 1)
    assert (kept.min(), kept.max()) == (values.min(), values.max())
    assert (np.diff(time_s) > 0).all()


def test_with_gaps_breaks_the_line_where_samples_are_missing() -> None:
    """A gap of several intervals gets a NaN, an ordinary step does not."""
    time_s, values = _with_gaps(np.array([0, 1, 2, 6, 7.0]), np.ones(5), 1.0)
    assert time_s.tolist() == [0, 1, 2, 4, 6, 7]
    assert np.isnan(values).tolist() == [False, False, False, True, False, False]


def test_plain_clips_and_escapes() -> None:
    """Dollar signs are escaped, unknown glyphs spelled out, long texts cut."""
    assert _plain("a$b") == r"a\$b"
    assert _plain("步") == r"\u6b65"
    assert len(_plain("x" * 500)) == 80


def test_draw_sessions_thins_long_sessions(tmp_path: Path, new_writer: Callable[..., Any]) -> None:
    """A long session is drawn with a bounded number of points."""
    time_s = np.arange(50_000) / 10
    with new_writer(tmp_path / "set") as writer:
        values = np.stack([np.sin(time_s), np.cos(time_s)], axis=1)
        writer.add_session("s", subject_id="p", split="test", signals={"motion": (time_s, values)})
    figure = draw_sessions(DataSet.open(tmp_path / "set"), ["s"], ["motion"])
    assert all(len(line.get_xdata()) <= MAX_POINTS for line in figure.axes[0].lines)
