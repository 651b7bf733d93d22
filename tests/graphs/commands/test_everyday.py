"""From a person's file to the answer's text, offline: one file, one plain question."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tool_use_om.agent.context import AgentContext
from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace
from tool_use_om.graphs.commands.ask import default_data, imported
from tool_use_om.graphs.runner import run_question


def months() -> str:
    value = [100 + 2 * i + 20 * np.sin(2 * np.pi * i / 12) for i in range(144)]
    rows = [f"{1949 + i // 12}-{i % 12 + 1:02d}-01,{v:.1f}" for i, v in enumerate(value)]
    return "\n".join(["ds,y", *rows])


def business_days() -> str:
    days = np.busday_offset("2023-01-02", np.arange(500), roll="forward")
    walk = 400 + np.cumsum(np.random.default_rng(0).normal(size=500))
    return "\n".join(["date,close", *(f"{d},{v:.2f}" for d, v in zip(days, walk, strict=True))])


def sales() -> str:
    value = np.random.default_rng(0).uniform(20_000, 30_000, 500).round()
    value[321] = 60_000
    days = np.datetime64("2023-01-01") + np.arange(500)
    return "\n".join(["date,sales", *(f"{d},{v:.0f}" for d, v in zip(days, value, strict=True))])


def classes() -> str:
    rng = np.random.default_rng(0)
    rows = [
        f"{t},x{k:02d},{'abc'[k // 10]},{[0, 5, 10][k // 10] + rng.normal():.3f}"
        for k in range(30)
        for t in range(100)
    ]
    return "\n".join(["t,s,y,v", *rows])


def constant() -> str:
    return "\n".join(["ds,y", *(f"{i},7" for i in range(100))])


def ends_missing() -> str:
    rng = np.random.default_rng(0)
    rows = []
    for k in range(12):
        for t in range(200):
            hole = 60 <= t < 75 or (k >= 10 and t >= 170)
            rows.append(
                f"{t},n{k:02d},{'' if hole else round(np.sin(t / 5) + rng.normal() / 50, 4)}"
            )
    return "\n".join(["t,s,v", *rows])


def short() -> str:
    return "t,v\n0,0\n1,2\n2,4\n"


def ask(folder: Path, text: str, question: str) -> str:
    (folder / "mine.csv").write_text(text)
    place = Workspace.at(folder / "ws")
    name = imported(folder / "mine.csv", place)
    context = AgentContext(dataset=name, workspace=str(place.root))
    state = run_question(
        question, context, thread_id="one", saver_path=place.root / "checkpoints.sqlite"
    )
    return str(state["answer"])


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("made", "question", "wanted"),
    [
        (months, "Forecast the next 12 months", ["1961-01 to 1961-12", r"\| 1961-07 \|"]),
        (business_days, "Forecast the next 10 business days", ["2024-12-02 to 2024-12-13"]),
        (business_days, "What will it be tomorrow?", [r"2024-12-02"]),
        (sales, "Forecast the next week", ["2024-05-15 to 2024-05-21"]),
        (sales, "Is anything unusual?", ["2023-11-18", "60000"]),
        (classes, "Classify the sessions", ["100 % of the held-out sessions"]),
        (constant, "Forecast the next 5 seconds", [r"\| 7 \| 7 to 7 \|"]),
        (ends_missing, "Forecast the next 20 seconds", ["forecast starts where they end, n10"]),
        (short, "Forecast the next second", ["16 samples", "Import a longer series"]),
    ],
)
def test_a_plain_question_on_a_persons_own_file_is_answered(
    tmp_path: Path, made: Callable[[], str], question: str, wanted: list[str]
) -> None:
    """The right value, with its date, stands in the answer; or what is missing, and what to do."""
    answer = ask(tmp_path, made(), question)
    for pattern in wanted:
        assert re.search(pattern, answer), answer


def test_a_file_is_imported_once_and_again_when_it_changed(tmp_path: Path) -> None:
    """The set of an unchanged file is used as it is; another file's name is not taken over."""
    place = Workspace.at(tmp_path / "ws")
    file = tmp_path / "mine.csv"
    file.write_text(constant())
    assert imported(file, place) == "mine"
    manifest = place.root / "datasets" / "mine" / "manifest.json"
    first = manifest.stat().st_mtime_ns
    assert imported(file, place) == "mine"
    assert manifest.stat().st_mtime_ns == first
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.tsv").write_text(constant().replace(",", "\t"))
    with pytest.raises(DataError, match="--name"):
        imported(tmp_path / "other" / "mine.tsv", place)


def test_without_a_name_the_only_set_of_ones_own_is_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """None: the sample, and how to import; one: that one; several: asked back with their names."""
    place = Workspace.at(tmp_path / "ws")
    assert default_data(place) == "basic-motions"
    assert "tuom data import FILE" in capsys.readouterr().err
    for name in ("one", "two"):
        (tmp_path / f"{name}.csv").write_text(constant())
        imported(tmp_path / f"{name}.csv", place)
        if name == "one":
            assert default_data(place) == "one"
    with pytest.raises(DataError, match="--data NAME: one, two"):
        default_data(place)
