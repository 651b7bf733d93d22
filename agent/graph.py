"""The wiring of the nodes: plan → act ⇄ tools → interpret → verify.

No checkpointer is compiled in: a server brings its own, the command line uses SQLite, and
`build_graph(checkpointer=…)` takes any other, Postgres for example::

    from langgraph.checkpoint.postgres import PostgresSaver

    with PostgresSaver.from_conn_string("postgresql://…") as saver:
        graph = build_graph(checkpointer=saver)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.nodes import Nodes, after_act, after_plan, after_verify
from tool_use_om.agent.state import AgentInput, AgentOutput, AgentState

# two steps a tool call, at most 100 calls (AgentContext.max_tool_calls), and the steps around them
RECURSION_LIMIT = 220

Agent = CompiledStateGraph[AgentState, AgentContext, AgentInput, AgentOutput]


def build_graph(
    *,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
    model: BaseChatModel | None = None,
    tools: Sequence[BaseTool] | None = None,
) -> Agent:
    """Compile the agent.

    Parameters
    ----------
    checkpointer : where runs are kept, so that they can resume and be asked again; None = nowhere
        (in a server or as a subgraph: the parent's)
    model : a chat model that can call tools; None = the one each run's context names
    tools : None = every tool of this package
    """
    if tools is None:
        from tool_use_om.tools.langchain import build_tools

        tools = build_tools()
    nodes = Nodes(tools, model=model)
    builder = StateGraph(
        AgentState,
        context_schema=AgentContext,
        input_schema=AgentInput,
        output_schema=AgentOutput,
    )
    builder.add_node("plan", nodes.plan)
    builder.add_node("act", nodes.act)
    builder.add_node("tools", nodes.tools)
    builder.add_node("interpret", nodes.interpret)
    builder.add_node("verify", nodes.verify)
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", after_plan, ["act", "verify"])
    builder.add_conditional_edges("act", after_act, ["tools", "interpret"])
    builder.add_edge("tools", "act")
    builder.add_edge("interpret", "verify")
    builder.add_conditional_edges("verify", after_verify, ["interpret", END])
    compiled = builder.compile(checkpointer=checkpointer, name="tool-use-om")
    return compiled.with_config(recursion_limit=RECURSION_LIMIT)
