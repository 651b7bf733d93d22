"""Whether a model calls the right tools with the right arguments.

Each question goes through the agent's own plan and act steps, without the answer. Tools are really
executed, since later calls build on what earlier ones return (a forecast on the segments that a
search found); only those of `RECORDED`, on which no later call builds, check their arguments and
compute nothing. A question is right when every expected call is met (`score_calls`).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import Field

from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.record.trace import calls_of
from tool_use_om.data.errors import TuomError
from tool_use_om.data.values import Json
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.report import Row, Table, with_interval
from tool_use_om.evals.suites.base import BaseSuite, Settings
from tool_use_om.evals.suites.questions.scoring import score_calls, tools_right

RECORDED = ("compare_heads", "interpret_results", "plot_sessions", "request_labels")
MEASURES = {"tools_right": "right tools", "right": "right tools and arguments"}


class ToolSettings(Settings):
    """Settings of the tools suite."""

    model: str = Field("offline", description="offline, google_genai:NAME, local:FOLDER, …")
    split: Literal["dev", "heldout"] | None = Field(None, description="Default: both.")
    limit: int | None = Field(None, ge=1, description="Questions at most, the first ones.")

    @property
    def label(self) -> str:
        """The model, and which questions where not all."""
        return "-".join(str(p) for p in (self.model, self.split, self.limit) if p is not None)


class ToolSuite(BaseSuite):
    """Questions with known right calls, put to one model.

    Parameters
    ----------
    workspace, given : as of `BaseSuite`
    questions : rows as `load_questions` gives; None = those of the files
    chat_model : BaseChatModel or None; None = what `model` names
    """

    name = "tools"
    takes = ToolSettings
    asked: ToolSettings

    def __init__(
        self,
        *,
        workspace: Workspace,
        questions: Sequence[Mapping[str, Any]] | None = None,
        chat_model: BaseChatModel | None = None,
        **given: Json,
    ) -> None:
        from tool_use_om.agent.graph import build_graph
        from tool_use_om.evals.suites.questions.load import load_questions

        super().__init__(workspace=workspace, **given)
        asked = self.asked
        found = list(load_questions(asked.split) if questions is None else questions)
        self._questions = {str(q["id"]): q for q in found[: asked.limit]}
        root = str(workspace.root)
        self._context = AgentContext(model=asked.model, workspace=root, seed=self.seed)
        self._agent = build_graph(tools=recording_tools(), model=chat_model)

    def items(self) -> Sequence[str]:
        """Return the question ids."""
        return list(self._questions)

    def run(self, item: str) -> Row:
        """Plan and act on one question; return its calls and whether they are right."""
        question = self._questions[item]
        context = self._context.model_copy(update={"dataset": question["dataset"]})
        started = time.perf_counter()
        try:
            calls, error = self._calls(str(question["question"]), context), None
        except TuomError as failed:
            calls, error = [], str(failed)
        expect = question["expect"]
        return {
            **{k: question[k] for k in ("question", "dataset", "phase", "template", "split")},
            "tools_right": error is None and tools_right(expect, calls),
            "right": error is None and score_calls(expect, calls),
            "n_calls": len(calls),
            "calls": calls,
            "error": error,
            "seconds": round(time.perf_counter() - started, 3),
        }

    def _calls(self, question: str, context: AgentContext) -> list[dict[str, Any]]:
        last: dict[str, Any] = {}
        stream = self._agent.stream(
            {"question": question},
            context=context,
            stream_mode="values",
            interrupt_before=["interpret", "verify"],
        )
        for value in stream:
            last = value if isinstance(value, dict) else last
        made = calls_of(last.get("messages") or [])
        return [{"tool": c.tool, "args": c.arguments} for c in made if c.ok]

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return the shares of right questions, over all and by phase and split."""
        slices = [("all", "all", list(rows))]
        for phase in sorted({r["phase"] for r in rows}):
            for split in sorted({r["split"] for r in rows}):
                part = [r for r in rows if r["phase"] == phase and r["split"] == split]
                slices.append((phase, split, part))
        shares = tuple(_share(*s) for s in slices if s[2])
        wrong = [r for r in rows if not r["right"]]
        missed = tuple(
            {"question": r["question"], "split": r["split"], "called": _shown(r)} for r in wrong
        )
        return [
            Table(
                title="Tool and argument accuracy",
                note="Groups of the bootstrap: question templates. Failed calls do not count.",
                rows=shares,
            ),
            Table(title="Questions answered wrong", note="What was called.", rows=missed),
        ]


def _share(phase: str, split: str, rows: Sequence[Row]) -> dict[str, str]:
    from tool_use_om.heads.numeric.metrics import bootstrap_interval

    cells = {"phase": phase, "split": split, "questions": str(len(rows))}
    groups = [str(r["template"]) for r in rows]
    for measure, title in MEASURES.items():
        found = bootstrap_interval([float(r[measure]) for r in rows], groups=groups, share=True)
        cells[title] = with_interval(found.value, found.lower, found.upper)
    seconds = sorted(float(r["seconds"]) for r in rows)
    cells["calls"] = f"{sum(int(r['n_calls']) for r in rows) / len(rows):.1f}"
    return {**cells, "median seconds": f"{seconds[len(seconds) // 2]:.2f}"}


def _shown(row: Row) -> str:
    if row["error"]:
        return f"error: {row['error'][:160]}"
    made = [f"{c['tool']}({json.dumps(c['args'], ensure_ascii=False)})" for c in row["calls"]]
    return "; ".join(made)[:300] or "nothing"


def recording_tools() -> list[BaseTool]:
    """Return every tool; those of `RECORDED` check their arguments and compute nothing."""
    from tool_use_om.tools.langchain import build_tools

    return [_recorder(t.name) if t.name in RECORDED else t for t in build_tools()]


def _recorder(name: str) -> BaseTool:
    from tool_use_om.tools.registry import tool_def

    tool = tool_def(name)
    return StructuredTool(
        name=name,
        description=tool.description,
        args_schema=tool.schema(),
        func=_checked(name),
    )


def _checked(name: str) -> Callable[..., str]:
    def record(**arguments: object) -> str:
        from tool_use_om.tools.registry import tool_def

        try:
            tool_def(name).checked(arguments)
        except TuomError as error:
            raise ToolException(str(error)) from error
        return json.dumps({"note": "recorded, not run: only the choice of calls is judged here"})

    return record
