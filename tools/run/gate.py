"""What the gate of a raw-space peer says, in notes and in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tool_use_om.heads.numeric.metrics import Interval
    from tool_use_om.heads.trust.gate import Gate


def gate_notes(gate: dict[str, Any] | None) -> list[str]:
    """Return the sentence that says who answers and why, where the gate was asked."""
    return [] if gate is None else [str(gate.get("why") or gate["why_not"])]


def gate_json(decision: Gate, rows: list[dict[str, Any]], metric: str) -> dict[str, Any]:
    """Return what a result says of a gate's decision."""
    gap = decision.difference
    return {
        "escalated": decision.escalated,
        "answered_by": decision.chosen,
        "why": decision.why(metric),
        "metric": metric,
        "rows": rows,
        "difference": {
            "a": decision.rival,
            "b": decision.own,
            "metric": metric,
            **short(gap),
            "clear": gap.clear,
        },
    }


def short(interval: Interval) -> dict[str, float]:
    """Return a value with its interval, without what it was measured on."""
    return {key: getattr(interval, key) for key in ("value", "lower", "upper")}
