"""The agent as Studio and servers load it; `build_graph` compiles one with other parts."""

from __future__ import annotations

from tool_use_om.agent.graph import RECURSION_LIMIT, Agent, build_graph

__all__ = ["RECURSION_LIMIT", "Agent", "build_graph", "graph"]

graph = build_graph()
