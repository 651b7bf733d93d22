"""Facts about the data as a whole: who, when, how long, which unit and rate, labels in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tool_use_om.agent.offline.forms.form import tell_zone
from tool_use_om.agent.offline.language.query import Ask
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Cell, Ref, Result, braces, named, plain, ref
from tool_use_om.data.units import SPANS

_SHOWN = 12
_BALANCED = 1.5  # the most frequent label has at most so many times the sessions of the rarest
Tell = Callable[[Answer, Result, Ask], None]


def tell_fact(answer: Answer, result: Result, ask: Ask) -> None:
    """Tell each thing that was asked, by its topic."""
    if not result.look("/n_sessions"):
        answer.head(result, "there is no such session in `{name}`", name=_name())
        return
    for topic in ask.topic.split():
        if topic in FACTS:
            FACTS[topic](answer, result, ask)


def plan_facts(p: Planner, ask: Ask) -> None:
    """Plan one look at the sessions meant; a share of a label is one of all sessions."""
    p.add(
        "show_session_stats", "see what the data hold", dataset=p.query.dataset,
        sessions=list(ask.sessions), subjects=list(ask.subjects), split=ask.split, at_s=ask.at_s,
        **dict[str, Any](p.limits(ask)),
    )  # fmt: skip


def _name() -> Ref:
    return ref("/dataset", "data set")


def _units(answer: Answer, result: Result, ask: Ask) -> None:
    for i in _channels(result, ask):
        channel = braces(str(result.content["channels"][i]["id"]))
        answer.head(
            result,
            f"`{channel}` is in {{unit}}",
            unit=ref(f"/channels/{i}/unit", f"unit of {channel}"),
        )


def _rate(answer: Answer, result: Result, ask: Ask) -> None:
    """Tell how often each channel is sampled; channels of one rate together."""
    rates: dict[float, list[int]] = {}
    for i in _channels(result, ask):
        rates.setdefault(float(result.content["channels"][i]["rate_hz"]), []).append(i)
    for places in rates.values():
        names = ", ".join(f"`{braces(str(result.content['channels'][i]['id']))}`" for i in places)
        several = len(places) > 1
        answer.head(
            result, f"{names} {'are' if several else 'is'} sampled every {{period}} ({{rate}})",
            period=ref(f"/channels/{places[0]}/period_s", "sampling period", "unit"),
            rate=ref(f"/channels/{places[0]}/rate_hz", "sampling rate", "unit"),
        )  # fmt: skip


def _channels(result: Result, ask: Ask) -> list[int]:
    """Return the places of the channels meant, all where none is named."""
    rows: list[dict[str, Any]] = result.content.get("channels") or []
    ids = [str(row["id"]) for row in rows]
    meant = [
        i for i, c in enumerate(ids) if c in ask.channels or c.partition(".")[0] in ask.channels
    ]
    return meant or list(range(len(ids)))


def _length(ask: Ask) -> str:
    """Return the style of a length of time: the unit it was asked for in, else as people say it."""
    asked = (word for word, seconds in SPANS.items() if seconds == ask.unit_s)
    return next((f"in-{word}" for word in asked), "unit")


def _span(answer: Answer, result: Result, ask: Ask) -> None:
    if not result.look("/dates/from"):
        answer.head(
            result, "`{name}` has no dates: its sessions count seconds from their own start, "
            "{total} in all", name=_name(),
            total=ref("/duration_s/total", "length of all sessions together", _length(ask)),
        )  # fmt: skip
        return
    length = ref("/dates/length_s", "from the first moment to the last", _length(ask))
    answer.head(
        result, "`{name}` goes from {first} to {last}, which is {length}", name=_name(),
        first=ref("/dates/from", "first moment"), last=ref("/dates/to", "last moment"),
        length=length,
    )  # fmt: skip
    answer.say(
        result, "{total} of it are recorded, in {n} sessions.",
        total=ref("/duration_s/total", "length of all sessions together", "unit"),
        n=ref("/n_sessions", "sessions"),
    )  # fmt: skip
    tell_zone(answer, result, "/dates/zone")


def _extreme(word: str) -> Tell:
    def tell(answer: Answer, result: Result, ask: Ask) -> None:  # noqa: ARG001 - same form
        length = ref(f"/{word}/duration_s", f"{word} session", "unit")
        same = result.look(f"/{word}/n")
        if same == result.look("/n_sessions") and same != 1:
            answer.head(
                result, "all {n} sessions are equally long, {length} each",
                n=ref("/n_sessions", "sessions"), length=length,
            )  # fmt: skip
            return
        answer.head(
            result, f"the {word} session is `{{session}}`, with {{length}}",
            session=ref(f"/{word}/session_id", f"{word} session"), length=length,
        )  # fmt: skip
        if same and same > 1:
            answer.say(
                result, f"{{n}} sessions are as {word.removesuffix('est')} as that.",
                n=ref(f"/{word}/n", "sessions of that length"),
            )  # fmt: skip

    return tell


def _total(answer: Answer, result: Result, ask: Ask) -> None:
    if ask.labels:
        _label_time(answer, result, ask)
        return
    answer.head(
        result, "all recordings together are {total} long, in {n} sessions",
        n=ref("/n_sessions", "sessions"),
        total=ref("/duration_s/total", "length of all sessions together", _length(ask)),
    )  # fmt: skip
    if result.look("/n_sessions") > 1:
        answer.say(
            result, "Each lasts {low} to {high}.",
            low=ref("/duration_s/min", "shortest session", "unit"),
            high=ref("/duration_s/max", "longest session", "unit"),
        )  # fmt: skip


def _label_rows(result: Result, ask: Ask) -> list[int]:
    rows: list[dict[str, Any]] = result.content.get("labels") or []
    return [i for i, row in enumerate(rows) if row["label"] in ask.labels]


def _label_time(answer: Answer, result: Result, ask: Ask) -> None:
    """Tell a label's time, its share of all time, and in how many sessions it is."""
    for i in _label_rows(result, ask):
        label = str(result.content["labels"][i]["label"])
        at = f"/labels/{i}"
        answer.head(
            result, f"{named(label)} takes {{time}}, {{share}} of the time recorded",
            time=ref(f"{at}/total_s", f"time with {label}", _length(ask)),
            share=ref(f"{at}/time_frac", f"share of the time with {label}", "percent"),
        )  # fmt: skip
        answer.say(
            result, f"{_capital(named(label))} is in {{n}} of {{all}} sessions ({{part}}).",
            n=ref(f"{at}/n_sessions", f"sessions with {label}"),
            all=ref("/n_sessions", "sessions"),
            part=ref(f"{at}/sessions_frac", f"share of the sessions with {label}", "percent"),
        )  # fmt: skip
    answer.say(
        result, "{total} are recorded in all.",
        total=ref("/duration_s/total", "length of all sessions together", "unit"),
    )  # fmt: skip


def _balance(answer: Answer, result: Result, ask: Ask) -> None:  # noqa: ARG001 - same form
    rows: list[dict[str, Any]] = result.content.get("labels") or []
    main = result.content.get("label_set")
    own = [(i, row) for i, row in enumerate(rows) if row["set"] == main]
    if not own:
        answer.head(result, "`{name}` has no labels", name=_name())
        return
    most, least = (
        pick(own, key=lambda item: (item[1]["n_sessions"], item[1]["total_s"]))
        for pick in (max, min)
    )
    times = most[1]["n_sessions"] / max(least[1]["n_sessions"], 1)
    long, short = (pick(row["total_s"] for _, row in own) for pick in (max, min))
    refs = {
        "high": ref(f"/labels/{most[0]}/n_sessions", f"sessions with {most[1]['label']}"),
        "low": ref(f"/labels/{least[0]}/n_sessions", f"sessions with {least[1]['label']}"),
    }
    if most[1]["n_sessions"] == least[1]["n_sessions"] and long == short:
        answer.head(
            result, "the labels are balanced: each is in {high} sessions", high=refs["high"]
        )
    elif times <= _BALANCED and long <= _BALANCED * max(short, 1e-9):
        answer.head(
            result, f"the labels are balanced: from {{low}} sessions ({named(least[1]['label'])}) "
            f"to {{high}} ({named(most[1]['label'])})", **refs,
        )  # fmt: skip
    elif times <= _BALANCED:
        answer.head(
            result, "the labels are balanced over sessions ({low} to {high} each), but not in time",
            **refs,
        )  # fmt: skip
    else:
        answer.head(
            result, f"the labels are not balanced: {named(most[1]['label'])} is in {{high}} "
            f"sessions, {named(least[1]['label'])} in {{low}}", **refs,
        )  # fmt: skip
    _label_table(answer, result, rows)


def _label_table(answer: Answer, result: Result, rows: Sequence[dict[str, Any]]) -> None:
    told: list[tuple[Result, Sequence[Cell]]] = []
    for i, row in enumerate(rows[: 2 * _SHOWN]):
        label, at = str(row["label"]), f"/labels/{i}"
        cells: tuple[Cell, ...] = (
            plain(label),
            ref(f"{at}/n_sessions", f"sessions with {label}"),
            ref(f"{at}/total_s", f"time with {label}", "unit"),
            ref(f"{at}/time_frac", f"share of the time with {label}", "percent"),
        )
        told.append((result, cells))
    answer.note("")
    answer.table(("label", "sessions", "time", "share of the time"), told)


def _at(answer: Answer, result: Result, ask: Ask) -> None:  # noqa: ARG001 - same form
    rows: list[dict[str, Any]] = result.look("/at/sessions") or []
    when = ref("/at/at_s", "the second asked for", "unit")
    if len(rows) == 1:
        labels = ", ".join(named(label) for label in rows[0]["labels"])
        answer.head(
            result, f"{{at}} into `{braces(str(rows[0]['session_id']))}` "
            + (f"the label is {labels}" if labels else "there is no label"), at=when,
        )  # fmt: skip
        return
    answer.head(result, "the labels {at} into each session are listed here", at=when)
    told = [
        (result, (f"`{row['session_id']}`", plain(", ".join(row["labels"]) or "no label")))
        for row in rows[:_SHOWN]
    ]
    answer.note("")
    answer.table(("session", "label"), told)


def _labels_of(answer: Answer, result: Result, ask: Ask) -> None:
    """Tell a session's labels in the order of time."""
    rows: list[dict[str, Any]] = result.content.get("stretches") or []
    labels = list(dict.fromkeys(str(row["label"]) for row in rows))
    one = len(ask.sessions) == 1
    whose = f"`{braces(ask.sessions[0])}`" if one else "these sessions"
    listed = ", ".join(named(label) for label in labels)
    answer.head(result, f"{whose} {'is' if one else 'are'} labelled {listed}" if labels else
                f"{whose} {'has' if one else 'have'} no label")  # fmt: skip
    told: list[tuple[Result, Sequence[Cell]]] = []
    for i, row in enumerate(rows[: 2 * _SHOWN]):
        cells: tuple[Cell, ...] = (
            *(() if one else (f"`{row['session_id']}`",)),
            plain(str(row["label"])),
            ref(f"/stretches/{i}/start_s", f"start of {row['label']} {i}", "unit"),
            ref(f"/stretches/{i}/end_s", f"end of {row['label']} {i}", "unit"),
        )
        told.append((result, cells))
    answer.note("")
    answer.table((*(() if one else ("session",)), "label", "from", "to"), told)


def _who(answer: Answer, result: Result, ask: Ask) -> None:  # noqa: ARG001 - same form
    rows: list[dict[str, Any]] = result.content.get("subjects") or []
    if not rows:
        answer.head(result, "`{name}` does not say who was recorded", name=_name())
        return
    names = ", ".join(named(row["subject"]) for row in rows[:_SHOWN])
    more = " and others" if len(rows) > _SHOWN else ""
    answer.head(
        result,
        f"{{n}} {'person was' if len(rows) == 1 else 'people were'} recorded: {names}{more}",
        n=ref("/n_subjects", "subjects"),
    )  # fmt: skip
    told: list[tuple[Result, Sequence[Cell]]] = []
    for i, row in enumerate(rows):
        who, at = str(row["subject"]), f"/subjects/{i}"
        cells: tuple[Cell, ...] = (
            plain(who),
            ref(f"{at}/n_sessions", f"sessions of {who}"),
            ref(f"{at}/total_s", f"time of {who}", "unit"),
        )
        told.append((result, cells))
    answer.note("")
    answer.table(("subject", "sessions", "time"), told)


def _listed(answer: Answer, result: Result, ask: Ask) -> None:  # noqa: ARG001 - same form
    names = [f"`{braces(str(s))}`" for s in result.content.get("sessions") or []]
    total = result.look("/n_sessions") or 0
    more = " and others" if total > len(names) else ""
    answer.head(
        result, f"the {{n}} session{'s are' if total != 1 else ' is'} {', '.join(names)}{more}",
        n=ref("/n_sessions", "sessions"),
    )  # fmt: skip
    if more:
        answer.note("All of them are in the result.")


def _unlabelled(answer: Answer, result: Result, ask: Ask) -> None:  # noqa: ARG001 - same form
    if not result.content.get("labels"):
        answer.head(result, "nothing in `{name}` is labelled", name=_name())
        return
    if not result.look("/unlabelled/n_parts"):
        answer.head(result, "every part of the {n} sessions has a label",
                    n=ref("/n_sessions", "sessions"))  # fmt: skip
        return
    answer.head(
        result, "{total} have no label, {share} of the time",
        total=ref("/unlabelled/total_s", "time without a label", "unit"),
        share=ref("/unlabelled/time_frac", "share of the time without a label", "percent"),
    )  # fmt: skip
    bare = result.look("/unlabelled/n_sessions")
    if bare:
        answer.say(result, "{n} sessions have no label at all.",
                   n=ref("/unlabelled/n_sessions", "sessions without any label"))  # fmt: skip
    told: list[tuple[Result, Sequence[Cell]]] = []
    for i, part in enumerate(result.look("/unlabelled/parts") or []):
        what, at = f"part without a label {i} of {part['session_id']}", f"/unlabelled/parts/{i}"
        cells: tuple[Cell, ...] = (
            f"`{part['session_id']}`",
            ref(f"{at}/start_s", f"start, {what}", "unit"),
            ref(f"{at}/end_s", f"end, {what}", "unit"),
            ref(f"{at}/length_s", f"length, {what}", "unit"),
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
    "balance": _balance,
    "at": _at,
    "labels_of": _labels_of,
    "who": _who,
    "list": _listed,
    "unlabelled": _unlabelled,
}
"""Topic → what tells it."""
