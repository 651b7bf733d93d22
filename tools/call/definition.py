"""What a tool is: its phase, its arguments, its function and what a language model reads of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tool_use_om.tools.call.arguments import Arguments
from tool_use_om.tools.call.check import check_arguments, json_schema
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.working_set import WorkingSet

A = TypeVar("A", bound=Arguments)


@dataclass(frozen=True)
class ToolDef(Generic[A]):
    """One tool, named as its function.

    Parameters
    ----------
    phase : 1 looks at the data, 2 chooses models and runs them
    args_model : what a call may say
    function : does the work; takes the context, the working set and the checked arguments
    description : what a language model reads of it
    """

    phase: int
    args_model: type[A]
    function: Callable[[ToolContext, WorkingSet, A], ToolOutcome]
    description: str

    @property
    def name(self) -> str:
        """The name a model calls it by."""
        return self.function.__name__

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of its arguments, as a language model is shown it."""
        return json_schema(self.name, self.args_model, self.description)

    def checked(self, args: Mapping[str, object]) -> A:
        """Return the arguments as the tool's model; raise DataError that says what to mend."""
        return check_arguments(self.name, self.args_model, args)

    def call(
        self, args: Mapping[str, object], ctx: ToolContext, working_set: WorkingSet
    ) -> ToolOutcome:
        """Check the arguments and run it.

        Raises
        ------
        TuomError : anything the caller can mend, bad arguments included
        """
        return self.function(ctx, working_set, self.checked(args))
