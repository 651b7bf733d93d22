"""A long series at a level of its own is judged by itself, recordings alike by one another."""

from __future__ import annotations

import numpy as np
import pytest

from tool_use_om.data.catalog import datasets_folder
from tool_use_om.data.format.schema import SPLITS, Channel, Modality
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.registry import run_tool

RATE = 1 / 300
N, AT = 1600, 1100


def written(place: Workspace, name: str, levels: tuple[float, ...]) -> None:
    """Servers of these loads, one a session; the last has a value far from its own."""
    rng = np.random.default_rng(0)
    writer = DataSetWriter(
        datasets_folder(place) / name,
        name=name,
        title=name,
        synthetic=True,
        licence="none",
        source="test",
        modalities=[Modality(name="cpu", rate_hz=RATE, channels=(Channel(name="load", unit="%"),))],
        split_rule="by hand",
    )
    with writer:
        for i, level in enumerate(levels):
            time_s = np.arange(N) / RATE
            load = level + rng.normal(0, 1.0, N)
            if i == len(levels) - 1:
                load[AT] += 12.0
            split = "test" if i == len(levels) - 1 else SPLITS[i % 2]
            writer.add_session(
                f"server{i}", subject_id=f"p{i}", split=split,
                signals={"cpu": (time_s, load[:, None])},
            )  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = Workspace.at(tmp_path_factory.mktemp("servers"))
    written(made, "fleet", (90.0, 5.0, 60.0, 20.0, 40.0))
    written(made, "alike", (40.0, 40.2, 39.9, 40.1, 40.0))
    return made


def asked(place: Workspace, name: str) -> dict[str, object]:
    given = WorkingSet().but(dataset=name, task="anomaly", head="ensemble")
    context = ToolContext(workspace=place, seed=0)
    return dict(run_tool("run_task", {"query_session": "server4"}, context, given).content)


def test_a_server_among_others_of_other_loads_is_compared_with_itself(place: Workspace) -> None:
    """52 % is usual for the fleet and not for the server: it is found, at its place."""
    found = asked(place, "fleet")
    assert found["compared_with"]["n_sessions"] == 1  # type: ignore[index]
    first = found["scan"]["found"][0]  # type: ignore[index]
    assert first["at_s"] == pytest.approx(AT / RATE)
    top = found["most_unusual"]
    assert top["start_s"] <= AT / RATE <= top["end_s"]  # type: ignore[index]
    assert any("compared with the rest of itself" in note for note in found["notes"])  # type: ignore[attr-defined]
    assert found["coverage"]["measured_on"] == "fitted windows"  # type: ignore[index]


def test_servers_alike_are_compared_with_one_another(place: Workspace) -> None:
    """Where the others are of the same load, they say what is usual."""
    found = asked(place, "alike")
    assert found["compared_with"]["n_sessions"] > 1  # type: ignore[index]
    assert "scan" not in found
