"""The agent in somebody else's graph: as a node and as a tool."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.tools import ToolException
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.graph import build_graph
from tool_use_om.graphs.embed import as_tool


@pytest.fixture
def agent(scripted: Any, tools: Any, says: Any, cards: None) -> Any:
    return build_graph(model=scripted(says.honest([says.call("measure", height=2.5)])), tools=tools)


def test_embed_as_a_node_answers_the_parents_last_message(agent: Any, context: Any) -> None:
    """The documented example: messages in and out, our context passed through, steps streamed."""
    builder = StateGraph(MessagesState, context_schema=AgentContext)
    builder.add_node("time_series", agent)
    builder.add_edge(START, "time_series")
    parent = builder.compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "t"}}
    asked = {"messages": [("user", "How high?")]}
    parts = list(
        parent.stream(asked, config, context=context, stream_mode="custom", subgraphs=True)
    )
    assert any("progress" in event for _, event in parts)
    assert parent.get_state(config).values["messages"][-1].text == "It is 2.5 m."


def test_embed_as_a_tool_gives_its_answer_to_the_outer_agent(agent: Any, context: Any) -> None:
    """Another agent calls it by ToolNode and reads JSON: answer, findings, verification."""
    tool = as_tool(agent=agent, workspace=context.workspace)

    def think(state: MessagesState) -> dict[str, Any]:
        if state["messages"][-1].type == "tool":
            return {"messages": [AIMessage("done")]}
        call = {"name": tool.name, "args": {"question": "How high?"}, "id": "1"}
        return {"messages": [AIMessage("", tool_calls=[call])]}

    def route(state: MessagesState) -> str:
        return "tools" if state["messages"][-1].type == "ai" else END

    builder = StateGraph(MessagesState)
    builder.add_node("think", think)
    builder.add_node("tools", ToolNode([tool]))
    builder.add_edge(START, "think")
    builder.add_conditional_edges(
        "think", lambda s: "tools" if s["messages"][-1].tool_calls else END, ["tools", END]
    )
    builder.add_edge("tools", "think")
    parent = builder.compile(checkpointer=InMemorySaver())
    state = parent.invoke({"messages": [("user", "x")]}, {"configurable": {"thread_id": "t"}})
    reply = json.loads(state["messages"][-2].text)
    assert reply["answer"] == "It is 2.5 m."
    assert reply["findings"][0]["value"] == 2.5
    assert reply["verification"]["ok"]


def test_embed_tool_shows_only_question_and_dataset(agent: Any) -> None:
    """The outer model sees two arguments, whatever the agent's state holds."""
    schema = as_tool(agent=agent).tool_call_schema.model_json_schema()
    assert set(schema["properties"]) == {"question", "dataset"}


def test_embed_tool_raises_bad_input_as_a_mendable_error(tools: Any, tmp_path: Any) -> None:
    """A data set that does not exist is told to the outer agent with the nearest names."""
    tool = as_tool(agent=build_graph(tools=tools), workspace=str(tmp_path))
    with pytest.raises(ToolException, match="basic-motions"):
        tool.invoke({"question": "How many?", "dataset": "basic-motion"})
