"""The agent as a Python object: answers, tables, figures, code that runs, frames without files."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.graphs.analyst import Analyst, read_frame

HOURS = 24 * 60


def hourly() -> pd.DataFrame:
    """Return two months of hourly power with a daily cycle and one spike."""
    rng = np.random.default_rng(0)
    values = 3 + np.sin(np.arange(HOURS) / 24 * 2 * np.pi) + rng.normal(0, 0.1, HOURS)
    values[1000] = 14.6
    times = pd.date_range("2024-01-01", periods=HOURS, freq="h")
    return pd.DataFrame({"power": values}, index=times)


@pytest.fixture(scope="module")
def analyst(sample_workspace: Path) -> Analyst:
    return Analyst("basic-motions", workspace=sample_workspace)


def test_answer_has_words_values_and_a_page(analyst: Analyst) -> None:
    answer = analyst.ask("What is the mean of accelerometer.x while walking?")
    assert answer.outcome == "answer"
    assert answer.sourced
    assert "0.766" in str(answer)
    found = answer.findings
    assert list(found.columns) == ["statement", "value", "unit", "result_id", "pointer"]
    assert pytest.approx(found["value"].iloc[1], abs=1e-3) == 0.766
    shown = answer._repr_html_()
    assert shown.startswith("<iframe")
    assert 'sandbox=""' in shown


def test_questions_lean_on_each_other_and_go_back(analyst: Analyst) -> None:
    analyst.ask("What is the mean of accelerometer.x while walking?")
    assert "while running" in analyst.ask("and running?").text
    assert "while standing" in analyst.ask("and standing?", back=1).text


def value_of(text: str) -> float | str:
    """Return a printed value without its unit: "10" and "10.0" are one number."""
    first = text.split(" ", maxsplit=1)[0]
    try:
        return float(first)
    except ValueError:
        return first


QUESTIONS = [
    "What is the mean of accelerometer.x while walking?",
    "How many sessions are there?",
    pytest.param("Find walking", marks=pytest.mark.slow),
    pytest.param("Classify the labels", marks=pytest.mark.slow),
    pytest.param("Predict the next 2 seconds of accelerometer.x", marks=pytest.mark.slow),
    pytest.param("Find anomalies", marks=pytest.mark.slow),
    pytest.param("Which sessions are most similar to bm-test-012?", marks=pytest.mark.slow),
    pytest.param("Which session is least like the others?", marks=pytest.mark.slow),
    pytest.param("Compare prototypes and knn", marks=pytest.mark.slow),
    pytest.param("Are there any gaps in the data?", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_code_without_the_agent_gives_the_same_values(
    analyst: Analyst, tmp_path: Path, question: str
) -> None:
    """Every value the answer shows is printed by the script, to the last digit."""
    answer = analyst.ask(question)
    script = tmp_path / "answer.py"
    script.write_text(answer.code, encoding="utf-8")
    assert "langgraph" not in answer.code
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    printed = [value_of(line.rsplit(": ", 1)[1]) for line in done.stdout.splitlines()]
    assert printed == [value_of(str(value)) for value in answer.findings["value"]]


def test_bundle_holds_page_code_tables_and_opens_the_same_twice(
    analyst: Analyst, tmp_path: Path
) -> None:
    answer = analyst.ask("How many sessions are there?")
    first, second = answer.save(tmp_path / "one.zip"), answer.save(tmp_path / "two.zip")
    assert first.read_bytes() == second.read_bytes()
    names = set(zipfile.ZipFile(first).namelist())
    assert {"report.html", "answer.py", "findings.csv", "trace.jsonl", "README.txt"} <= names
    assert any(name.startswith("tables/") for name in names)
    with pytest.raises(DataError, match="no folder"):
        answer.save(tmp_path / "nowhere" / "one.zip")


def test_frames_are_taken_without_files(tmp_path: Path) -> None:
    """A pandas frame by its index of dates; its mean is the frame's own."""
    analyst = read_frame(hourly(), units={"power": "kW"}, workspace=tmp_path)
    answer = analyst.ask("What is the average power?")
    value = answer.findings.loc[answer.findings["unit"] == "kW", "value"].iloc[-1]
    assert float(value) == pytest.approx(hourly()["power"].mean(), rel=1e-4)


def test_polars_frame_is_the_same_as_a_pandas_one(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    table = hourly().reset_index(names="when")
    one = read_frame(table, time="when", name="one", workspace=tmp_path)
    two = read_frame(polars.from_pandas(table), time="when", name="two", workspace=tmp_path)
    question = "What is the maximum of power?"
    assert list(one.ask(question).findings["value"]) == list(two.ask(question).findings["value"])


@pytest.mark.parametrize(
    ("frame", "given", "message"),
    [
        ([1, 2], {}, "pandas or polars"),
        (pd.DataFrame({"a": [1.0, 2.0, 3.0]}), {}, "time=.*rate_hz="),
    ],
)
def test_what_is_no_series_is_refused_in_words_of_the_call(
    tmp_path: Path, frame: Any, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read_frame(frame, workspace=tmp_path, **given)
    assert not (tmp_path / "datasets" / "frame").exists()


def test_frame_never_replaces_a_set_that_came_from_a_file(sample_workspace: Path) -> None:
    with pytest.raises(DataError, match="name="):
        read_frame(hourly(), name="basic-motions", workspace=sample_workspace)


def test_unknown_set_and_unanswered_person_are_said(sample_workspace: Path) -> None:
    with pytest.raises(NotFoundError):
        Analyst("no-such", workspace=sample_workspace)
    alone = Analyst("basic-motions", workspace=sample_workspace)
    with pytest.raises(DataError, match="ask_person"):
        alone.ask("Ask me for 2 labels")


def test_person_who_answers_is_asked_and_the_code_keeps_what_was_said(
    sample_workspace: Path, tmp_path: Path
) -> None:
    def person(asked: Any) -> dict[str, str]:
        return {w["window_id"]: "walking" for w in asked["windows"]}

    asked = Analyst("basic-motions", workspace=sample_workspace, ask_person=person)
    answer = asked.ask("Ask me for 2 labels")
    script = tmp_path / "answer.py"
    script.write_text(answer.code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
