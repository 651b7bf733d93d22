"""A question is understood once: what was parsed travels with the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import ValidationError

from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.graph import build_graph
from tool_use_om.agent.offline import model
from tool_use_om.agent.offline.language.parse import parse
from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.offline.reader.understand import understand
from tool_use_om.agent.record.trace import trace_from_state
from tool_use_om.agent.replies import PlanReply, read_reply
from tool_use_om.data.workspace import Workspace

QUESTION = "Compare the variance of the channels while running"


def test_question_is_parsed_once_a_run(
    sample_workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plan, every act and every interpret share one parse; the trace keeps what it gave."""
    parsed: list[Query] = []

    def counted(*args: Any, **kwargs: Any) -> Query:
        parsed.append(understand(*args, **kwargs))
        return parsed[-1]

    monkeypatch.setattr(model, "understand", counted)
    context = AgentContext(workspace=str(sample_workspace))
    graph = build_graph(checkpointer=InMemorySaver())
    thread: RunnableConfig = {"configurable": {"thread_id": "one"}}
    graph.invoke({"question": QUESTION}, thread, context=context)
    state = graph.get_state(thread).values
    assert len([m for m in state["messages"] if m.type == "tool"]) > 2
    assert len(parsed) == 1
    trace = trace_from_state(state, workspace=Workspace.at(sample_workspace))
    assert Query.from_json(trace.understood) == parsed[0]
    assert parsed[0].asks[0].labels == ("running",)


@given(st.text(max_size=60) | st.sampled_from([QUESTION, "Find walking at 1.5 to 2 Hz for 5 s"]))
def test_query_is_the_same_after_json(question: str) -> None:
    """What travels is what was parsed."""
    query = parse(question)
    assert Query.from_json(query.to_json()) == query


def test_query_of_another_form_is_refused() -> None:
    """A field that a query does not have is an error, not dropped in silence."""
    with pytest.raises(ValidationError):
        Query.from_json({"asks": [], "mood": "good"})


@pytest.mark.parametrize("text", ['{"steps": []}', '{"steps": [], "understood": "all of it"}'])
def test_plan_of_a_model_that_does_not_parse_has_nothing_understood(text: str) -> None:
    """A hosted model leaves the field empty; what it makes up there costs it no repair."""
    assert read_reply(text, PlanReply).understood is None


@pytest.mark.parametrize(
    ("question", "dataset"),
    [
        ("What is the mean heart rate on synthetic-days?", "synthetic-days"),
        ("What is the mean heart rate on the synthetic days?", "synthetic-days"),
        ("Find cycle", "basic-motions"),
        ("How many sessions has the cycle data set?", "cycle"),
        ("How many sessions are in the data set cycle?", "cycle"),
        ('Describe "cycle"', "cycle"),
        ("How long is a walking sequence?", "basic-motions"),
    ],
)
def test_data_set_changes_only_where_one_is_named_as_such(
    question: str, dataset: str, cards: list[dict[str, Any]]
) -> None:
    """A word that happens to be another set's name does not change what a question is about."""
    others = [{"name": "cycle"}, {"name": "walking"}, {"name": "sequence"}]
    assert parse(question, [*cards, *others]).dataset == dataset
