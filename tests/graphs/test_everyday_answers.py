"""From a person's own file to the answer they read: everyday questions, values by pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tool_use_om.agent.context import AgentContext
from tool_use_om.data.converters.table.convert import convert
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.workspace import Workspace
from tool_use_om.graphs.runner import run_question

TIMES = pd.date_range("2024-06-01", "2024-06-30 23:45", freq="15min")
_RNG = np.random.default_rng(5)
_SUN = np.clip(np.sin((TIMES.hour + TIMES.minute / 60 - 6) / 12 * np.pi), 0, None)
FRAME = pd.DataFrame({
    "Zeit": TIMES.strftime("%d.%m.%Y %H:%M"),
    "PV-Leistung (W)": (4000 * _SUN * _RNG.uniform(0.3, 1, 30).repeat(96)).round(0),
    "Hausverbrauch (W)": np.round(
        500 + 250 * (TIMES.dayofweek >= 5) + _RNG.normal(0, 40, len(TIMES))
    ),
    "Innentemperatur (°C)": (21 + 3 * _SUN + np.arange(len(TIMES)) * 0.0006).round(2),
    "Status": np.where(_RNG.random(30).repeat(96) < 0.2, "Stoerung", "Betrieb"),
})  # fmt: skip
_BY_DAY = FRAME.groupby(TIMES.strftime("%Y-%m-%d"))
ENERGY = _BY_DAY["PV-Leistung (W)"].sum() * 0.25 / 1000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    place = Workspace.at(tmp_path_factory.mktemp("everyday"))
    file = place.root / "haus.csv"
    FRAME.to_csv(file, sep=";", decimal=",", index=False)
    convert([file], place.folder("datasets") / "haus", options=TableOptions())
    return place


def ask(place: Workspace, question: str) -> dict[str, Any]:
    context = AgentContext(model="offline", dataset="haus", workspace=str(place.root))
    return dict(
        run_question(
            question,
            context,
            thread_id=str(abs(hash(question))),
            saver_path=place.root / "runs.sqlite",
        )
    )


def values_of(state: dict[str, Any]) -> list[float]:
    return [float(f["value"]) for f in state["findings"] if isinstance(f["value"], int | float)]


@pytest.mark.parametrize("question", [
    "which day gave the most solar energy, and how much was it",
    "An welchem Tag hatten wir den höchsten Ertrag vom PV?",
])  # fmt: skip
def test_best_day(home: Workspace, question: str) -> None:
    state = ask(home, question)
    first = state["answer"].split("\n")[0]
    assert ENERGY.idxmax() in first
    assert f"{ENERGY.max():.1f} kWh" in first
    assert state["verification"]["ok"]
    assert state["outcome"] == "answer"


def test_weekend_against_the_week(home: Workspace) -> None:
    state = ask(home, "do we use more on the weekend than in the week? kids are home then i think")
    means = FRAME["Hausverbrauch (W)"].groupby(TIMES.dayofweek >= 5).mean()
    found = values_of(state)
    assert found[:2] == pytest.approx([means[True], means[False]], rel=1e-4)
    assert "higher on weekends" in state["answer"].split("\n")[0]


def test_hours_in_a_state_of_the_month(home: Workspace) -> None:
    state = ask(home, "how many hours in total was Stoerung in June")
    hours = (FRAME["Status"] == "Stoerung").sum() / 4
    assert any(v == pytest.approx(hours * 3600) for v in values_of(state))


def test_number_of_days_beyond_a_level(home: Workspace) -> None:
    state = ask(home, "on how many days did it get above 24.5 °C inside?")
    most = _BY_DAY["Innentemperatur (°C)"].max()
    assert state["answer"].startswith(f"**On {(most > 24.5).sum()} of 30 days")


def test_several_statistics_of_a_week(home: Workspace) -> None:
    state = ask(home, "min max avg indoor temp last week pls")
    week = FRAME["Innentemperatur (°C)"][(TIMES >= "2024-06-17") & (TIMES < "2024-06-24")]
    assert set(np.round([week.min(), week.max(), week.mean()], 2)) <= {
        round(v, 2) for v in values_of(state)
    }


def test_a_month_without_data_is_refused_in_the_first_sentence(home: Workspace) -> None:
    state = ask(home, "how much solar energy did we make in March 2023?")
    assert state["answer"].startswith("The data go from 2024-06-01 to 2024-06-30")
    assert state["outcome"] == "refusal"


def test_money_is_not_measured(home: Workspace) -> None:
    state = ask(home, "how many euros did the PV earn in june?")
    assert state["outcome"] in {"question", "refusal", "partial"}
    assert "euros" in state["answer"].split("\n")[0]
