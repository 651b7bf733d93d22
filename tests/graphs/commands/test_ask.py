"""`tuom demo` and `tuom ask` as a person uses them: answer, report, trace, clear errors."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, ToolMessage
from rich.console import Console

from tool_use_om.agent.record.report import anchor
from tool_use_om.agent.record.trace import read_traces
from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace
from tool_use_om.graphs.commands import ask, ask_console
from tool_use_om.graphs.commands import main as cli
from tool_use_om.graphs.commands.ask_console import Watcher, summarise
from tool_use_om.tools.call.results import ResultStore


@pytest.fixture(scope="module")
def demo(sample_workspace: Path) -> tuple[str, Path]:
    """Run the demo once through the command line; return what it printed and its folder."""
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ask, "new_console", lambda: Console(file=printed, width=100))
        cli_run(["demo", "--workspace", str(sample_workspace), "--run", "the-demo"])
    return printed.getvalue(), sample_workspace / "runs" / "the-demo"


def cli_run(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    assert stop.value.code == 0


def findings_of(folder: Path) -> Iterator[tuple[str, str, Any]]:
    """Yield (result id, pointer, shown value) of the findings listed on a report page."""
    page = (folder / "report.html").read_text(encoding="utf-8")
    row = re.compile(r'<td class="value">([^<]*)</td><td><a href="#(r-[0-9a-f]{12})(/[^"]*)">')
    for value, result_id, pointer in row.findall(page):
        yield result_id, pointer, value.split(" ")[0]


@pytest.mark.slow
def test_demo_prints_steps_answer_and_where_things_are(demo: tuple[str, Path]) -> None:
    """A person sees what was done, what came out and where to look closer."""
    printed, folder = demo
    for expected in (
        "plan",
        "run_task",
        "answer",
        "every number from a tool result",
        "report.html",
    ):
        assert expected in printed
    assert (folder / "report.html").is_file()


@pytest.mark.slow
def test_demo_answers_every_part_of_the_question(demo: tuple[str, Path]) -> None:
    """Walking found in held-out sessions, five seconds of acceleration forecast, coverage given."""
    trace = read_traces(demo[1] / "trace.jsonl")[0]
    runs = [c for c in trace.calls if c.tool == "run_task"]
    store = ResultStore(Workspace(demo[1].parents[1]))
    found, forecast = (store.get(str(c.result_id)).data for c in runs)
    assert found["task"] == "classify"
    assert found["target_label"] == "walking"
    assert all(s["session_id"].startswith("bm-test-") for s in found["segments"])
    assert forecast["task"] == "forecast"
    assert forecast["horizon_s"] == 5
    assert {f["channel"] for f in forecast["forecasts"]} == {
        "accelerometer.x", "accelerometer.y", "accelerometer.z",
    }  # fmt: skip
    assert all(0 <= r["coverage"]["empirical"] <= 1 for r in (found, forecast))
    assert trace.verdicts["ok"]


@pytest.mark.slow
def test_demo_report_shows_the_stored_values(demo: tuple[str, Path]) -> None:
    """Each finding on the page is what the result it names says, and its anchor is there."""
    page = (demo[1] / "report.html").read_text(encoding="utf-8")
    store = ResultStore(Workspace(demo[1].parents[1]))
    findings = list(findings_of(demo[1]))
    assert len(findings) > 10
    for result_id, pointer, shown in findings:
        assert f'id="{anchor(result_id, pointer)}"' in page
        stored = store.resolve(result_id, pointer)
        if isinstance(stored, float):
            assert float(shown) == pytest.approx(stored, rel=1e-4, abs=1e-9)


@pytest.mark.slow
def test_demo_leaves_one_trace_in_the_workspace(demo: tuple[str, Path]) -> None:
    """The trace beside the report is the one in the workspace's own file."""
    alone = json.loads((demo[1] / "trace.jsonl").read_text(encoding="utf-8"))
    kept = read_traces(Workspace(demo[1].parents[1]))
    assert alone["query"] == ask.DEMO_QUESTION
    assert [t.created_utc for t in kept].count(alone["created_utc"]) == 1


def test_second_question_of_a_run_keeps_the_first_one_s_page(sample_workspace: Path) -> None:
    """A run's name is a conversation: no page is written over."""
    for question in ("How many sessions are there?", "Which channels are there?"):
        cli_run(["ask", question, "--workspace", str(sample_workspace), "--run", "two"])
    folder = sample_workspace / "runs" / "two"
    asked = [read_traces(folder / name)[0].query for name in ("trace.jsonl", "trace-2.jsonl")]
    assert asked == ["How many sessions are there?", "Which channels are there?"]
    assert (folder / "report-2.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "basic-motion"], "basic-motions"),
        (["--model", "local:nowhere"], "nowhere"),
        (["--run", "../up"], "--run"),
        (["--data", "[/bold]"], "[/bold]"),
    ],
)
def test_ask_exits_with_2_and_says_why(
    arguments: list[str], said: str, sample_workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong name is one clear line, with the nearest valid name where there is one."""
    with pytest.raises(SystemExit) as stop:
        cli.main(["ask", "How many sessions?", "--workspace", str(sample_workspace), *arguments])
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert "\nerror: " in f"\n{error}"
    assert said in error


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("What is the mean of accelerometer.x between seconds 100 and 200?", "end by 10 s"),
        ("Wie viele Sitzungen gibt es?", "did not understand"),
    ],
)
def test_ask_exits_with_3_when_a_question_is_not_answered(
    question: str, said: str, sample_workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A step that cannot be done, or a question in unknown words, is no success for a script."""
    with pytest.raises(SystemExit) as stop:
        cli.main(["ask", question, "--workspace", str(sample_workspace)])
    assert stop.value.code == 3
    printed = " ".join(capsys.readouterr().out.split())
    assert said in printed
    assert "every number from a tool result" not in printed
    assert "the question was not answered" in printed


@pytest.mark.parametrize("question", ["", "  "])
def test_ask_refuses_an_empty_question_before_it_writes_anything(
    question: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One clear error with an example; no workspace, no run."""
    with pytest.raises(SystemExit) as stop:
        cli.main(["ask", question, "--workspace", str(tmp_path / "new")])
    assert stop.value.code == 2
    assert "error: The question is empty." in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_summary_of_a_tool_result_is_one_line() -> None:
    """Only telling keys, no nested JSON."""
    content = json.dumps({"n_sessions": 3, "metrics": {"mae": {"value": 1.25}}, "detail": {"x": 1}})
    assert summarise(content) == "n_sessions=3  mae=1.25"
    assert not summarise("not json")
    assert not summarise("[1]")


def test_watcher_prints_no_control_character_of_the_data() -> None:
    """A label or an error that holds an escape sequence cannot steer the terminal."""
    shown = io.StringIO()
    call = AIMessage("", tool_calls=[{"name": "t", "args": {"a": "\x1b[31m"}, "id": "1"}])
    results = [
        ToolMessage(json.dumps({"dataset": "\x1b[2J"}), tool_call_id="1"),
        ToolMessage("\x1b]0;x", tool_call_id="1", status="error"),
    ]
    with Watcher(Console(file=shown)) as watcher:
        watcher.on_event("updates", {"tools": {"messages": [call, *results]}})
    assert "\x1b" not in shown.getvalue()


def test_watcher_ignores_events_it_does_not_know() -> None:
    """A stream of another version does not stop the run."""
    with Watcher(Console(file=io.StringIO())) as watcher:
        watcher.on_event("custom", {"step": {"tool": "x"}})
        watcher.on_event("updates", {"plan": None})
        watcher.on_event("debug", object())


def test_labels_are_asked_for_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the person types becomes window id → label; a skipped window is left out."""
    asked = {
        "labels": ["walking", "standing"],
        "windows": [
            {"window_id": f"s@{i}", "session_id": "s", "start_s": i, "end_s": i + 4} for i in (0, 2)
        ],
    }
    answers = iter(["walking", "skip"])
    monkeypatch.setattr(ask_console.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(ask_console.Prompt, "ask", lambda *_, **__: next(answers))
    given = ask_console.reply_of_person(Console(file=io.StringIO()), asked, "r")
    assert given == {"s@0": "walking"}


def test_labels_cannot_be_asked_for_without_a_terminal() -> None:
    """In a pipe the run waits, and the error says how to take it up."""
    with pytest.raises(DataError, match="--run r"):
        ask_console.reply_of_person(Console(file=io.StringIO()), {"windows": []}, "r")
