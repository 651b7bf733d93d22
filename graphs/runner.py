"""Run a question with its state kept in a SQLite file, so that a run that was killed goes on.

Every step is on disk before the next one starts (durability "sync"): after Ctrl-C, `kill -9` or a
power cut, the same thread id resumes at the step that was interrupted, and no finished tool call is
run again. Ctrl-C lets the call that is running finish first, and keeps its result.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Any, Literal, cast

from langchain_core.runnables import RunnableConfig
from langgraph.graph import START
from langgraph.types import Command, StateSnapshot

from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.graph import Agent, build_graph
from tool_use_om.agent.state import AgentInput
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.format.hashing import check_unchanged, fingerprint
from tool_use_om.data.workspace import Workspace, atomic_file, check_name

OnEvent = Callable[[str, Any], None]
_BUSY_S = 30.0
_MODES: list[Literal["updates", "custom"]] = ["updates", "custom"]


def run_question(
    question: str,
    context: AgentContext,
    *,
    thread_id: str,
    saver_path: Path,
    on_event: OnEvent | None = None,
    reply: object = None,
    build: Callable[..., Agent] = build_graph,
) -> dict[str, Any]:
    """Run one question to its end, or resume it where the thread was stopped.

    Parameters
    ----------
    question : what is asked; to resume unfinished work the same again, or empty
    context : model, data set, workspace and limits; give the same ones again to resume
    thread_id : the conversation; a finished thread takes a further question
    saver_path : the SQLite file with all threads' states; created when missing
    on_event : called with (stream mode, payload): "updates" after each step, "custom" for progress
    reply : the answer to an open question of the run (`request_labels`: ``{window_id: label}``)
    build : makes the graph from ``checkpointer=``

    Returns
    -------
    The final state; when the run waits for a person, ``"__interrupt__"`` holds what it asks

    Raises
    ------
    DataError : the thread is in the middle of another question
    TuomError : bad input (a missing data set, …) or a model that failed; the thread can be resumed
    """
    from langgraph.checkpoint.sqlite import SqliteSaver

    saver_path.parent.mkdir(parents=True, exist_ok=True)
    config: RunnableConfig = {"configurable": {"thread_id": thread_id}}
    with closing(_connect(saver_path)) as connection:
        graph = build(checkpointer=SqliteSaver(connection))
        before = graph.get_state(config)
        given = _input(before, question, reply, thread_id)
        _check_data(context, saver_path.parent, thread_id, resumed=bool(before.tasks))
        if before.interrupts and reply is None:
            return _final(before)  # the person is asked again; nothing is run twice
        stream = graph.stream(given, config, context=context, stream_mode=_MODES, durability="sync")
        # its worker threads must be done before the connection is closed, whatever happens here:
        # SQLite ends the whole process otherwise
        with closing(cast("Generator[Any, None, None]", stream)):
            for mode, payload in stream:
                if on_event:
                    on_event(str(mode), payload)
        return _final(graph.get_state(config))


def _check_data(context: AgentContext, root: Path, thread_id: str, *, resumed: bool) -> None:
    """Note what data a run begins on; refuse to go on with a run whose data changed since.

    Raises
    ------
    DataError : a file of the data set is not as it was when the run began
    """
    workspace = Workspace.at(context.workspace)
    folder = workspace.root / "datasets" / context.dataset
    noted = root / "runs" / check_name("A run's name", thread_id) / "data.json"
    if not (folder / "manifest.json").is_file():
        return  # a sample that is built when it is first read, or no such set: said there
    now = fingerprint(folder)
    if resumed and noted.is_file():
        before = json.loads(noted.read_text(encoding="utf-8"))
        if before.get("dataset") == context.dataset:
            check_unchanged(context.dataset, before["files"], now)
            DataSet.open(folder).verify()
        return
    with atomic_file(noted) as partial:
        partial.write_text(json.dumps({"dataset": context.dataset, "files": now}), encoding="utf-8")


def _connect(path: Path) -> sqlite3.Connection:
    # LangGraph writes from its worker threads; the saver itself holds a lock around each write.
    return sqlite3.connect(path, check_same_thread=False, timeout=_BUSY_S)


def _input(
    snapshot: StateSnapshot, question: str, reply: object, thread_id: str
) -> AgentInput | Command[Any] | None:
    """Return what to invoke with: a new question, a person's reply, or None to resume."""
    # `next` leaves out a step whose result is saved but not yet applied; `tasks` does not.
    waiting = {task.name for task in snapshot.tasks}
    if not waiting or waiting == {START}:  # at START nothing has begun, not even the question
        return {"question": question}
    running = str(snapshot.values.get("question") or "")
    if question.strip() and question.strip() != running.strip():
        raise DataError(
            f"Run {thread_id!r} is still in the middle of {running!r}. "
            "Ask that again to finish it, or use another run name."
        )
    # by id: LangGraph takes a bare {} (a person who skipped every window) for no answer at all
    replies = {interrupt.id: reply for interrupt in snapshot.interrupts}
    return Command(resume=replies) if replies else None


def _final(snapshot: StateSnapshot) -> dict[str, Any]:
    state = dict(snapshot.values)
    if snapshot.interrupts:
        state["__interrupt__"] = [i.value for i in snapshot.interrupts]
    return state
