"""`tuom bench described`: activities found from their description alone, on held-out sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tool_use_om.evals.bench.described_activities import DESCRIBED
from tool_use_om.evals.runner import markdown_table

if TYPE_CHECKING:
    from tool_use_om.tools.call.context import ToolContext


def run(names: Sequence[str], ctx: ToolContext) -> dict[str, dict[str, Any]]:
    """Return what `run_task` answers to the kept descriptions, a data set.

    Raises
    ------
    NotFoundError : a set that is not in the workspace, or has no kept descriptions
    """
    from tool_use_om.data.catalog import open_dataset
    from tool_use_om.data.errors import unknown
    from tool_use_om.tools.call.working_set import WorkingSet
    from tool_use_om.tools.registry import run_tool

    found = {}
    for name in names:
        if name not in DESCRIBED:
            raise unknown("described data set", name, DESCRIBED)
        first = open_dataset(name, ctx.workspace).manifest.modalities[0]
        working_set = WorkingSet().but(
            dataset=name,
            task="classify",
            split="test",
            channels=tuple(f"{first.name}.{c.name}" for c in first.channels),
        )
        given = [d.model_dump(exclude_none=True) for d in DESCRIBED[name]]
        outcome = run_tool("run_task", {"descriptions": given}, ctx, working_set)
        found[name] = dict(outcome.content)
    return found


def render(found: Mapping[str, Mapping[str, Any]], command: str) -> str:
    """Return the Markdown page: accuracy over the sets, then each confusion."""
    rows = [_row(name, content) for name, content in found.items()]
    parts = [f"## Activities found by description\n\n`{command}`\n", markdown_table(rows)]
    for name, content in found.items():
        said = [
            {"true": r["label"], **{k: str(v) for k, v in r["said"].items()}}
            for r in content["confusion"] or []
        ]
        parts.append(f"\n{name}, windows said to be:\n\n{markdown_table(said)}")
    return "\n".join(parts) + "\n"


def _row(name: str, content: Mapping[str, Any]) -> dict[str, str]:
    judged = content["confusion"] or []
    each = [r["said"][r["label"]] / max(sum(r["said"].values()), 1) for r in judged]
    accuracy = content["metrics"]["accuracy"] if judged else None
    return {
        "set": name,
        "activities": str(len(judged)),
        "windows": str(sum(sum(r["said"].values()) for r in judged)),
        "accuracy": "–"
        if accuracy is None
        else f"{accuracy['value']:.3f} [{accuracy['lower']:.3f}, {accuracy['upper']:.3f}]",
        "mean over activities": f"{sum(each) / len(each):.3f}" if each else "–",
        "fits": f"{content['fits']:.3f}",
    }
