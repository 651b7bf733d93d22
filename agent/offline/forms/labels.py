"""Labels that a person is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from tool_use_om.agent.offline.forms.form import Form
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Cell, Result, plain, ref
from tool_use_om.tools.run.request_labels import LabelsGiven


def _plan_request(p: Planner, ask: Ask) -> None:
    p.open()
    p.encode(ask)
    p.add("request_labels", "ask for the labels that help most", budget=ask.count or 10)


def tell_requested(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    """Tell how many windows a person was asked about, and what came back."""
    found = result.found(LabelsGiven)
    answer.head(
        result, "{given} of the {asked} windows asked about were given a label",
        given=ref(found.n_given, "labels given"), asked=ref(found.n_asked, "windows asked about"),
    )  # fmt: skip
    told: list[tuple[Result, Sequence[Cell]]] = [
        (
            result,
            (
                f"`{row.session_id}`",
                ref(row.start_s, f"start of what was asked in {row.session_id}"),
                ref(row.end_s, f"end of what was asked in {row.session_id}"),
                plain(str(row.suggested or "")),
                plain(str(row.given or "skipped")),
            ),
        )
        for row in found.windows
    ]
    answer.section("Most worth a label")
    answer.table(("session", "from", "to", "the head says", "given"), told)
    answer.section("Why these")
    answer.note(
        "They speak for most others, or the head doubts them; one of each session before a second "
        "one of any."
    )
    if found.n_without_label == 0:
        answer.note("Every training window has a label already, so these are to be checked.")
    if found.n_given:
        answer.note("Later runs in this conversation use the labels given.")
    if found.n_given:
        answer.say(
            result, "{n} of the labels given are what the head would have said.",
            n=ref(found.n_agreeing, "labels that agree with the head"),
        )  # fmt: skip


FORM = Form(
    plans={"request": _plan_request},
    tells={"request_labels": tell_requested},
)
