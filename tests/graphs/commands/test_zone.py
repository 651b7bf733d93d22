"""From a file of local times to the answer's text: its dates and hours are the file's own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tool_use_om.agent.context import AgentContext
from tool_use_om.data.workspace import Workspace
from tool_use_om.graphs.commands.imports import import_files, table_options
from tool_use_om.graphs.runner import run_question

ZONE = "Europe/Berlin"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a workspace with four weeks of hours that end the evening before summer time."""
    root = tmp_path_factory.mktemp("zone")
    at = pd.date_range("2024-03-01", "2024-03-30 23:00", freq="h", tz=ZONE)
    load = 100 + 50.0 * (at.hour == 19) + np.sin(2 * np.pi * at.hour / 24)
    text = at.tz_localize(None).strftime("%Y-%m-%d %H:%M")
    pd.DataFrame({"time": text, "load": load}).to_csv(root / "home.csv", index=False)
    workspace = Workspace.at(root / "ws")
    import_files([root / "home.csv"], table_options({"tz": ZONE}), "home", workspace)
    return workspace


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("From when to when does the data go?", ["2024-03-01 00:00 to 2024-03-30 23:00"]),
        ("At what hour of the day do we usually use the most?", ["highest at 19:00"]),
        ("Forecast the next 6 hours", ["2024-03-31 00:00 to 2024-03-31 06:00", "31 03:00 |"]),
    ],
)
def test_an_answer_tells_the_files_own_clock(
    place: Workspace, question: str, wanted: list[str]
) -> None:
    """Right hours and dates, through the night without an hour from 2 to 3; the zone once."""
    context = AgentContext(dataset="home", workspace=str(place.root))
    state = run_question(
        question, context, thread_id="one", saver_path=place.root / "checkpoints.sqlite"
    )
    answer = str(state["answer"])
    assert all(text in answer for text in wanted), answer
    assert answer.count(ZONE) == 1, answer
    assert "31 02:00" not in answer, answer
