"""Recordings whose label may be wrong, found by models that have not seen them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tool_use_om.agent.offline.answer import interpret
from tool_use_om.data.catalog import datasets_folder
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import Channel, Modality
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.registry import run_tool

RATE = 20.0
WRONG = {"s03": "slow", "s10": "fast"}  # given labels that are not what was recorded


def _workspace(folder: Path, n: int, wrong: dict[str, str]) -> Workspace:
    """Sessions of 8 s: sines of 1 Hz are slow, of 4 Hz are fast; two carry the other's label."""
    made = Workspace.at(folder)
    rng = np.random.default_rng(0)
    writer = DataSetWriter(
        datasets_folder(made) / "sines", name="sines", title="sines", synthetic=True,
        licence="none", source="test", split_rule="by hand",
        modalities=[Modality(name="m", rate_hz=RATE, channels=(Channel(name="x", unit="a.u."),))],
    )  # fmt: skip
    with writer:
        for i in range(n):
            truth = ("slow", "fast")[i % 2]
            time_s = np.arange(160) / RATE
            rate = 1.0 if truth == "slow" else 4.0
            wave = np.sin(2 * np.pi * rate * time_s + rng.uniform(0, 6)) + 0.2 * rng.normal(
                size=160
            )
            name = f"s{i:02d}"
            writer.add_session(
                name,
                subject_id=f"p{i:02d}",
                split=("train", "train", "calibration", "test")[i % 4],
                signals={"m": (time_s, wave[:, None])},
                labels=[(0.0, 8.0, wrong.get(name, truth), "pace")],
            )
    return made


def _asked(place: Workspace, **args: object) -> dict[str, object]:
    ctx, working_set = ToolContext(workspace=place), WorkingSet(dataset="sines")
    working_set = run_tool("select_task_head", {"task": "classify"}, ctx, working_set).working_set
    found = run_tool("run_task", {"suspect_labels": True, **args}, ctx, working_set)
    return found.content


def test_the_two_swapped_labels_are_the_suspects(tmp_path: Path) -> None:
    """In whatever split they are; each with its likely label and the probability of both."""
    content = _asked(_workspace(tmp_path, 20, WRONG))
    rows = content["suspects"]
    assert isinstance(rows, list)
    assert {row["session_id"]: row["given"] for row in rows} == WRONG
    assert all(row["probability"] > 0.5 > row["probability_given"] for row in rows)
    assert content["n_judged"] == 20
    told = interpret({"results": [{"result_id": "r", "tool": "run_task", "args": {},
                                   "content": content}]})["prose"]  # fmt: skip
    assert "may be mislabelled" in told


def test_of_right_labels_none_stands_out(tmp_path: Path) -> None:
    """Every label is what was recorded: no suspect, and the answer says so."""
    content = _asked(_workspace(tmp_path, 20, {}))
    assert content["n_suspects"] == 0
    told = interpret({"results": [{"result_id": "r", "tool": "run_task", "args": {},
                                   "content": content}]})["prose"]  # fmt: skip
    assert "stands out as mislabelled" in told


def test_only_the_recordings_asked_for_are_told(tmp_path: Path) -> None:
    """By the label that they were given."""
    content = _asked(_workspace(tmp_path, 20, WRONG), target_label="fast")
    assert [row["session_id"] for row in content["suspects"]] == ["s10"]  # type: ignore[attr-defined]


def test_too_few_recordings_are_refused(tmp_path: Path) -> None:
    """Two of each label: nothing can be learnt of one from the others."""
    with pytest.raises(DataError, match="too few labelled recordings"):
        _asked(_workspace(tmp_path, 4, {}))
