"""The end of a run: the answer checked, cut where it must be, and put into the conversation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage

from tool_use_om.agent.state import AgentState
from tool_use_om.agent.verify.check import NOTHING_LEFT, Verification, verify
from tool_use_om.agent.verify.findings import Results


def check_answer(
    state: AgentState, store: Results, results: Sequence[Mapping[str, Any]]
) -> Verification:
    """Check the state's findings and draft answer against this turn's results.

    A direct answer (no tool was called) may restate the data-set cards and quote example questions.
    """
    contents = {r["result_id"]: r["content"] for r in results if r["result_id"]}
    also = [json.dumps(r["content"]) for r in results if not r["result_id"]]
    also += state.get("not_understood") or []
    if not results:
        also.append(json.dumps(state.get("datasets") or []))
    return verify(
        state.get("findings") or [],
        state.get("answer") or "",
        store,
        state["question"],
        contents=contents,
        also=also,
        quotes_are_claims=bool(results),
    )


def final_update(state: AgentState, checked: Verification, rounds: int) -> dict[str, Any]:
    """Return the update that ends the run: what stands, and what was cut, said plainly."""
    answer = "\n\n".join([checked.prose or NOTHING_LEFT, *_notes(state, checked)])
    earlier = (state.get("verification") or {}).get("rejected") or []
    return {
        "findings": list(checked.kept),
        "answer": answer,
        "verification": checked.report(rounds=rounds, sent_back=earlier, final=True),
        "messages": [AIMessage(answer)],
    }


def _notes(state: AgentState, checked: Verification) -> list[str]:
    notes = []
    if state.get("stopped"):
        notes.append(f"*Stopped early: {state['stopped']}; this rests on what was found by then.*")
    lower = checked.prose.casefold()
    missed = [p for p in state.get("not_understood") or [] if p.casefold() not in lower]
    if missed:
        notes.append("*Not understood: " + ", ".join(f'"{p}"' for p in missed) + ".*")
    if checked.rejected:
        notes.append(
            f"*{len(checked.rejected)} statement(s) were cut: no tool result supports them.*"
        )
    return notes
