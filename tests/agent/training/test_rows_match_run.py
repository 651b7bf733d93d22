"""Training rows against what a model was really given in a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage, convert_to_openai_messages
from langchain_core.outputs import ChatResult
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import Field

from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.graph import build_graph
from tool_use_om.agent.models.chat_template import as_turns
from tool_use_om.agent.offline.model import OfflineModel
from tool_use_om.agent.record.trace import Trace, trace_from_state
from tool_use_om.agent.training.rows import export
from tool_use_om.data.workspace import Workspace


class Recorder(OfflineModel):
    """The offline model; keeps what it was given."""

    given: list[Any] = Field(default_factory=list)

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        self.given.append((as_turns(map(_plain, messages)), list(kwargs.get("tools") or ())))
        return super()._generate(messages, *args, **kwargs)


def _plain(message: BaseMessage) -> dict[str, Any]:
    return dict(convert_to_openai_messages(message))


@pytest.mark.parametrize("earlier", [None, "How many sessions are there?"], ids=["first", "second"])
def test_rows_are_exactly_what_the_model_was_given(
    sample_workspace: Path, earlier: str | None
) -> None:
    """Prompts, working set of each step, conversation and tools: row for call, in order."""
    model = Recorder()
    graph = build_graph(model=model, checkpointer=InMemorySaver())
    context = AgentContext(workspace=str(sample_workspace))
    thread = {"configurable": {"thread_id": "one"}}
    if earlier:
        graph.invoke({"question": earlier}, thread, context=context)
        model.given.clear()
    question = "Compare the variance of the channels while running"
    graph.invoke({"question": question}, thread, context=context)
    place = Workspace.at(sample_workspace)
    trace = trace_from_state(graph.get_state(thread).values, workspace=place)  # type: ignore[arg-type]  # a plain dict
    found = export([Trace.model_validate_json(trace.model_dump_json())], place)
    assert not found.rejected, found.rejected[0]["reason"]
    assert [(row["messages"][:-1], row["tools"]) for row in found.kept] == model.given
    assert len(model.given) > 4
