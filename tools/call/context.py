"""What a tool may touch besides its arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.results import Result, ResultStore
from tool_use_om.tools.call.working_set import WorkingSet

Progress = Callable[[Mapping[str, Any]], None]
Ask = Callable[[dict[str, Any]], Any]


def silent(_event: Mapping[str, Any]) -> None:
    """Report progress to nobody."""


def nobody(_question: dict[str, Any]) -> NoReturn:
    """Refuse to ask: the tools run without a person (outside a graph)."""
    raise DataError("This step asks a person, and nobody can be asked here. Run it inside a graph.")


@dataclass(frozen=True, kw_only=True)
class ToolContext:
    """The workspace, the seed, and the two ways to reach a person: progress and questions.

    Parameters
    ----------
    workspace : Workspace, where data sets, tokens and results lie
    seed : int, every random choice of a tool derives from it
    dataset : str or None, used while the working set names none
    progress : called with {"phase", "done", "total", "unit"}
    ask : asks a person and returns the answer (a graph's interrupt)
    """

    workspace: Workspace = field(default_factory=Workspace.at)
    seed: int = 0
    dataset: str | None = None
    progress: Progress = silent
    ask: Ask = nobody

    @property
    def results(self) -> ResultStore:
        """The result store of the workspace."""
        return ResultStore(self.workspace)


@dataclass(frozen=True, kw_only=True)
class ToolOutcome:
    """What a tool gives back: short JSON for the model, the new working set, the stored result."""

    content: dict[str, Any]
    working_set: WorkingSet
    result: Result
