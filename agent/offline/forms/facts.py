"""Facts about the data as a whole: who, when, how long, which unit and rate, labels in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tool_use_om.agent.offline.forms.form import tell_zone
from tool_use_om.agent.offline.forms.labels import tell_stretches
from tool_use_om.agent.offline.language.query import Ask
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Cell, Ref, Result, braces, named, plain, ref
from tool_use_om.data.units import SPANS
from tool_use_om.tools.look.found import ChannelRow, LabelRow, SessionsCounted

_SHOWN = 12
_BALANCED = 1.5  # the most frequent label has at most so many times the sessions of the rarest
Tell = Callable[[Answer, Result, SessionsCounted, Ask], None]


def tell_fact(answer: Answer, result: Result, ask: Ask) -> None:
    """Tell each thing that was asked, by its topic."""
    found = result.found(SessionsCounted)
    if not found.n_sessions:
        answer.head(result, "there is no such session in `{name}`", name=_name(found))
        return
    for topic in ask.topic.split():
        if topic in FACTS:
            FACTS[topic](answer, result, found, ask)


def plan_facts(p: Planner, ask: Ask) -> None:
    """Plan one look at the sessions meant; a share of a label is one of all sessions."""
    timed = list(ask.labels) if "stretches" in ask.topic.split() else []
    if ask.calendar or ask.start_s is not None or ask.end_s is not None or ask.tail_s is not None:
        p.open()
        p.narrow(ask, labels=False)
    p.add(
        "show_session_stats", "see what the data hold", dataset=p.query.dataset, stretches_of=timed,
        sessions=list(ask.sessions), subjects=list(ask.subjects), split=ask.split, at_s=ask.at_s,
        **dict[str, Any](p.limits(ask)),
    )  # fmt: skip


def _name(found: SessionsCounted) -> Ref:
    return ref(found.dataset, "data set")


def _units(answer: Answer, result: Result, found: SessionsCounted, ask: Ask) -> None:
    for row in _channels(found, ask):
        channel = braces(str(row.id))
        answer.head(result, f"`{channel}` is in {{unit}}", unit=ref(row.unit, f"unit of {channel}"))


def _rate(answer: Answer, result: Result, found: SessionsCounted, ask: Ask) -> None:
    """Tell how often each channel is sampled; channels of one rate together."""
    rates: dict[float, list[ChannelRow]] = {}
    for row in _channels(found, ask):
        rates.setdefault(float(row.rate_hz), []).append(row)
    for rows in rates.values():
        names = ", ".join(f"`{braces(str(row.id))}`" for row in rows)
        several = len(rows) > 1
        answer.head(
            result, f"{names} {'are' if several else 'is'} sampled every {{period}} ({{rate}})",
            period=ref(rows[0].period_s, "sampling period"),
            rate=ref(rows[0].rate_hz, "sampling rate"),
        )  # fmt: skip


def _channels(found: SessionsCounted, ask: Ask) -> list[ChannelRow]:
    """Return the channels meant, all where none is named."""
    meant = [
        row
        for row in found.channels
        if row.id in ask.channels or row.id.partition(".")[0] in ask.channels
    ]
    return meant or list(found.channels)


def _length(ask: Ask) -> str:
    """Return the style of a length of time: the unit it was asked for in, else as people say it."""
    asked = (word for word, seconds in SPANS.items() if seconds == ask.unit_s)
    return next((f"in-{word}" for word in asked), "unit")


def _span(answer: Answer, result: Result, found: SessionsCounted, ask: Ask) -> None:
    total = ref(found.duration_s.total, "length of all sessions together", _length(ask))
    if found.dates is None or not found.dates.from_:
        answer.head(
            result, "`{name}` has no dates: its sessions count seconds from their own start, "
            "{total} in total", name=_name(found), total=total,
        )  # fmt: skip
        return
    answer.head(
        result, "`{name}` goes from {first} to {last}, which is {length}", name=_name(found),
        first=ref(found.dates.from_, "first moment"), last=ref(found.dates.to, "last moment"),
        length=ref(found.dates.length_s, "from the first moment to the last", _length(ask)),
    )  # fmt: skip
    answer.say(
        result, "{total} of that is recorded, in {n} sessions.", total=total,
        n=ref(found.n_sessions, "sessions"),
    )  # fmt: skip
    tell_zone(answer, result, found.dates.zone)


def _extreme(word: str) -> Tell:
    def tell(answer: Answer, result: Result, found: SessionsCounted, ask: Ask) -> None:  # noqa: ARG001 - same form
        end = found.longest if word == "longest" else found.shortest
        if end is None:
            return
        length, same = ref(end.duration_s, f"{word} session"), end.n
        if same == found.n_sessions and same != 1:
            answer.head(
                result, "all {n} sessions are equally long, {length} each",
                n=ref(found.n_sessions, "sessions"), length=length,
            )  # fmt: skip
            return
        answer.head(
            result, f"the {word} session is `{{session}}`, with {{length}}",
            session=ref(end.session_id, f"{word} session"), length=length,
        )  # fmt: skip
        if same and same > 1:
            answer.say(
                result, f"{{n}} sessions are as {word.removesuffix('est')} as that.",
                n=ref(end.n, "sessions of that length"),
            )  # fmt: skip

    return tell


def _total(answer: Answer, result: Result, found: SessionsCounted, ask: Ask) -> None:
    if ask.labels:
        _label_time(answer, result, found, ask)
        return
    answer.head(
        result, "the recordings total {total}, in {n} sessions",
        n=ref(found.n_sessions, "sessions"),
        total=ref(found.duration_s.total, "length of all sessions together", _length(ask)),
    )  # fmt: skip
    if found.n_sessions > 1:
        answer.say(
            result, "Each lasts {low} to {high}.",
            low=ref(found.duration_s.min, "shortest session"),
            high=ref(found.duration_s.max, "longest session"),
        )  # fmt: skip


def _label_time(answer: Answer, result: Result, found: SessionsCounted, ask: Ask) -> None:
    """Tell a label's time, its share of all time, and in how many sessions it is."""
    for row in found.labels or []:
        if row.label not in ask.labels:
            continue
        label = row.label
        answer.head(
            result, f"{named(label)} accounts for {{time}}, {{share}} of the recorded time",
            time=ref(row.total_s, f"time with {label}", _length(ask)),
            share=ref(row.time_frac, f"share of the time with {label}"),
        )  # fmt: skip
        answer.say(
            result, "It occurs in {n} of {all} sessions ({part}).",
            n=ref(row.n_sessions, f"sessions with {label}"),
            all=ref(found.n_sessions, "sessions"),
            part=ref(row.sessions_frac, f"share of the sessions with {label}"),
        )  # fmt: skip
    answer.say(
        result, "The recordings total {total}.",
        total=ref(found.duration_s.total, "length of all sessions together"),
    )  # fmt: skip


def _stretches(answer: Answer, result: Result, found: SessionsCounted, ask: Ask) -> None:  # noqa: ARG001 - same form
    tell_stretches(answer, result)


def _balance(answer: Answer, result: Result, found: SessionsCounted, ask: Ask) -> None:  # noqa: ARG001 - same form
    rows = found.labels or []
    own = [row for row in rows if row.set == found.label_set]
    if not own:
        answer.head(result, "`{name}` has no labels", name=_name(found))
        return
    most = max(own, key=lambda row: (row.n_sessions, row.total_s))
    least = min(own, key=lambda row: (row.n_sessions, row.total_s))
    times = most.n_sessions / max(least.n_sessions, 1)
    long, short = max(row.total_s for row in own), min(row.total_s for row in own)
    refs = {
        "high": ref(most.n_sessions, f"sessions with {most.label}"),
        "low": ref(least.n_sessions, f"sessions with {least.label}"),
    }
    if most.n_sessions == least.n_sessions and long == short:
        answer.head(
            result, "the labels are balanced: each occurs in {high} sessions", high=refs["high"]
        )
    elif times <= _BALANCED and long <= _BALANCED * max(short, 1e-9):
        answer.head(
            result, f"the labels are balanced: from {{low}} sessions ({named(least.label)}) "
            f"to {{high}} ({named(most.label)})", **refs,
        )  # fmt: skip
    elif times <= _BALANCED:
        answer.head(
            result, "the labels are balanced over sessions ({low} to {high} each), but not in time",
            **refs,
        )  # fmt: skip
    else:
        answer.head(
            result, f"the labels are not balanced: {named(most.label)} occurs in {{high}} "
            f"sessions, {named(least.label)} in {{low}}", **refs,
        )  # fmt: skip
    _label_table(answer, result, rows)


def _label_table(answer: Answer, result: Result, rows: Sequence[LabelRow]) -> None:
    told: list[tuple[Result, Sequence[Cell]]] = []
    for row in rows[: 2 * _SHOWN]:
        cells: tuple[Cell, ...] = (
            plain(row.label),
            ref(row.n_sessions, f"sessions with {row.label}"),
            ref(row.total_s, f"time with {row.label}"),
            ref(row.time_frac, f"share of the time with {row.label}"),
        )
        told.append((result, cells))
    answer.note("")
    answer.table(("label", "sessions", "time", "share of the time"), told)


def _at(answer: Answer, result: Result, found: SessionsCounted, ask: Ask) -> None:  # noqa: ARG001 - same form
    rows = found.at.sessions if found.at else []
    when = ref(found.at and found.at.at_s, "the second asked for")
    if len(rows) == 1:
        labels = ", ".join(named(label) for label in rows[0].labels)
        answer.head(
            result, f"{{at}} into `{braces(str(rows[0].session_id))}` "
            + (f"the label is {labels}" if labels else "there is no label"), at=when,
        )  # fmt: skip
        return
    answer.head(result, "the table gives the labels {at} into each session", at=when)
    told = [
        (result, (f"`{row.session_id}`", plain(", ".join(row.labels) or "no label")))
        for row in rows[:_SHOWN]
    ]
    answer.note("")
    answer.table(("session", "label"), told)


def _labels_of(answer: Answer, result: Result, found: SessionsCounted, ask: Ask) -> None:
    """Tell a session's labels in the order of time."""
    rows = found.stretches or []
    labels = list(dict.fromkeys(str(row.label) for row in rows))
    one = len(ask.sessions) == 1
    whose = f"`{braces(ask.sessions[0])}`" if one else "these sessions"
    listed = ", ".join(named(label) for label in labels)
    answer.head(result, f"{whose} {'is' if one else 'are'} labelled {listed}" if labels else
                f"{whose} {'has' if one else 'have'} no label")  # fmt: skip
    told: list[tuple[Result, Sequence[Cell]]] = []
    for i, row in enumerate(rows[: 2 * _SHOWN]):
        cells: tuple[Cell, ...] = (
            *(() if one else (f"`{row.session_id}`",)),
            plain(str(row.label)),
            ref(row.start_s, f"start of {row.label} {i}"),
            ref(row.end_s, f"end of {row.label} {i}"),
        )
        told.append((result, cells))
    answer.note("")
    answer.table((*(() if one else ("session",)), "label", "from", "to"), told)


def _who(answer: Answer, result: Result, found: SessionsCounted, ask: Ask) -> None:  # noqa: ARG001 - same form
    rows = found.subjects or []
    if not rows:
        answer.head(result, "`{name}` does not say who was recorded", name=_name(found))
        return
    names = ", ".join(named(row.subject) for row in rows[:_SHOWN])
    more = " and others" if len(rows) > _SHOWN else ""
    answer.head(
        result,
        f"{{n}} {'person was' if len(rows) == 1 else 'people were'} recorded: {names}{more}",
        n=ref(found.n_subjects, "subjects"),
    )  # fmt: skip
    told: list[tuple[Result, Sequence[Cell]]] = []
    for row in rows:
        cells: tuple[Cell, ...] = (
            plain(row.subject),
            ref(row.n_sessions, f"sessions of {row.subject}"),
            ref(row.total_s, f"time of {row.subject}"),
        )
        told.append((result, cells))
    answer.note("")
    answer.table(("subject", "sessions", "time"), told)


def _listed(answer: Answer, result: Result, found: SessionsCounted, ask: Ask) -> None:  # noqa: ARG001 - same form
    names = [f"`{braces(str(s))}`" for s in found.sessions]
    total = found.n_sessions or 0
    more = " and others" if total > len(names) else ""
    answer.head(
        result, f"the {{n}} session{'s are' if total != 1 else ' is'} {', '.join(names)}{more}",
        n=ref(found.n_sessions, "sessions"),
    )  # fmt: skip
    if more:
        answer.note("The result lists all of them.")


def _unlabelled(answer: Answer, result: Result, found: SessionsCounted, ask: Ask) -> None:  # noqa: ARG001 - same form
    bare = found.unlabelled
    if not found.labels:
        answer.head(result, "nothing in `{name}` is labelled", name=_name(found))
        return
    if bare is None or not bare.n_parts:
        answer.head(result, "every part of the {n} sessions has a label",
                    n=ref(found.n_sessions, "sessions"))  # fmt: skip
        return
    answer.head(
        result, "{total} have no label, {share} of the time",
        total=ref(bare.total_s, "time without a label"),
        share=ref(bare.time_frac, "share of the time without a label"),
    )  # fmt: skip
    if bare.n_sessions:
        answer.say(result, "{n} sessions have no label at all.",
                   n=ref(bare.n_sessions, "sessions without any label"))  # fmt: skip
    told: list[tuple[Result, Sequence[Cell]]] = []
    for i, part in enumerate(bare.parts):
        what = f"part without a label {i} of {part.session_id}"
        cells: tuple[Cell, ...] = (
            f"`{part.session_id}`",
            ref(part.start_s, f"start, {what}"),
            ref(part.end_s, f"end, {what}"),
            ref(part.length_s, f"length, {what}"),
        )
        told.append((result, cells))
    answer.section("The longest parts without a label")
    answer.table(("session", "from", "to", "length"), told)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


FACTS: dict[str, Tell] = {
    "units": _units,
    "rate": _rate,
    "span": _span,
    "longest": _extreme("longest"),
    "shortest": _extreme("shortest"),
    "total": _total,
    "share": _label_time,
    "stretches": _stretches,
    "balance": _balance,
    "at": _at,
    "labels_of": _labels_of,
    "who": _who,
    "list": _listed,
    "unlabelled": _unlabelled,
}
"""Topic → what tells it."""
