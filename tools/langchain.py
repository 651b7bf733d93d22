"""The tools as LangChain tools for a LangGraph ToolNode; nothing is computed here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from langgraph.prebuilt import ToolRuntime
from langgraph.types import Command, interrupt

from tool_use_om.data.errors import DataError, NotFoundError, TuomError
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.definition import ToolDef
from tool_use_om.tools.call.results import Result
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.registry import TOOLS, run_tool

Runtime = ToolRuntime[Any, dict[str, Any]]


def build_tools() -> list[BaseTool]:
    """Return every registered tool, in the order of the registry."""
    return [_build(tool) for tool in TOOLS.values()]


def handle_tool_error(error: ToolException) -> str:
    """Return the error as the model shall read it; give this to `ToolNode(handle_tool_errors=…)`.

    Only ToolException reaches it: any other error stops the run, loudly.
    """
    return f"Error: {error}"


def _build(tool: ToolDef[Any]) -> BaseTool:
    return StructuredTool(
        name=tool.name,
        description=tool.description,
        args_schema=tool.schema(),
        func=_wrapper(tool),
        metadata={"phase": tool.phase},
    )


def _wrapper(tool: ToolDef[Any]) -> Callable[..., Command[Any]]:
    def call(runtime: Runtime, **arguments: object) -> Command[Any]:
        try:
            working_set = WorkingSet.of(runtime.state.get("working_set"))
            context = _context(runtime)
            outcome = run_tool(tool.name, arguments, context, working_set)
            _check_same_data(context, runtime.state.get("result_ids") or (), outcome.result)
        except TuomError as error:
            raise ToolException(str(error)) from error
        return _command(tool.name, outcome, runtime.tool_call_id)

    return call


def _check_same_data(context: ToolContext, earlier: Sequence[str], found: Result) -> None:
    """Raise DataError if a data set was replaced since an earlier result of this run on it."""
    name, content = _data_of(found)
    for result_id in reversed(earlier):
        with suppress(NotFoundError):  # results may be tidied away between two questions
            before, held = _data_of(context.results.get(result_id))
            if before == name and held and content and held != content:
                raise DataError(
                    f"The data set {name!r} was replaced since result {result_id} of this run. "
                    "Results from before and after do not belong together; ask in a new run."
                )
            if before == name and held:
                return


def _data_of(result: Result) -> tuple[str | None, str | None]:
    inputs = result.data.get("inputs") or {}
    return (inputs.get("working_set") or {}).get("dataset"), inputs.get("content_hash")


def _command(name: str, outcome: ToolOutcome, call_id: str | None) -> Command[Any]:
    message = ToolMessage(
        content=json.dumps(outcome.content, ensure_ascii=False, allow_nan=False),
        name=name,
        tool_call_id=call_id or "",
        artifact=outcome.result.artifact,
    )
    return Command(
        update={
            "working_set": outcome.working_set.to_state(),
            "result_ids": [outcome.result.id],
            "messages": [message],
        }
    )


def _context(runtime: Runtime) -> ToolContext:
    """Read what a tool needs from the run's context: None, a mapping, or an object with fields."""
    given = runtime.context
    fields: Mapping[str, Any] = (
        given if isinstance(given, Mapping) else vars(given) if given else {}
    )
    return ToolContext(
        workspace=Workspace.at(fields.get("workspace")),
        seed=int(fields.get("seed") or 0),
        dataset=fields.get("dataset"),
        progress=lambda event: runtime.stream_writer({"progress": dict(event)}),
        ask=interrupt,
    )
