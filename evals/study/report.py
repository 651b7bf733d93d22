"""A study from its cells to what a person reads: parquet, `runner.json`, Markdown and one page."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tool_use_om.data.show.page import inlined, render
from tool_use_om.data.version import package_version
from tool_use_om.data.workspace import atomic_file
from tool_use_om.evals.report import markdown_table
from tool_use_om.evals.study.cases import case_of, known_chances, open_case
from tool_use_om.evals.study.cells import OnCell, Plan, Row, run_cells
from tool_use_om.evals.study.figures import draw_all
from tool_use_om.evals.study.findings import fd_table, hypotheses, judge_event, verdict
from tool_use_om.heads.events.judge import COLLAPSED, EventJudged, Judged
from tool_use_om.heads.events.registry import EVENT_MODELS

if TYPE_CHECKING:
    from tool_use_om.data.workspace import Workspace

_TEMPLATE = Path(__file__).parent / "study.html.j2"
_MET = {True: "met", False: "not met", None: "cannot be told here"}


def run_study(
    plan: Plan, workspace: Workspace, out: Path, *, on_cell: OnCell | None = None
) -> Path:
    """Run what is not finished of a study and write its results; return the Markdown's path.

    Parameters
    ----------
    out : folder: `cells.jsonl` grows by a line a cell; `windows.parquet`, `results.parquet`,
        `runner.json`, `report.md` and `index.html` are written at the end

    Raises
    ------
    DataError : an event that cannot be studied, or a folder that holds another study
    """
    data, cells, about = run_cells(plan, workspace, out, on_cell=on_cell)
    dataset = open_case(plan.data, workspace)
    events = [
        judge_event(
            found, text, [c for c in cells if c["event"] == text],
            known_chances(dataset, found.test.windows),
        )
        for text, found in data.items()
    ]  # fmt: skip
    _write(out / "runner.json", json.dumps(runner(events, plan), indent=1))
    _write_results(events, out / "results.parquet")
    command = command_of(plan)
    _write(out / "index.html", page(events, plan, about, command))
    return _write(out / "report.md", markdown(events, plan, about, command))


def command_of(plan: Plan) -> str:
    """Return the command that runs the study again."""
    words = ["tuom", "study", "threshold", "--data", plan.data]
    for event in plan.events:
        words += ["--event", event]
    for name in ["all"] if plan.models == tuple(EVENT_MODELS) else plan.models:
        words += ["--models", name]
    words += ["--seeds", str(plan.seeds)]
    for size in plan.parameters:
        words += ["--parameters", str(size)]
    return shlex.join(words + (["--context", str(plan.context)] if plan.context else []))


def runner(events: Sequence[EventJudged], plan: Plan) -> list[Row]:
    """Return a row a model and event: id, model, horizon in seconds, metrics."""
    return [
        {
            "id": f"{plan.data}/{event.event}/{m.sized}",
            "model": m.model,
            "horizon": event.horizon_s,
            "metrics": _numbers(m),
        }
        for event in events
        for m in event.models
    ]


def _numbers(m: Judged) -> Row:
    names = (
        "auc", "lower", "upper", "spread", "brier", "brier_calibrated", "brier_of_base_rate",
        "skill", "skill_lower",
        "skill_calibrated", "skill_calibrated_lower", "accuracy", "precision", "recall", "reach",
        "distinct", "seconds",
        "cpu_seconds", "megabytes", "n_parameters", "seeds", "gap", "gap_lower", "gap_upper", "p",
        "p_holm", "to_truth",
    )  # fmt: skip
    return {name: getattr(m, name) for name in names} | {"collapsed": m.collapsed}


def _write_results(events: Sequence[EventJudged], path: Path) -> None:
    import pandas as pd

    rows = [
        {"event": e.event, "model": m.model, "parameters": m.parameters, **_numbers(m)}
        for e in events
        for m in e.models
    ]
    with atomic_file(path) as partial:
        pd.DataFrame(rows).to_parquet(partial)


def _write(path: Path, text: str) -> Path:
    with atomic_file(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return path


def main_table(event: EventJudged) -> list[dict[str, str]]:
    """Return a row a model: ranking, difference from the reference, probabilities, collapse."""
    rows = []
    for m in event.models:
        row = {
            "model": m.sized,
            "seeds": str(m.seeds),
            "AUC": f"{m.auc:.3f} [{m.lower:.3f}, {m.upper:.3f}]",
            "from seed to seed": f"{m.spread:.3f}" if m.seeds > 1 else "–",
            "minus PatchTST": "–"
            if m.gap is None
            else f"{m.gap:+.3f} [{m.gap_lower:+.3f}, {m.gap_upper:+.3f}]",
            "p, Holm": "–" if m.p_holm is None else f"{m.p_holm:.3f}",
            "Brier": f"{m.brier:.4f}",
            "calibrated": f"{m.brier_calibrated:.4f}",
            "skill": f"{m.skill:+.3f} [{m.skill_lower:+.3f}, …]",
            "skill, calibrated": f"{m.skill_calibrated:+.3f} [{m.skill_calibrated_lower:+.3f}, …]",
            "reach": f"{m.reach:.3f}" + (" collapsed" if m.collapsed else ""),
            "distinct": f"{m.distinct:.0%}",
        }
        if event.bayes_auc is not None:
            row["below Bayes"] = f"{event.bayes_auc - m.auc:+.3f}"
            row["from truth"] = "–" if m.to_truth is None else f"{m.to_truth:.3f}"
        rows.append(row)
    return rows


def cost_table(event: EventJudged) -> list[dict[str, str]]:
    """Return a row a model: decisions and what it costs."""
    return [
        {
            "model": m.sized,
            "accuracy": f"{m.accuracy:.3f}",
            "precision": f"{m.precision:.3f}",
            "recall": f"{m.recall:.3f}",
            "parameters": f"{m.n_parameters:,}" if m.n_parameters else "–",
            "MB of weights": f"{m.megabytes:.2f}",
            "CPU s of a fit": f"{m.cpu_seconds:.1f}",
            "s, fit and predict": f"{m.seconds:.1f}",
        }
        for m in event.models
    ]


def facts_of(event: EventJudged) -> str:
    """Return how many windows there are and in how many the event came."""
    parts = ", ".join(
        f"{part} {event.n[part]} windows, {event.came[part]} with it "
        f"in {event.episodes[part]} episodes"
        for part in event.n
    )
    bayes = (
        "" if event.bayes_auc is None else f" The known probability has AUC {event.bayes_auc:.3f}."
    )
    return f"{parts}. Blocks of the bootstrap: {event.block} windows.{bayes}"


HOW_TO_READ = (
    "AUC: how often a window with the event is ranked above one without; 0.5 is chance. Intervals: "
    "95 %, bootstrap over blocks of the test time, mean over seeds. Differences are paired by "
    "block; p is Holm's over all models of an event. Brier: mean squared error of the "
    "probabilities, as said and after a map fitted on validation; skill: 1 minus that over the "
    "Brier of always saying the training share, with the lower end of its interval (two tries). "
    "Reach: largest minus smallest prediction; up to "
    f"{COLLAPSED:g} counts as collapsed. Decisions: at the validation's best F1."
)


def markdown(events: Sequence[EventJudged], plan: Plan, about: Row, command: str) -> str:
    """Return the report as Markdown."""
    parts = [
        f"# Threshold study: {plan.data}",
        f"Command: `{command}` (tool-use-om {package_version()})",
        f"Data content hash: {about['content_hash']}. Context {about['context']} samples; "
        f"split: {about['split']}.",
        HOW_TO_READ,
    ]
    quoted = dict(case_of(plan.data).quoted)
    for event in events:
        parts += [
            f"## {event.event}", verdict(event), facts_of(event),
            markdown_table(main_table(event)), markdown_table(cost_table(event)),
        ]  # fmt: skip
        if event.event in quoted:
            parts.append(f"Quoted elsewhere: {quoted[event.event]}.")
    parts += ["## Hypotheses", markdown_table(hypothesis_table(events))]
    parts += ["## FD-01 to FD-18", markdown_table(fd_table(events))]
    return "\n\n".join(parts) + "\n"


def hypothesis_table(events: Sequence[EventJudged]) -> list[dict[str, str]]:
    """Return H1 to H4 and whether they are met."""
    return [{"hypothesis": h.text, "": _MET[h.met], "why": h.why} for h in hypotheses(events)]


def page(events: Sequence[EventJudged], plan: Plan, about: Row, command: str) -> str:
    """Return the page: one file that loads nothing."""
    quoted = dict(case_of(plan.data).quoted)
    sections = [
        {
            "title": event.event,
            "verdict": verdict(event),
            "told": any(m.beats_the_base_rate for m in event.models),
            "facts": facts_of(event),
            "tables": [main_table(event), cost_table(event)],
            "figures": [{"caption": c, "address": inlined(png)} for c, png in draw_all(event)],
            "quoted": quoted.get(event.event, ""),
            "failed": dict(event.failed),
        }
        for event in events
    ]
    return render(
        _TEMPLATE,
        {
            "title": f"Which model could tell? {plan.data}",
            "eyebrow": "tool-use-om · study of threshold events",
            "command": command,
            "about": about,
            "how": HOW_TO_READ,
            "sections": sections,
            "hypotheses": hypothesis_table(events),
            "rows": fd_table(events),
        },
    )
