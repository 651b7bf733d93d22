"""What channels do in time, against plain numpy on a small set whose answers are known."""

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
from tool_use_om.tools.look import samples

SLOW = Modality(name="slow", rate_hz=1.0, channels=(Channel(name="v", unit="V"),))
FAST = Modality(
    name="fast",
    rate_hz=10.0,
    channels=(Channel(name="w", unit="m/s^2"), Channel(name="n", unit="m/s^2")),
)
SLOPES = {"a": 0.5, "b": 1.5, "c": 1.0}
SECONDS = 100


def signals(name: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return v rising by its session's slope, w twice v, n a wave of 5 s; v lacks samples 40-49."""
    slow_s, fast_s = np.arange(float(SECONDS)), np.arange(SECONDS * 10) / 10
    v = SLOPES[name] * slow_s
    v[40:50] = np.nan
    w = 2 * SLOPES[name] * fast_s
    wave = np.sin(2 * np.pi * fast_s / 5)
    return {"slow": (slow_s, v[:, None]), "fast": (fast_s, np.stack([w, wave], axis=1))}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace.at(tmp_path_factory.mktemp("course"))
    with DataSetWriter(
        workspace.folder("datasets") / "made", name="made", title="Made", synthetic=True,
        licence="none", source="a test", modalities=(SLOW, FAST), split_rule="by subject",
        debug=False,
    ) as writer:  # fmt: skip
        for name in SLOPES:
            writer.add_session(
                name, subject_id=f"p{name}", split="train", signals=signals(name),
                labels=[(0.0, 30.0, "low", "level"), (30.0, 100.0, "high", "level")],
            )  # fmt: skip
    return workspace


@pytest.fixture
def ask(place: Workspace, new_call: Callable[[ToolContext], Any]) -> Any:
    session = new_call(ToolContext(workspace=place))
    session.working_set = WorkingSet(dataset="made")
    return session


def stats(ask: Any, statistic: str, channel: str = "slow.v", **args: Any) -> dict[str, Any]:
    found: dict[str, Any] = ask(
        "show_channel_stats", statistic=statistic, channels=[channel], **args
    )
    return found


def test_trend_of_undated_sessions_is_the_mean_of_their_slopes(ask: Any) -> None:
    """By hand: (0.5 + 1.5 + 1) / 3 = 1 V a second; missing samples do not bend it."""
    (row,) = stats(ask, "trend")["rows"]
    assert row["value"] == pytest.approx(1.0)
    assert (row["per"], row["over"], row["unit"]) == ("second", "each session", "V")


@pytest.mark.parametrize("name", sorted(SLOPES))
def test_trend_of_one_session_is_over_its_time(ask: Any, name: str) -> None:
    """Each session has its own slope, clear of noise."""
    rows = {r["group"]: r for r in stats(ask, "trend", by="session")["rows"]}
    assert rows[name]["value"] == pytest.approx(SLOPES[name])
    assert (rows[name]["over"], rows[name]["course"]) == ("time", "rises")


def test_a_wave_has_no_trend_and_a_cycle(ask: Any) -> None:
    """20 waves of 5 s: no clear change, a cycle of 5 s in every session."""
    (trend,) = stats(ask, "trend", "fast.n")["rows"]
    assert abs(trend["value"]) < 0.01
    (cycle,) = stats(ask, "cycle", "fast.n")["rows"]
    assert cycle["clear"]
    assert cycle["value"] == pytest.approx(5.0, rel=0.02)
    assert cycle["cycle"]["n_with"] == 3


def test_a_ramp_has_no_cycle(ask: Any) -> None:
    """What only rises comes round never."""
    (row,) = stats(ask, "cycle", "fast.w")["rows"]
    assert not row["clear"]
    assert row["value"] == 0.0


@pytest.mark.parametrize("level", [10.0, 20.0, 30.0])
def test_time_above_and_below_agree_with_a_plain_loop(ask: Any, level: float) -> None:
    """Every sample that is there stands for a second; a gap stands for none and ends a spell."""
    for statistic, beyond in (("time_above", np.greater), ("time_below", np.less)):
        rows = {r["group"]: r for r in stats(ask, statistic, by="session", threshold=level)["rows"]}
        for name in SLOPES:
            v = signals(name)["slow"][1][:, 0]
            hit = beyond(v, level)  # NaN is beyond nothing
            row = rows[name]
            assert row["value"] == pytest.approx(hit.sum())
            assert row["share_frac"] == pytest.approx(hit.sum() / 90, rel=1e-5)
            starts = np.flatnonzero(hit & ~np.append(False, hit[:-1]))
            assert row["n_times"] == len(starts)
            assert row["level"] == {"value": level, "unit": "V"}


def test_the_longest_time_beyond_is_placed(ask: Any) -> None:
    """By hand: a is below 30 V until 60 s, but its gap at 40 s ends the longest spell."""
    (row,) = stats(ask, "time_below", threshold=30.0)["rows"]
    assert row["longest"]["session_id"] == "a"
    assert (row["longest"]["start_s"], row["longest"]["length_s"]) == (0.0, 40.0)


def test_time_beyond_needs_a_level(ask: Any) -> None:
    """Without one there is nothing to be beyond; the error says what to give."""
    with pytest.raises(DataError, match="threshold"):
        stats(ask, "time_above")


def test_channels_of_two_rates_are_correlated_at_the_slower_ones_samples(ask: Any) -> None:
    """v and w are one ramp at two rates; neither goes with the wave."""
    found = ask("show_channel_stats", statistic="correlation", channels=["all"], by="session")
    rows = {(r["channel"], r["other"], r["group"]): r for r in found["rows"]}
    assert rows["slow.v", "fast.w", "b"]["value"] == pytest.approx(1.0, abs=1e-4)
    assert rows["slow.v", "fast.w", "b"]["n"] >= 85
    assert abs(rows["fast.w", "fast.n", "a"]["value"]) < 0.2


def test_a_correlation_needs_two_channels(ask: Any) -> None:
    """One goes with nothing."""
    with pytest.raises(DataError, match="2 to 12 channels, got 1"):
        stats(ask, "correlation")


@pytest.mark.parametrize("percent", [0, 10, 50, 90, 100])
def test_percentiles_by_label_equal_those_of_numpy(ask: Any, percent: float) -> None:
    """Samples of all sessions under a label together, missing ones left out."""
    found = stats(ask, "percentile", by="label", percent=percent)
    every = np.concatenate([signals(n)["slow"][1][:, 0] for n in SLOPES])
    at = np.tile(np.arange(SECONDS), 3)
    for row in found["rows"]:
        own = every[(at < 30) if row["group"] == "low" else (at >= 30)]
        assert row["value"] == pytest.approx(np.nanpercentile(own, percent))
        assert row["n"] == np.isfinite(own).sum()


def test_a_percentile_needs_its_percent(ask: Any) -> None:
    """A default would be a guess."""
    with pytest.raises(DataError, match="percent"):
        stats(ask, "percentile")


def test_first_and_last_of_undated_sessions_are_told_for_each(ask: Any) -> None:
    """Nobody knows which of them came first; each has its own ends."""
    last = {r["group"]: r for r in stats(ask, "last")["rows"]}
    assert {n: r["value"] for n, r in last.items()} == pytest.approx(
        {n: 99 * s for n, s in SLOPES.items()}
    )
    assert {r["at_s"] for r in last.values()} == {99.0}


def test_extremes_come_with_their_place(ask: Any) -> None:
    """The highest value of all is the end of the steepest session; by label its own."""
    (row,) = stats(ask, "max")["rows"]
    assert (row["value"], row["session_id"], row["at_s"]) == (148.5, "b", 99.0)
    by_label = {r["group"]: r for r in stats(ask, "max", by="label")["rows"]}
    assert (by_label["low"]["value"], by_label["low"]["at_s"]) == (43.5, 29.0)


@pytest.mark.parametrize(
    ("statistic", "oracle"),
    [("mean", np.nanmean), ("std", np.nanstd), ("variance", np.nanvar),
     ("rms", lambda v: np.sqrt(np.nanmean(v**2))), ("range", lambda v: np.nanmax(v) - np.nanmin(v)),
     ("median", np.nanmedian)],
)  # fmt: skip
@pytest.mark.parametrize("by", ["session", "subject"])
def test_statistics_of_parts_equal_those_of_their_samples(
    ask: Any, statistic: str, oracle: Callable[[np.ndarray], float], by: str
) -> None:
    """From the index or from the signals: the same number, in the statistic's unit."""
    found = stats(ask, statistic, by=by)
    assert found["n_rows"] == 3
    for row in found["rows"]:
        name = str(row["group"]).removeprefix("p")
        assert row["value"] == pytest.approx(float(oracle(signals(name)["slow"][1])), rel=1e-5)
        assert row["unit"] == ("V^2" if statistic == "variance" else "V")


def test_a_stretch_of_each_session_is_read_from_its_signals(ask: Any) -> None:
    """The index knows whole sessions only; a filter in time gives the samples inside."""
    ask("filter_by_time", start_s=20, end_s=30)
    rows = {r["group"]: r["value"] for r in stats(ask, "mean", by="session")["rows"]}
    assert rows == pytest.approx({n: s * 24.5 for n, s in SLOPES.items()})


def test_groups_of_the_calendar_are_refused_without_dates(ask: Any) -> None:
    """No session has a date: there is no hour of the day."""
    with pytest.raises(DataError, match="date"):
        stats(ask, "mean", by="hour")


def test_more_samples_than_can_be_held_are_thinned_by_whole_sessions_and_told(
    ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A median of some sessions is not one of all, and the result says so."""
    monkeypatch.setattr(samples, "MAX_VALUES", 150)
    found = stats(ask, "median")
    assert "sessions, spread evenly, were read" in found["note"]
    values = [signals(n)["slow"][1] for n in ("a", "c")]
    assert found["rows"][0]["value"] == pytest.approx(np.nanmedian(np.concatenate(values)))
