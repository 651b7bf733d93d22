"""Labels that a person is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tool_use_om.agent.offline.forms.form import Form
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Cell, Result, plain, ref


def _plan_request(p: Planner, ask: Ask) -> None:
    p.open()
    p.encode(ask)
    p.add("request_labels", "ask for the labels that help most", budget=ask.count or 10)


def tell_requested(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    """Tell how many windows a person was asked about, and what came back."""
    answer.head(
        result, "{given} of the {asked} windows asked about were given a label",
        given=ref("/n_given", "labels given"), asked=ref("/n_asked", "windows asked about"),
    )  # fmt: skip
    rows: list[dict[str, Any]] = result.content.get("windows") or []
    told: list[tuple[Result, Sequence[Cell]]] = [
        (
            result,
            (
                f"`{row['session_id']}`",
                ref(f"/windows/{i}/start_s", f"start of what was asked in {name}", "unit"),
                ref(f"/windows/{i}/end_s", f"end of what was asked in {name}", "unit"),
                plain(str(row.get("suggested") or "")),
                plain(str(row.get("given") or "skipped")),
            ),
        )
        for i, row in enumerate(rows)
        for name in [str(row["session_id"])]
    ]
    answer.section("Most worth a label")
    answer.table(("session", "from", "to", "the head says", "given"), told)
    answer.section("Why these")
    answer.note(
        "They speak for most others, or the head doubts them; one of each session before a second "
        "one of any."
    )
    if result.content.get("n_without_label") == 0:
        answer.note("Every training window has a label already, so these are to be checked.")
    if result.look("/n_given"):
        answer.note("Later runs in this conversation use the labels given.")
    if result.look("/n_given"):
        answer.say(
            result, "{n} of the labels given are what the head would have said.",
            n=ref("/n_agreeing", "labels that agree with the head"),
        )  # fmt: skip


FORM = Form(
    plans={"request": _plan_request},
    tells={"request_labels": tell_requested},
)
