"""Labels that a person is asked for, and those that may be wrong."""

from __future__ import annotations

from collections.abc import Sequence

from tool_use_om.agent.offline.forms.form import Form
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Cell, Result, named, plain, ref
from tool_use_om.tools.run.classify.suspects import SuspectsFound
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


def _plan_mislabelled(p: Planner, ask: Ask) -> None:
    """Plan one run that judges each recording by models which have not seen it."""
    p.open()
    p.fresh()
    p.encode(ask)
    p.head(ask, "classify")
    for label in ask.labels or (None,):
        p.add(
            "run_task", "judge each recording by models that have not seen it",
            suspect_labels=True, target_label=label, sessions=list(ask.sessions),
        )  # fmt: skip


def tell_suspects(answer: Answer, result: Result) -> None:
    """Tell which recordings may carry a wrong label, and how well labels can be told at all."""
    found = result.found(SuspectsFound)
    label, rows = found.target_label, found.suspects
    of = f" labelled {named(label)}" if label else ""
    judged = ref(found.n_judged, "labelled recordings that were judged")
    if not rows:
        answer.head(
            result, f"no recording{of} stands out as mislabelled among the {{n}} that were judged",
            n=judged,
        )  # fmt: skip
    else:
        answer.head(
            result, f"{{m}} of {{n}} recordings{of} may be mislabelled, most likely `{{first}}`, "
            "labelled {given}, which is rather {likely} ({p})" if not label else
            f"{{m}} recordings{of} may be mislabelled, most likely `{{first}}`, which is rather "
            "{likely} ({p})",
            m=ref(found.n_suspects, "recordings whose label may be wrong"),
            first=ref(rows[0].session_id, "recording most likely mislabelled"),
            likely=ref(rows[0].likely, "its likelier label"),
            p=ref(rows[0].probability, "probability of the likelier label"),
            **({} if label else {"n": judged, "given": ref(rows[0].given, "its label")}),
        )  # fmt: skip
    told: list[tuple[Result, Sequence[Cell]]] = []
    for row in rows:
        what = f"that {row.session_id} is"
        cells: tuple[Cell, ...] = (
            f"`{row.session_id}`",
            plain(str(row.given)),
            plain(str(row.likely)),
            ref(row.probability, f"probability {what} {row.likely}"),
            ref(row.probability_given, f"probability {what} {row.given}"),
        )
        told.append((result, cells))
    answer.section("To be looked at")
    answer.table(("recording", "labelled", "likelier", "probability", "of its label"), told)
    answer.section("How to read it")
    answer.say(
        result, "Each recording was judged by models that had seen neither it nor others of its "
        f"{str(found.folds_keep).removesuffix('s')}; for {{share}} of all they name the label that "
        "was given. A person has to decide.",
        share=ref(found.agreed_frac, "recordings whose given label is found again"),
    )  # fmt: skip


FORM = Form(
    plans={"request": _plan_request, "mislabelled": _plan_mislabelled},
    tells={"request_labels": tell_requested},
)
