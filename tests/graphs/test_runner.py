"""Runs kept in SQLite: resumed after a kill, asked again, interrupted, refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import ToolMessage
from langchain_core.tools import tool

from tool_use_om.agent.graph import build_graph
from tool_use_om.agent.models.resolve import ModelError
from tool_use_om.data.errors import DataError
from tool_use_om.graphs.runner import run_question

CHILD = """
import importlib.util, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell hands it down ignored
from functools import partial
from pathlib import Path
spec = importlib.util.spec_from_file_location("helpers", "{tests}/conftest.py")
h = sys.modules["helpers"] = importlib.util.module_from_spec(spec); spec.loader.exec_module(h)
import tool_use_om.agent.nodes as nodes
nodes.dataset_cards = lambda *a: [{{"name": "towers", "n_sessions": 7}}]
from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.graph import build_graph
from tool_use_om.graphs.runner import run_question
log = Path(sys.argv[1]); root = Path(sys.argv[2]); slow = sys.argv[3]
inner = h.measure.func
def logged(height, runtime):
    with log.open("a") as f:
        f.write(f"start {{height}}\\n")
    if slow and height == 3.0:
        time.sleep(2)
    return inner(height, runtime)
h.measure.func = logged
calls = [h.call("measure", height=x) for x in (1.0, 2.0, 3.0, 4.0)]
model = h.ScriptedModel(script=h.honest(calls, "The height is 1.0 m."), asked=[])
state = run_question(
    "How high?", AgentContext(workspace=str(root / "ws")), thread_id="run",
    saver_path=root / "checkpoints.sqlite",
    build=partial(build_graph, model=model, tools=[h.measure]),
)
texts = [m.text for m in state["messages"] if m.type == "tool"]
print([state["answer"], state["findings"], state["result_ids"], texts])
"""


def child(root: Path, *, slow: bool) -> subprocess.Popen[str]:
    code = CHILD.format(tests=Path(__file__).parent)
    args = [sys.executable, "-c", code, str(root / "log"), str(root), "slow" if slow else ""]
    return subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(true: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def finish(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sign", "starts"),
    [(signal.SIGKILL, "1.0 2.0 3.0 3.0 4.0"), (signal.SIGINT, "1.0 2.0 3.0 4.0")],
)
def test_runner_resumes_a_killed_run_without_repeating_finished_calls(
    tmp_path: Path, sign: signal.Signals, starts: str
) -> None:
    """After kill -9 in the third call, only it and the fourth run; the answer is equal.

    Ctrl-C lets the running call finish and keeps its result: then only the fourth runs.
    """
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    log = cut / "log"
    process, reference = child(cut, slow=True), child(whole, slow=False)
    try:
        wait_for(lambda: log.exists() and "start 3.0" in log.read_text())
    finally:
        os.kill(process.pid, sign)
        process.communicate(timeout=60)
    assert process.returncode != 0
    assert finish(child(cut, slow=False)) == finish(reference)
    assert log.read_text().replace("start ", "").split() == starts.split()


@pytest.fixture
def ask(scripted: Any, context: Any, tools: Any, tmp_path: Path) -> Any:
    def go(script: Any, question: str, *, tools: Any = tools, **more: Any) -> dict[str, Any]:
        build = partial(build_graph, model=scripted(script), tools=tools)
        path = tmp_path / "new" / "checkpoints.sqlite"
        return run_question(
            question, context, thread_id="run", saver_path=path, build=build, **more
        )

    return go


def failing(says: Any) -> Any:
    """Return a script whose model fails when it shall act."""
    honest = says.honest([says.call("measure", height=2.5)])

    def script(phase: str, facts: Any, messages: Any) -> Any:
        if phase == "act":
            raise ConnectionError("down")
        return honest(phase, facts, messages)

    return script


def test_runner_reports_updates_and_progress(ask: Any, says: Any) -> None:
    """`on_event` hears both stream modes; the state comes back whole."""
    events: list[tuple[str, Any]] = []
    state = ask(
        says.honest([says.call("measure", height=2.5)]),
        "How high?",
        on_event=lambda mode, payload: events.append((mode, payload)),
    )
    assert state["answer"] == "It is 2.5 m."
    assert {mode for mode, _ in events} == {"updates", "custom"}


def test_runner_takes_a_further_question_in_a_finished_thread(ask: Any, says: Any) -> None:
    """The conversation goes on in the same thread."""
    script = says.honest([says.call("measure", height=2.5)])
    ask(script, "How high?")
    state = ask(script, "And now?")
    assert state["question"] == "And now?"
    assert len([m for m in state["messages"] if isinstance(m, ToolMessage)]) == 2


def test_runner_resumes_after_a_failed_model(ask: Any, says: Any) -> None:
    """The plan that was made is not made again once the model is back."""
    with pytest.raises(ModelError, match="down"):
        ask(failing(says), "How high?")
    events: list[Any] = []
    state = ask(
        says.honest([says.call("measure", height=2.5)]),
        "How high?",
        on_event=lambda mode, payload: events.append(payload) if mode == "updates" else None,
    )
    assert "plan" not in [next(iter(e)) for e in events]
    assert state["answer"] == "It is 2.5 m."


def test_runner_refuses_another_question_while_one_is_unfinished(ask: Any, says: Any) -> None:
    """Nothing unfinished is thrown away silently; an empty question resumes."""
    with pytest.raises(ModelError):
        ask(failing(says), "How high?")
    script = says.honest([says.call("measure", height=2.5)])
    with pytest.raises(DataError, match="in the middle of 'How high\\?'"):
        ask(script, "How wide?")
    assert ask(script, "")["question"] == "How high?"


@tool
def ask_person(what: str) -> str:
    """Ask a person."""
    from langgraph.types import interrupt

    return str(interrupt({"what": what}))


def test_runner_waits_for_a_person_and_goes_on_with_the_reply(ask: Any, says: Any) -> None:
    """The question comes back until there is a reply; with one the run ends."""
    script = says.honest([says.call("ask_person", what="label")], "Thanks.")
    state = ask(script, "Label it", tools=[ask_person])
    assert state["__interrupt__"] == [{"what": "label"}]
    again = ask(script, "Label it", tools=[ask_person])
    assert again["__interrupt__"] == [{"what": "label"}]
    state = ask(script, "Label it", tools=[ask_person], reply={"w1": "walking"})
    assert state["answer"].startswith("Thanks.")
    assert "walking" in next(m.text for m in state["messages"] if isinstance(m, ToolMessage))


def test_runner_takes_an_empty_reply_for_an_answer(ask: Any, says: Any) -> None:
    """A person who skips everything has answered, and is not asked again."""
    script = says.honest([says.call("ask_person", what="label")], "Thanks.")
    ask(script, "Label it", tools=[ask_person])
    state = ask(script, "Label it", tools=[ask_person], reply={})
    assert "__interrupt__" not in state
    assert state["answer"].startswith("Thanks.")
