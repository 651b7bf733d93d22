"""Labels: those a person is asked for, when those of the data hold, those that may be wrong."""

from __future__ import annotations

from collections.abc import Sequence

from tool_use_om.agent.offline.forms.form import Form, on_calendar, tell_zone
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Cell, Ref, Result, named, plain, ref
from tool_use_om.tools.call.arguments import FilterByTime
from tool_use_om.tools.look.found import HeldStretch, LabelTimes, SessionsCounted
from tool_use_om.tools.run.classify.suspects import SuspectsFound
from tool_use_om.tools.run.request_labels import LabelsGiven

_LISTED = 10


def tell_stretches(answer: Answer, result: Result) -> None:
    """Tell how often each asked label of the data holds, for how long and when."""
    found = result.found(SessionsCounted)
    rows = found.label_times or []
    held = {str(row.label).casefold() for row in rows}
    when = _when(answer, result)
    for label in result.args.get("stretches_of") or ():
        if str(label).casefold() not in held:
            answer.head(
                result, f"{named(label)} does not occur{when or ' in what you asked about'}"
            )
    for row in rows:
        _tell_times(answer, result, row, when, several=(found.n_sessions_total or 0) > 1)


def _when(answer: Answer, result: Result) -> str:
    """Return the filter of time that was set before, in words: " in January"."""
    before = list(answer.results)[: list(answer.results).index(result)]
    filters = [r for r in before if r.tool == "filter_by_time" and "error" not in r.content]
    if not filters:
        return ""
    asked = filters[-1].asked(FilterByTime)
    cut = any(value is not None for value in (asked.start_s, asked.end_s, asked.tail_s))
    return on_calendar(asked) + (" in the part of each session asked about" if cut else "")


def _tell_times(
    answer: Answer, result: Result, row: LabelTimes, when: str, *, several: bool
) -> None:
    label, first = row.label, row.stretches[0]
    length = ref(row.total_s, f"time with {label}")
    share = ref(row.time_frac, f"share of the recorded time with {label}")
    if row.n_stretches == 1:
        template, refs = _from_to(first, f"{label}")
        answer.head(
            result,
            f"{named(label)} occurs once{when}, {template} ({{length}}, {{share}} of the time)",
            length=length,
            share=share,
            **refs,
        )
        tell_zone(answer, result, row.zone)
        return
    answer.head(
        result, f"{named(label)} occurs {{n}} times{when}, {{length}} in total, {{share}} of "
        "the time",
        n=ref(row.n_stretches, f"stretches of {label}"), length=length, share=share,
    )  # fmt: skip
    if several:
        answer.say(result, "That is in {n} of {all} sessions.",
                   n=ref(row.n_sessions, f"sessions with {label}"),
                   all=ref(result.found(SessionsCounted).n_sessions_total, "sessions"))  # fmt: skip
    alike = row.longest.length_s == row.shortest.length_s
    if alike:
        each = ref(row.longest.length_s, f"length of each {label}")
        answer.say(result, "Each lasts {each}.", each=each)
    for word, stretch in (("longest", row.longest),) * (not alike) + (("last", row.last),):
        template, refs = _from_to(stretch, f"{word} {label}")
        answer.say(
            result, f"The {word} is {template} ({{length}}).",
            length=ref(stretch.length_s, f"length of the {word} {label}"), **refs,
        )  # fmt: skip
    tell_zone(answer, result, row.zone)
    shown = row.stretches[:_LISTED]
    answer.section(
        f"Each {label}" if len(shown) == row.n_stretches else f"The first {len(shown)} of {label}"
    )
    told = [(result, _cells(part, f"{label} {i}", several=several)) for i, part in enumerate(shown)]
    answer.table((*(("session",) if several else ()), "from", "to", "length"), told)


def _ends(part: HeldStretch, what: str) -> tuple[Ref, Ref]:
    """Return the moments of a stretch, its seconds where the session has no date."""
    begin, end = (part.from_, part.to) if part.from_ else (part.start_s, part.end_s)
    return ref(begin, f"start of {what}"), ref(end, f"end of {what}")


def _from_to(part: HeldStretch, what: str) -> tuple[str, dict[str, Ref]]:
    begin, end = _ends(part, what)
    refs = {"begin": begin, "end": end}
    if part.from_:
        return "from {begin} to {end}", refs
    return "from {begin} to {end} of `{of}`", {
        **refs, "of": ref(part.session_id, f"session of {what}"),
    }  # fmt: skip


def _cells(part: HeldStretch, what: str, *, several: bool) -> tuple[Cell, ...]:
    length = ref(part.length_s, f"length of {what}")
    return (*((f"`{part.session_id}`",) if several else ()), *_ends(part, what), length)


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
        "They represent many others, or the head is unsure about them; each session gives one "
        "before any gives a second."
    )
    if found.n_without_label == 0:
        answer.note("Every training window already has a label, so these are for checking.")
    if found.n_given:
        answer.note("Later runs in this conversation use the labels given.")
    if found.n_given:
        answer.say(
            result, "{n} of these labels agree with the head.",
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
    answer.section("Worth checking")
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
