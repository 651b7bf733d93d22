"""What a tool is: its name, phase, arguments, function and description."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.working_set import WorkingSet

ToolFunction = Callable[[ToolContext, WorkingSet, a.Arguments], ToolOutcome]


@dataclass(frozen=True)
class ToolDef:
    """One tool; its function is imported when it is first called."""

    name: str
    phase: int
    args_model: type[a.Arguments]
    function: str
    description: str

    def load(self) -> ToolFunction:
        """Import the function."""
        module, _, name = self.function.partition(":")
        return cast("ToolFunction", getattr(import_module(module), name))
