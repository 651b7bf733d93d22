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
from tool_use_om.agent.offline.talk.frame import Frame, next_frame
from tool_use_om.agent.state import AgentInput, this_turn
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
    abandon: bool = False,
    back: int = 0,
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
    abandon : leave work of the thread that is not finished, for this question
    back : ask as if the last `back` turns had not been; they stay in the history
    build : makes the graph from ``checkpointer=``

    Returns
    -------
    The final state; when the run waits for a person, ``"__interrupt__"`` holds what it asks

    Raises
    ------
    DataError : the thread is in the middle of another question, or has no `back` turns
    TuomError : bad input (a missing data set, …) or a model that failed; the thread can be resumed
    """
    from langgraph.checkpoint.sqlite import SqliteSaver

    saver_path.parent.mkdir(parents=True, exist_ok=True)
    config: RunnableConfig = {"configurable": {"thread_id": thread_id}}
    with closing(_connect(saver_path)) as connection:
        graph = build(checkpointer=SqliteSaver(connection))
        since = _turns_ago(graph, config, back) if back else config
        before = graph.get_state(since)
        leaves = abandon and bool(question.strip()) and reply is None
        new: AgentInput = {"question": question}
        given = new if leaves else _input(before, question, reply, thread_id)
        resumed = bool(before.tasks) and not leaves
        _check_data(context, saver_path.parent, thread_id, resumed=resumed)
        if before.interrupts and reply is None and not leaves:
            return _final(before)  # the person is asked again; nothing is run twice
        stream = graph.stream(given, since, context=context, stream_mode=_MODES, durability="sync")
        # its worker threads must be done before the connection is closed, whatever happens here:
        # SQLite ends the whole process otherwise
        with closing(cast("Generator[Any, None, None]", stream)):
            for mode, payload in stream:
                if on_event:
                    on_event(str(mode), payload)
        return _final(graph.get_state(config))


def unfinished(thread_id: str, saver_path: Path) -> str:
    """Return the question that a thread was stopped in, "" where it is at rest."""
    state = _saved(thread_id, saver_path)
    return str(state.values.get("question") or "") if state and state.tasks else ""


def frame_of(thread_id: str, saver_path: Path) -> Frame:
    """Return what the next question of a thread can lean on."""
    state = _saved(thread_id, saver_path)
    return (
        next_frame(state.values, this_turn(state.values.get("messages") or []))
        if state
        else Frame()
    )


def _saved(thread_id: str, saver_path: Path) -> StateSnapshot | None:
    from langgraph.checkpoint.sqlite import SqliteSaver

    if not saver_path.is_file():
        return None
    with closing(_connect(saver_path)) as connection:
        graph = build_graph(checkpointer=SqliteSaver(connection))
        return graph.get_state({"configurable": {"thread_id": thread_id}})


def _turns_ago(graph: Agent, config: RunnableConfig, back: int) -> RunnableConfig:
    """Return where the conversation stood before its last `back` turns.

    A turn that was left in the middle counts as one.

    Raises
    ------
    DataError : there are not so many
    """
    ends = turn_ends(graph, config)
    now = graph.get_state(config)
    if now.tasks or now.next:
        ends.insert(0, config)
    if back > len(ends):
        raise DataError(
            f"The conversation has {len(ends)} turn(s), so it cannot go back {back}. "
            "Give a smaller number."
        )
    return ends[back] if back < len(ends) else _beginning(graph, config)


def turn_ends(graph: Agent, config: RunnableConfig) -> list[RunnableConfig]:
    """Return where each turn of a conversation ended, the last one first.

    Turns that were gone back behind are not among them.
    """
    snapshot: StateSnapshot | None = graph.get_state(config)
    ends: list[RunnableConfig] = []
    while snapshot is not None and snapshot.metadata is not None:
        if not snapshot.tasks and not snapshot.next and snapshot.values.get("answer"):
            ends.append(snapshot.config)
        parent = snapshot.parent_config
        snapshot = graph.get_state(parent) if parent else None
    return ends


def _beginning(graph: Agent, config: RunnableConfig) -> RunnableConfig:
    """Return the state before the first question of a conversation."""
    snapshot = graph.get_state(config)
    while snapshot.parent_config:
        snapshot = graph.get_state(snapshot.parent_config)
    return snapshot.config


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
