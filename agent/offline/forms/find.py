"""Words for the results of run_task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tool_use_om.agent.offline.forms.form import Form, lengths_of
from tool_use_om.agent.offline.forms.trust import (
    head_abstained,
    tell_abstained,
    unit_of,
    verdict_on,
)
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Cell, Result, named, number, ref
from tool_use_om.tools.run.classify.found import Classified, FoundStretch

_SHOWN = 3


def _tell_classified(answer: Answer, result: Result, query: Query) -> None:
    found = result.found(Classified)
    target, unit = found.target_label, unit_of(found)
    kinds = {ask.kind for ask in query.asks}
    if target:
        if not kinds & {"rhythm", "channels", "why"}:  # then the explanation has the headline
            _found(answer, result, found, target)
        _stretches(answer, result, found, target)
    elif "why" not in kinds and not head_abstained(answer, result, query):
        answer.head(
            result, f"{{accuracy}} of the held-out {unit} were classified correctly",
            accuracy=ref(found.metrics.accuracy.value, f"share of {unit} named rightly"),
        )  # fmt: skip
    answer.section("How sure")
    _accuracy(answer, result, found)
    tell_abstained(answer, result, query)
    if target and found.target is not None:
        answer.say(
            result, f"Of the {unit} called {named(target)}, {{precision}} really are; of the "
            f"{unit} that are {named(target)}, {{recall}} were found.",
            precision=ref(found.target.precision, f"{unit} called {target} that are"),
            recall=ref(found.target.recall, f"{unit} of {target} that were found"),
        )  # fmt: skip
    if found.coverage is not None:
        answer.section("Sets of possible activities")
        answer.say(
            result, "The sets of possible activities, built to include the true one {nominal} of "
            f"the time, include it {{empirical}} of the time{verdict_on(found.coverage, unit)}.",
            nominal=ref(found.coverage.nominal, "share of prediction sets meant to be right"),
            empirical=ref(found.coverage.empirical, "share of prediction sets that are right"),
        )  # fmt: skip


def _found(answer: Answer, result: Result, found: Classified, target: str) -> None:
    total = ref(found.judged_on.n_sessions, "held-out sessions")
    if found.n_segments == 0:
        answer.head(
            result, f"{named(target)} was found in none of the {{total}} held-out sessions",
            total=total,
        )  # fmt: skip
        return
    answer.head(
        result, f"{named(target)} was found in {{n}} of the {{total}} held-out sessions",
        n=ref(found.n_sessions_found, f"held-out sessions in which {target} was found"),
        total=total,
    )  # fmt: skip


def _stretches(answer: Answer, result: Result, found: Classified, target: str) -> None:
    if not found.segments:
        return
    answer.section("Found")
    whole = _whole_sessions(answer, found.segments)
    if whole:
        of, length = whole
        answer.say(
            of, "Each session ({length}) was judged as a whole. The most certain ones:",
            length=ref(length, "length of each of the sessions found whole"),
        )  # fmt: skip
    else:
        answer.note("The most certain stretches:")
    rows = [_stretch(row, target, spans=not whole) for row in found.segments[:_SHOWN]]
    headings = ("session", "confidence") if whole else ("session", "from", "to", "confidence")
    answer.table(headings, [(result, cells) for cells in rows])


def _whole_sessions(
    answer: Answer, segments: Sequence[FoundStretch]
) -> tuple[Result, float] | None:
    """Return the statistics of the sessions if all are of one length, and found from end to end."""
    counted = ((r, lengths) for r in answer.results if (lengths := lengths_of(r)))
    stats, lengths = next(counted, (None, None))
    if stats is None or lengths is None:
        return None
    whole = all(row.start_s == 0 and row.end_s == lengths.max for row in segments)
    return (stats, lengths.max) if whole and lengths.min == lengths.max else None


def _stretch(row: FoundStretch, target: str, *, spans: bool) -> tuple[Cell, ...]:
    name = row.session_id
    when = " to ".join(f"{number(float(end))} s" for end in (row.start_s, row.end_s))
    doubt = " (unsure)" if row.in_prediction_set is False else ""
    ends = (
        ref(row.start_s, f"start of {target} in {name}"),
        ref(row.end_s, f"end of {target} in {name}"),
    )
    confidence = ref(row.confidence, f"confidence that {name} is {target}, {when}")
    return (f"`{name}`{doubt}", *(ends if spans else ()), confidence)


def _accuracy(answer: Answer, result: Result, found: Classified) -> None:
    unit, accuracy = unit_of(found), found.metrics.accuracy
    refs = {
        "accuracy": ref(accuracy.value, f"held-out {unit} named rightly"),
        "lower": ref(accuracy.lower, f"{unit} named rightly, lower end"),
        "upper": ref(accuracy.upper, f"{unit} named rightly, upper end"),
    }
    guessed = ""
    if found.chance.accuracy is not None:
        guessed = "; always guessing the most common activity would get {chance}"
        what = "accuracy of always naming the commonest activity"
        refs["chance"] = ref(found.chance.accuracy, what)
    warned = ""
    if accuracy.note:
        refs["groups"] = ref(accuracy.n_groups, "people or sessions behind the interval")
        warned = "; with only {groups} people or sessions, the interval is rough"
    answer.say(
        result,
        f"{{accuracy}} of the held-out {unit} are classified correctly (95 % interval {{lower}} "
        f"to {{upper}}){guessed}{warned}.",
        **refs,
    )


def _plan_find(p: Planner, ask: Ask) -> None:
    if any(_same_search(ask, earlier) for earlier in p.searched):
        return  # one run answers both, such as cadence and salient channels of one activity
    p.searched.append(ask)
    if ask.kind == "find" and ask.labels and not ask.excluded and len(p.names.session_ids) == 1:
        p.add(
            "show_session_stats", "read when the labels hold", dataset=p.query.dataset,
            stretches_of=list(ask.labels),
        )  # fmt: skip
    p.open()
    p.fresh()
    if ask.start_s is not None or ask.end_s is not None or ask.split:
        p.narrow(ask, labels=False)
    p.encode(ask)
    p.head(ask, "classify", shots=ask.shots)
    for label in ask.labels[:4] or (None,):
        p.add(
            "run_task", f"find {label}" if label else "recognise every activity",
            target_label=label, sessions=list(ask.sessions), coverage=ask.coverage,
            labels_per_class=ask.shots, **dict(ask.options),
        )  # fmt: skip
        p.add("interpret_results", "explain what was found")


def _same_search(ask: Ask, earlier: Ask) -> bool:
    return replace(ask, kind="find", topic="") == replace(earlier, kind="find", topic="")


FORM = Form(
    plans=dict.fromkeys(("find", "classify", "why", "rhythm", "channels"), _plan_find),
    runs={"classify": _tell_classified},
)
