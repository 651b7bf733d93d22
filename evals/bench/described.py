"""`tuom bench described`: activities found from their description alone, on held-out sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tool_use_om.evals.report import markdown_table
from tool_use_om.heads.classify.descriptions import ActivityDescription

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


DESCRIBED: Mapping[str, tuple[ActivityDescription, ...]] = {
    # Wrist, 10 Hz, m/s2 less gravity or not; whole sessions of 10 s.
    "basic-motions": (
        ActivityDescription(name="standing", intensity="still"),
        ActivityDescription(
            name="walking", cadence_hz=(0.7, 2.2), intensity="medium", regularity="strong"
        ),
        ActivityDescription(
            name="running", cadence_hz=(1.2, 3.5), intensity="high", regularity="strong"
        ),
        ActivityDescription(name="badminton", intensity="high", regularity="none"),
    ),
    # Wrist, 32 Hz, g. Walking swings the arm once a stride; brushing is three to six strokes a
    # second; lying on a bed or telephoning hardly moves the wrist.
    "hmp": (
        ActivityDescription(
            name="walk", cadence_hz=(0.7, 2.2), intensity_range=(0.12, 0.8), regularity="some"
        ),
        ActivityDescription(
            name="brush_teeth",
            cadence_hz=(2.0, 5.0),
            intensity_range=(0.05, 1.0),
            regularity="some",
        ),
        ActivityDescription(name="use_telephone", intensity_range=(0.0, 0.1), regularity="none"),
        ActivityDescription(
            name="drink_glass",
            cadence_hz=(0.1, 0.6),
            intensity_range=(0.08, 0.3),
            regularity="none",
        ),
    ),
    # Waist, 200 Hz, g. Steps are felt one by one at the waist.
    "sisfall": (
        ActivityDescription(
            name="walking slowly", cadence_hz=(1.2, 1.8), intensity_range=(0.08, 0.3)
        ),
        ActivityDescription(
            name="walking quickly", cadence_hz=(1.7, 2.4), intensity_range=(0.2, 0.6)
        ),
        ActivityDescription(
            name="jogging slowly", cadence_hz=(2.0, 2.8), intensity_range=(0.5, 1.2)
        ),
        ActivityDescription(
            name="jogging quickly", cadence_hz=(2.5, 3.6), intensity_range=(0.8, 2.5)
        ),
    ),
    # Wrist, 50 Hz, m/s2 (our own simulator).
    "synthetic-days": (
        ActivityDescription(name="resting", intensity="still"),
        ActivityDescription(name="walking", cadence_hz=(0.7, 1.15), intensity="medium"),
        ActivityDescription(name="running", cadence_hz=(1.2, 3.5), intensity="high"),
        ActivityDescription(name="cycling", cadence_hz=(1.0, 1.75), intensity="medium"),
    ),
}
