"""The agent and its tools over the Model Context Protocol, by the protocol's own SDK.

`ask_time_series` is the small surface that most clients want: a question in, a sourced answer out,
its figures as images. With `tools="eda"` or `"all"` the tools themselves are offered, too; those of
one `conversation` build on each other, as the agent's do.
"""

from __future__ import annotations

import base64
import inspect
import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import anyio
import anyio.from_thread
import anyio.to_thread
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, ImageContent, TextContent
from pydantic import Field

from tool_use_om.data.catalog import available, open_dataset
from tool_use_om.data.errors import DataError, TuomError
from tool_use_om.data.show.static import pictured
from tool_use_om.data.version import package_version
from tool_use_om.data.workspace import Workspace, check_name
from tool_use_om.graphs.analyst import Analyst, Answer
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.definition import ToolDef
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.registry import TOOLS

Surface = Literal["ask", "eda", "all"]
PHASES: Mapping[Surface, int] = {"ask": 0, "eda": 1, "all": 2}
MOST_FIGURES = 4
INSTRUCTIONS = (
    "Answers questions about recorded time series with numbers that can be traced. Ask "
    "ask_time_series in plain words, and name the data set (list_data_sets shows them). Give the "
    "same `conversation` again to lean on the question before. Show the answer's words as they "
    "are: each number in them was checked against a tool result."
)
PROMPTS = {
    "overview": "What is in the data set {dataset}: how many sessions, which channels and labels?",
    "quality": "Is anything wrong with the data of {dataset}: gaps, missing values, clipping?",
    "unusual": "Find anomalies in {dataset}.",
    "labels": "How well can the labels of {dataset} be told apart?",
    "forecast": "Forecast the channels of {dataset}.",
}


@dataclass
class Desk:
    """What one server offers: a workspace, a model, and the conversations held so far."""

    place: Workspace
    model: str = "offline"
    seed: int = 0
    analysts: dict[tuple[str, str], Analyst] = field(default_factory=dict)
    chosen: dict[str, WorkingSet] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def analyst(self, dataset: str | None, conversation: str | None) -> Analyst:
        """Return who holds a conversation about a data set; one without a name is new."""
        name = dataset or self.only_dataset()
        if conversation is None:
            return Analyst(name, model=self.model, workspace=self.place.root, seed=self.seed)
        key = (check_name("conversation", conversation), name)
        with self.lock:
            if key not in self.analysts:
                self.analysts[key] = Analyst(
                    name, model=self.model, workspace=self.place.root, seed=self.seed,
                    run=f"mcp-{conversation}",
                )  # fmt: skip
            return self.analysts[key]

    def only_dataset(self) -> str:
        """Return a person's only data set; raise DataError where that is not clear."""
        from tool_use_om.data.catalog import SAMPLES

        names = available(self.place)
        own = [name for name in names if name not in SAMPLES]
        if len(own) == 1:
            return own[0]
        raise DataError(f"Name the data set with `dataset`: {', '.join(own or names)}.")


def build_server(desk: Desk, surface: Surface = "ask") -> MCPServer[Any]:
    """Return the server over one workspace.

    Parameters
    ----------
    surface : "ask" = the question and the list of data sets; "eda" = also the tools that look at
        data; "all" = also those that run models
    """
    server: MCPServer[Any] = MCPServer(
        "tool-use-om", title="Time series", instructions=INSTRUCTIONS, version=package_version()
    )
    _add_questions(server, desk)
    _add_resources(server, desk)
    for tool in TOOLS.values():
        if tool.phase <= PHASES[surface]:
            server.add_tool(
                _as_function(tool, desk), name=tool.name, description=tool.description,
                structured_output=False,
            )  # fmt: skip
    return server


def _add_questions(server: MCPServer[Any], desk: Desk) -> None:
    @server.tool(structured_output=False)
    async def ask_time_series(
        question: str = Field(min_length=1, description="In plain language, in seconds."),
        dataset: str | None = Field(None, description="Default: the only one there is."),
        conversation: str | None = Field(
            None, description="Any name; the same again leans on the question before."
        ),
        *,
        ctx: Context[Any, Any],
    ) -> CallToolResult:
        """Ask about a time-series data set: what is in it, find, classify, forecast, compare.

        The answer's numbers are sourced; `structured` holds them with their units.
        """
        return await _in_thread(
            ctx, lambda told: _answered(desk, question, dataset, conversation, told)
        )

    @server.tool(structured_output=False)
    def list_data_sets() -> CallToolResult:
        """List the data sets that can be asked about, each with its title and size."""
        rows = [_row(name, desk.place) for name in available(desk.place)]
        return _result({"data_sets": rows}, "\n".join(f"{r['name']}: {r['title']}" for r in rows))


def _add_resources(server: MCPServer[Any], desk: Desk) -> None:
    @server.resource("tuom://datasets/{name}", mime_type="application/json")
    def data_set(name: str) -> str:
        """Return what a data set holds: channels, labels, sessions, splits."""
        return json.dumps(_row(check_name("data set", name), desk.place), ensure_ascii=False)

    @server.resource("tuom://reports/{run}", mime_type="text/html")
    def report(run: str) -> str:
        """Return the last report of a conversation as a page."""
        folder = desk.place.root / "runs" / check_name("run", run)
        pages = sorted(folder.glob("report*.html"), key=lambda p: p.stat().st_mtime)
        if not pages:
            raise DataError(f"There is no report of a run {run!r}.")
        return pages[-1].read_text(encoding="utf-8")

    for name, text in PROMPTS.items():
        server.prompt(name=name, description=text.format(dataset="a data set"))(_prompt(text))


def _prompt(text: str) -> Callable[[str], str]:
    def prompt(dataset: str) -> str:
        return text.format(dataset=dataset)

    return prompt


class _GoneError(TuomError):
    """The client has left; the run stops at its next step."""


Told = Callable[[str, Any], None]


async def _in_thread(
    ctx: Context[Any, Any], work: Callable[[Told], CallToolResult]
) -> CallToolResult:
    """Run blocking work beside the event loop; it stops at its next step if the client leaves."""
    gone = threading.Event()

    def told(mode: str, payload: object) -> None:
        if gone.is_set():
            raise _GoneError("The client has left.")
        event = payload.get("progress") if mode == "custom" and isinstance(payload, dict) else None
        if event:
            done, total = float(event.get("done") or 0), event.get("total")
            report = partial(ctx.report_progress, done, total, str(event.get("phase") or ""))
            anyio.from_thread.run(report)

    try:
        return await anyio.to_thread.run_sync(work, told, abandon_on_cancel=True)
    except TuomError as error:
        raise ToolError(str(error)) from error
    finally:
        gone.set()


def _answered(
    desk: Desk, question: str, dataset: str | None, conversation: str | None, told: Told
) -> CallToolResult:
    analyst = desk.analyst(dataset, conversation)
    answer = analyst.listening(told).ask(question)
    structured = {
        "answer": answer.text,
        "outcome": answer.outcome,
        "sourced": answer.sourced,
        "choices": list(answer.choices),
        "findings": list(answer.state.get("findings") or []),
        "not_understood": list(answer.state.get("not_understood") or []),
        "result_ids": list(answer.state.get("result_ids") or []),
        "dataset": analyst.dataset,
        "report": f"tuom://reports/{analyst.run}",
    }
    return _result(structured, answer.text, _images(answer))


def _images(answer: Answer) -> list[ImageContent]:
    return [_image(path) for path in answer.figures[:MOST_FIGURES]]


def _image(path: Path) -> ImageContent:
    data = base64.b64encode(path.read_bytes()).decode()
    return ImageContent(type="image", data=data, mime_type="image/png")


def _result(
    structured: dict[str, Any], text: str, images: list[ImageContent] | None = None
) -> CallToolResult:
    content: list[Any] = [TextContent(type="text", text=text), *(images or [])]
    return CallToolResult(content=content, structured_content=structured)


def _row(name: str, place: Workspace) -> dict[str, Any]:
    manifest = open_dataset(name, place).manifest
    channels = [
        {"id": f"{m.name}.{c.name}", "unit": c.unit, "rate_hz": m.rate_hz}
        for m in manifest.modalities
        for c in m.channels
    ]
    labels = {key: list(value) for key, value in manifest.label_sets.items()}
    return {
        "name": name, "title": manifest.title, "licence": manifest.licence,
        "synthetic": manifest.synthetic, "channels": channels, "labels": labels,
    }  # fmt: skip


def _as_function(tool: ToolDef[Any], desk: Desk) -> Callable[..., Awaitable[CallToolResult]]:
    """Return a tool as a function whose signature says what the tool's arguments are."""

    async def call(*, ctx: Context[Any, Any], **given: object) -> CallToolResult:
        conversation = str(given.pop("conversation", None) or "default")
        arguments = {name: value for name, value in given.items() if value is not None}
        return await _in_thread(
            ctx, lambda told: _called(tool, desk, conversation, arguments, told)
        )

    fields = tool.args_model.model_fields.items()
    named = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=one, annotation=one.annotation
        )
        for name, one in fields
    ]
    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what inspect reads first
        [
            *named,
            _parameter("conversation", str | None, None),
            _parameter("ctx", Context[Any, Any], inspect.Parameter.empty),
        ],
        return_annotation=CallToolResult,
    )
    return call


def _parameter(name: str, annotation: object, default: object) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _called(
    tool: ToolDef[Any], desk: Desk, conversation: str, arguments: dict[str, object], told: Told
) -> CallToolResult:
    context = ToolContext(
        workspace=desk.place,
        seed=desk.seed,
        progress=lambda event: told("custom", {"progress": dict(event)}),
    )
    outcome = tool.call(arguments, context, desk.chosen.get(conversation, WorkingSet()))
    desk.chosen[conversation] = outcome.working_set
    figures = [desk.place.root / name for name in outcome.result.artifact.get("figures") or []]
    images = [_image(pictured(path)) for path in figures[:MOST_FIGURES]]
    return _result(outcome.content, json.dumps(outcome.content, ensure_ascii=False), images)
