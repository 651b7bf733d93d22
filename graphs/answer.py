"""One question in, one sourced answer out: the narrow, typed face of the agent, for MCP.

Over MCP each graph of `langgraph.json` is one tool that takes the input schema below and returns
the output. A2A speaks in messages, which `graph` takes; a data part reaches this graph, too.
"""

from __future__ import annotations

from typing import Any, Required

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from tool_use_om.agent.context import AgentContext, coerce_context
from tool_use_om.agent.graph import Agent, build_graph
from tool_use_om.data.errors import DataError


class AnswerInput(TypedDict, total=False):
    """The question, and the data set it is about (default: the run context's)."""

    question: Required[str]
    dataset: str | None


class AnswerOutput(TypedDict):
    """The checked prose, what kind of end it is, the sourced values, and the stored results."""

    answer: str
    outcome: str
    findings: list[dict[str, Any]]
    verification: dict[str, Any]
    result_ids: list[str]
    not_understood: list[str]


class _AnswerState(AnswerInput, AnswerOutput, total=False):
    pass


Answer = CompiledStateGraph[_AnswerState, AgentContext, AnswerInput, AnswerOutput]


def build_answer(agent: Agent) -> Answer:
    """Compile the narrow graph over an agent."""

    def respond(state: _AnswerState, runtime: Runtime[AgentContext]) -> dict[str, Any]:
        if "question" not in state:
            raise DataError(
                '`question` is missing. Send {"question": "How many sessions are there?"}.'
            )
        context = coerce_context(runtime.context)
        if dataset := state.get("dataset"):
            context = context.model_copy(update={"dataset": dataset})
        return answer_of(agent, state["question"], context, runtime)

    builder = StateGraph(
        _AnswerState,
        context_schema=AgentContext,
        input_schema=AnswerInput,
        output_schema=AnswerOutput,
    )
    builder.add_node("respond", respond)
    builder.add_edge(START, "respond")
    builder.add_edge("respond", END)
    return builder.compile(name="ask_time_series")


def answer_of(
    agent: Agent, question: str, context: AgentContext, runtime: Runtime[Any] | None = None
) -> dict[str, Any]:
    """Run the agent on one question and return what `AnswerOutput` names.

    Parameters
    ----------
    runtime : where the agent's progress is passed on to; None = nowhere

    Raises
    ------
    DataError : the run stopped to ask a person, and there is nobody to ask
    TuomError : bad input, or a model that failed
    """
    state: dict[str, Any] = {}
    stream = agent.stream({"question": question}, context=context, stream_mode=["custom", "values"])
    for mode, payload in stream:
        if mode == "values" and isinstance(payload, dict):
            state = payload
        elif runtime is not None:
            runtime.stream_writer(payload)
    if not state.get("answer"):
        raise DataError(
            "The run stopped to ask a person for labels, and nobody can be asked here. "
            "Ask in other words, or run it in a graph with a checkpointer."
        )
    return {name: state.get(name) for name in AnswerOutput.__annotations__}


answer = build_answer(build_graph())
