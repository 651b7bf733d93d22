"""The data check as the agent calls it: counts, the worst places, figures, and its limits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.format.schema import Channel, Modality
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.show.figure import read_figure
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.look import check as data_check

RATE, SECONDS = 20.0, 30


@pytest.fixture
def spoilt(tmp_path: Path, new_call: Callable[[ToolContext], Any]) -> Any:
    """Return calls on four sessions: b has a gap from 10 s to 20 s, c a stuck z at 5 s to 9 s."""
    rng = np.random.default_rng(0)
    channels = tuple(Channel(name=c, unit="g") for c in "xyz")
    modalities = (
        Modality(name="acc", rate_hz=RATE, channels=channels),
        Modality(name="gyro", rate_hz=RATE, channels=(Channel(name="x", unit="deg/s"),)),
    )
    folder = tmp_path / "datasets" / "spoilt"
    facts = {"name": "spoilt", "title": "Spoilt", "licence": "none", "source": "made here"}
    with DataSetWriter(
        folder, modalities=modalities, split_rule="by subject", synthetic=True, **facts
    ) as writer:
        for session, split in zip("abcd", ("train", "train", "calibration", "test"), strict=True):
            time_s = np.arange(int(SECONDS * RATE)) / RATE
            values = rng.normal((0.0, 0.0, 1.0), 0.03, (time_s.size, 3))
            if session == "c":
                values[100:180, 2] = values[100, 2]
            kept = (time_s < 10) | (time_s >= 20) if session == "b" else time_s >= 0
            turn = rng.normal(0, 5, (time_s.size, 1))
            writer.add_session(
                session,
                subject_id=f"p-{session}",
                split=split,
                signals={"acc": (time_s[kept], values[kept]), "gyro": (time_s, turn)},
                duration_s=float(SECONDS),
            )
    called = new_call(ToolContext(workspace=Workspace.at(tmp_path)))
    called.working_set = WorkingSet(dataset="spoilt")
    return called


def test_check_data_tells_counts_and_the_worst_places(spoilt: Any) -> None:
    """Each planted defect is counted and named with session and seconds; the list is in detail."""
    outcome = spoilt.outcome("check_data")
    content = outcome.content
    assert content["places"] == {"stuck": 1, "gap": 1}
    assert (content["n_problems"], content["n_notes"]) == (2, 0)
    gap = next(row for row in content["worst"] if row["kind"] == "gap")
    assert (gap["where"], gap["session_id"]) == ("acc", "b")
    assert (gap["start_s"], gap["end_s"]) == (pytest.approx(9.95), pytest.approx(20.0))
    assert len(outcome.result.data["detail"]["issues"]) == 2
    figures = [Path(f).name for f in outcome.result.artifact["figures"]]
    assert figures == ["places.figure.json"]
    figure = read_figure(spoilt.outcome("check_data").result.folder / figures[0])
    (timeline,) = figure.panels
    rows = {row.name: row.text for row in timeline.rows}
    assert {name for name, kinds in rows.items() if kinds} == {"b", "c"}
    assert "gap in b" in figure.alt


@pytest.mark.parametrize(
    ("args", "places"),
    [
        ({"kinds": ["gap"]}, {"gap": 1}),
        ({"channels": ["gyro"]}, {}),
        ({"channels": ["acc.z"], "kinds": ["stuck", "clipping"]}, {"stuck": 1}),
        ({"sessions": ["a", "c"]}, {"stuck": 1}),
    ],
)
def test_check_data_looks_only_at_what_is_asked(
    spoilt: Any, args: dict[str, Any], places: dict[str, int]
) -> None:
    """Kinds, channels and sessions that are not asked for are not reported."""
    assert spoilt("check_data", **args)["places"] == places


def test_check_data_keeps_to_the_working_set(spoilt: Any) -> None:
    """A range and a choice of channels made before hold for the check."""
    spoilt("filter_by_time", start_s=12, end_s=30)
    assert spoilt("check_data")["places"] == {}
    spoilt("filter_by_time", reset=True)
    spoilt("select_channels", channels=["gyro"])
    assert spoilt("check_data")["places"] == {}


def test_check_data_reads_a_sample_when_the_set_is_large(
    spoilt: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the limits sessions spread over the set are read, and the answer says how many."""
    assert spoilt("check_data", max_sessions=2)["n_sessions_read"] == 2
    monkeypatch.setattr(data_check, "MAX_VALUES", 5000)
    content = spoilt("check_data")
    assert (content["n_sessions"], content["n_sessions_read"]) == (4, 2)
    assert "spread evenly" in content["rule"]
    monkeypatch.setattr(data_check, "MAX_VALUES", 1)
    assert spoilt("check_data")["n_sessions_read"] == 1


def test_check_data_says_what_it_could_not_check(call: Any) -> None:
    """A set that does not publish its subjects gives no verdict on leakage."""
    content = call("check_data", kinds=["leak"])
    assert content["n_problems"] == 0
    assert "does not publish subjects" in content["unchecked"][0]
