"""Tools called as a run calls them, on the shared sample workspace, without LangChain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.registry import run_tool


class Session:
    """A working set and the calls that change it."""

    def __init__(self, ctx: ToolContext) -> None:
        self.ctx = ctx
        self.working_set = WorkingSet(dataset="basic-motions")

    def __call__(self, tool: str, **args: Any) -> dict[str, Any]:
        return self.outcome(tool, **args).content

    def outcome(self, tool: str, **args: Any) -> ToolOutcome:
        outcome = run_tool(tool, args, self.ctx, self.working_set)
        self.working_set = outcome.working_set
        return outcome


@pytest.fixture
def ctx(sample_workspace: Path) -> ToolContext:
    return ToolContext(workspace=Workspace.at(sample_workspace))


@pytest.fixture
def call(ctx: ToolContext) -> Session:
    return Session(ctx)


@pytest.fixture
def new_call() -> Callable[[ToolContext], Session]:
    return Session
