"""What the gate of a raw-space peer says, in notes and in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tool_use_om.tools.run.measures import Candidate, Gate, GateDifference

if TYPE_CHECKING:
    from tool_use_om.heads.trust import gate


def gate_notes(found: Gate | None) -> list[str]:
    """Return the sentence that says who answers and why, where the gate was asked."""
    return [] if found is None else [str(found.why or found.why_not)]


def gate_told(
    decision: gate.Gate,
    rows: list[Candidate],
    metric: str,
    *,
    n_folds: int | None = None,
    compared_on: str | None = None,
) -> Gate:
    """Return what a result says of a gate's decision."""
    gap = decision.difference
    return Gate(
        n_folds=n_folds,
        compared_on=compared_on,
        escalated=decision.escalated,
        answered_by=decision.chosen,
        why=decision.why(metric),
        metric=metric,
        rows=rows,
        difference=GateDifference(
            a=decision.rival,
            b=decision.own,
            metric=metric,
            value=gap.value,
            lower=gap.lower,
            upper=gap.upper,
            clear=gap.clear,
        ),
    )
