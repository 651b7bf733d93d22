"""The agent inside somebody else's graph: as a tool, or as a node.

As a tool, for any agent that calls tools::

    from langgraph.prebuilt import ToolNode
    from tool_use_om.graphs.embed import as_tool

    tools = ToolNode([as_tool(dataset="basic-motions")])

As a node, in a graph whose state has `messages` (the last human message is asked, the answer is
appended); what the node writes beside `messages` stays inside unless the parent's state has it::

    from langgraph.graph import START, MessagesState, StateGraph
    from tool_use_om.agent.graph import build_graph

    builder = StateGraph(MessagesState)
    builder.add_node("time_series", build_graph())
    builder.add_edge(START, "time_series")
    parent = builder.compile()
    parent.invoke({"messages": [("user", "How many sessions are there?")]})

A parent that has a context of its own may carry our fields in it (`model`, `dataset`, `workspace`,
`seed`, `max_tool_calls`); fields of other names are left alone, and missing ones take our defaults.
A question to a person (`request_labels`) interrupts the parent, which then needs a checkpointer.
"""

from __future__ import annotations

import json

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import BaseModel, ConfigDict, Field

from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.graph import Agent, build_graph
from tool_use_om.data.errors import TuomError
from tool_use_om.data.values import Json
from tool_use_om.graphs.answer import answer_of


class Question(BaseModel):
    """What the tool takes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str = Field(
        min_length=1, description="A question about time-series data, in plain language."
    )
    dataset: str | None = Field(default=None, description="The data set; empty = the default one.")


def as_tool(*, agent: Agent | None = None, **context: Json) -> BaseTool:
    """Return a tool that answers one question about a time-series data set.

    Parameters
    ----------
    agent : from `build_graph`; None = a new one with every tool
    context : fields of `AgentContext`, fixed for all calls

    Returns
    -------
    A tool "ask_time_series": {question, dataset?} → JSON {answer, findings, verification,
    result_ids, not_understood}; bad input and a failing model are raised as ToolException
    """
    base = AgentContext(**context)
    inner = agent or build_graph()

    def ask(question: str, dataset: str | None = None) -> str:
        chosen = base.model_copy(update={"dataset": dataset}) if dataset else base
        try:
            return json.dumps(answer_of(inner, question, chosen), ensure_ascii=False)
        except TuomError as error:
            raise ToolException(str(error)) from error

    return StructuredTool(
        name="ask_time_series",
        description=(
            "Ask a question about a time-series data set (what is in it, find activities, "
            "forecast, find similar or unusual stretches). The answer's numbers are sourced."
        ),
        args_schema=Question,
        func=ask,
    )
