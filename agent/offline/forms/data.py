"""Words for the results that describe data: sessions, channels, statistics, data sets, plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tool_use_om.agent.offline.forms.facts import plan_facts, tell_fact
from tool_use_om.agent.offline.forms.form import Form, lengths_of
from tool_use_om.agent.offline.forms.labels import tell_stretches
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.language.words import is_english
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Cell, Ref, Result, braces, named, ref
from tool_use_om.tools.call.arguments import FilterByTime, ShowSessionStats
from tool_use_om.tools.look.found import (
    ChannelRow,
    DataSetsListed,
    Drawn,
    Durations,
    Filtered,
    SessionsCounted,
)


def tell_sessions(answer: Answer, result: Result, query: Query) -> None:
    """Tell how many sessions fit what was asked, what they hold, or the facts asked for."""
    facts = [ask for ask in query.asks if ask.kind == "facts" and _is_of(ask, result)]
    for ask in facts:
        tell_fact(answer, result, ask)
    if not facts and result.found(SessionsCounted).label_times is not None:
        tell_stretches(answer, result)
        return
    if not facts or any(a.kind == "sessions" and _is_of(a, result) for a in query.asks):
        _tell_counted(answer, result, query)


def _is_of(ask: Ask, result: Result) -> bool:
    """Tell whether a result is what was looked up for an ask: of the same sessions."""
    meant = {"sessions": ask.sessions, "subjects": ask.subjects}
    if ask.kind == "sessions":
        meant["labels"] = ask.labels
    asked = result.asked(ShowSessionStats)
    given = {"sessions": asked.sessions, "subjects": asked.subjects, "labels": asked.labels}
    same = all(
        sorted(map(str.casefold, given[key] or [])) == sorted(map(str.casefold, names))
        for key, names in meant.items()
    )
    return same and asked.split == ask.split


def _tell_counted(answer: Answer, result: Result, query: Query) -> None:
    ask, found = _sessions_ask(result, query), result.found(SessionsCounted)
    topics = set(ask.topic.split())
    every = not topics - {"session", "only", "label"} or "describe" in topics
    _count(answer, result, ask)
    channels = every or bool(topics & {"channel", "units"})
    if channels and (names := _channel_names(found)):
        answer.head(result, f"the channels are {names}")
    held = [named(label) for label in found.sessions_per_label]
    if held and topics & {"class", "labels"}:
        answer.head(result, f"the activities are {', '.join(held)}")
    if found.n_sessions and (every or topics & {"duration", "session"}):
        _durations(answer, result, found.duration_s)
    if every or topics & {"subject"}:
        _subjects(answer, result, found)
    if every or topics & {"class", "labels"}:
        _groups(answer, result, found.sessions_per_label, "Sessions per label")
    if every or topics & {"split", "splits"}:
        _groups(answer, result, found.sessions_per_split, "Sessions per split")
    if channels:
        _channels(answer, result, found)


def _sessions_ask(result: Result, query: Query) -> Ask:
    found = [ask for ask in query.asks if ask.kind == "sessions"]
    found.sort(key=lambda ask: not _is_of(ask, result))  # what this very result was looked up for
    return found[0] if found else Ask(kind="sessions", topic="describe")


def _count(answer: Answer, result: Result, ask: Ask) -> None:
    found = result.found(SessionsCounted)
    clause, refs = _filters(result, ask)
    total = ref(found.n_sessions_total, "sessions in all")
    name = ref(found.dataset, "data set")
    if not clause:
        answer.head(
            result,
            f"`{{name}}` has {{n}} {several(found)}",
            n=ref(found.n_sessions, "sessions"),
            name=name,
        )
    elif found.n_sessions == 0:
        instead, more = _how_long(answer, ask)
        answer.head(
            result, f"none of the {{total}} {several(found)} in `{{name}}` " + clause + instead,
            total=total, name=name, **refs, **more,
        )  # fmt: skip
    else:
        answer.head(
            result, f"{{n}} of the {{total}} {several(found)} in `{{name}}` " + clause,
            n=ref(found.n_sessions, "sessions that fit"), total=total, name=name, **refs,
        )  # fmt: skip


def several(found: SessionsCounted) -> str:
    """Return what the data call sessions, where that is an English word: "cycles"."""
    noun = found.session_noun
    return f"{noun}s" if noun and is_english(noun) else "sessions"


def _how_long(answer: Answer, ask: Ask) -> tuple[str, dict[str, Ref]]:
    """Return how long the sessions are where none is as long, or as short, as asked."""
    lengths = next(filter(None, map(lengths_of, answer.results)), None)
    if lengths is None or (ask.min_s is None and ask.max_s is None):
        return "", {}
    if lengths.min == lengths.max:
        return " (each lasts {each})", {"each": ref(lengths.max, "length of each session")}
    longest = ask.min_s is not None
    word, length = ("longest", lengths.max) if longest else ("shortest", lengths.min)
    return f" (the {word} lasts {{length}})", {"length": ref(length, f"{word} session")}


def _filters(result: Result, ask: Ask) -> tuple[str, dict[str, Any]]:
    """Return the clause that says what the sessions were filtered by, with its references."""
    parts: list[str] = []
    refs: dict[str, Any] = {}
    asked = result.asked(ShowSessionStats)
    low, high = asked.min_duration_s, asked.max_duration_s
    if low is not None:
        parts.append(("last longer than" if ask.strict_min else "last at least") + " {low}")
        refs["low"] = ref(low, "shortest length asked for", "unit")
    if high is not None:
        parts.append(("last less than" if ask.strict_max else "last at most") + " {high}")
        refs["high"] = ref(high, "longest length asked for", "unit")
    meant = {"contain ": asked.labels, "are from subject ": asked.subjects, "are ": asked.sessions}
    parts += [said + " or ".join(map(named, names)) for said, names in meant.items() if names]
    if asked.split:
        parts.append(f"are in the {asked.split} split")
    return " and ".join(parts), refs


def _subjects(answer: Answer, result: Result, found: SessionsCounted) -> None:
    if found.n_subjects:
        answer.say(result, "They come from {n} subjects.", n=ref(found.n_subjects, "subjects"))
    elif found.n_subjects == 0:
        answer.note("The data set does not identify its subjects.")


def _durations(answer: Answer, result: Result, lengths: Durations) -> None:
    total = ref(lengths.total, "length of all sessions together")
    if lengths.min == lengths.max:
        answer.say(
            result, "Each lasts {each}, {total} in total.",
            each=ref(lengths.max, "length of a session"), total=total,
        )  # fmt: skip
    else:
        answer.say(
            result, "They last {low} to {high} (median {middle}), {total} in total.",
            low=ref(lengths.min, "shortest session"),
            high=ref(lengths.max, "longest session"),
            middle=ref(lengths.median, "median length"), total=total,
        )  # fmt: skip


def _modalities(found: SessionsCounted) -> dict[str, list[ChannelRow]]:
    """Return the channels of each modality."""
    modalities: dict[str, list[ChannelRow]] = {}
    for channel in found.channels:
        modalities.setdefault(channel.id.partition(".")[0], []).append(channel)
    return modalities


def _axes(channels: Sequence[ChannelRow]) -> str:
    return ", ".join(braces(channel.id.partition(".")[2]) for channel in channels)


def _channel_names(found: SessionsCounted) -> str:
    """Return "accelerometer x, y, z and gyroscope x, y, z"."""
    held = _modalities(found)
    return " and ".join(f"{braces(m)} {_axes(rows)}".strip() for m, rows in held.items())


def _channels(answer: Answer, result: Result, found: SessionsCounted) -> None:
    told = []
    for modality, rows in _alike(found):
        cells: tuple[Cell, ...] = (
            ", ".join(f"`{row.id}`" for row in rows),
            ref(rows[0].unit, f"unit of {modality}"),
            ref(rows[0].rate_hz, f"sampling rate of {modality}"),
        )
        told.append((result, cells))
    answer.section("Channels")
    answer.table(("channels", "unit", "rate"), told)


def _alike(found: SessionsCounted) -> list[tuple[str, list[ChannelRow]]]:
    """Return the channels of one modality, unit and rate together."""
    groups: dict[tuple[str, str, float], list[ChannelRow]] = {}
    for modality, rows in _modalities(found).items():
        for row in rows:
            key = (modality, str(row.unit), float(row.rate_hz or 0.0))
            groups.setdefault(key, []).append(row)
    return [(modality, rows) for (modality, _, _), rows in groups.items()]


def _groups(answer: Answer, result: Result, groups: Mapping[str, int], title: str) -> None:
    refs = {f"v{i}": ref(n, f"{title}, {name}") for i, (name, n) in enumerate(groups.items())}
    if refs:
        listed = ", ".join(f"{named(name)} {{v{i}}}" for i, name in enumerate(groups))
        answer.say(result, f"{title}: {listed}.", **refs)


def tell_filter(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    """Tell what is selected now."""
    found, asked = result.found(Filtered), result.asked(FilterByTime)
    ends = {
        "from_s": ref(found.start_s, "start of what is selected"),
        "to_s": ref(found.end_s, "end of what is selected"),
    }
    cut = asked.start_s is not None or asked.end_s is not None
    answer.head(
        result,
        "{n} sessions are selected" + (", each from {from_s} to {to_s}" if cut else "")
        + ", {total} in total",
        n=ref(found.n_sessions, "sessions selected"), total=ref(found.total_s, "length selected"),
        **(ends if cut else {}),
    )  # fmt: skip
    if found.note:
        answer.note(f"*{found.note}*")


def tell_datasets(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    """Tell which data sets there are."""
    rows = result.found(DataSetsListed).datasets
    names = ", ".join(f"`{braces(str(row.name))}`" for row in rows)
    answer.head(
        result,
        f"you can ask about these data sets: {names}" if rows else "there is no data set yet",
    )
    told = []
    for row in rows:
        cells: tuple[Cell, ...] = (
            f"`{row.name}`",
            "synthetic" if row.synthetic else "recorded",
            ref(row.n_sessions, f"sessions of {row.name}"),
            ref(row.duration_s, f"length of {row.name}"),
        )
        told.append((result, cells))
    answer.note("")
    answer.table(("data set", "kind", "sessions", "total length"), told)


def tell_plot(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    """Tell what was drawn."""
    found = result.found(Drawn)
    sessions = ", ".join(f"`{braces(str(s))}`" for s in found.sessions)
    channels = ", ".join(f"`{braces(str(c))}`" for c in found.channels)
    answer.head(result, f"the figure in the report shows {channels} of {sessions}")


def _plan_datasets(p: Planner, ask: Ask) -> None:  # noqa: ARG001 - same form as the other plans
    p.add("list_datasets", "see which data sets there are")


def _plan_sessions(p: Planner, ask: Ask) -> None:
    if _none_fits(p.names.duration_s, ask):
        p.open()  # none has such a length: see which they have
    p.add(
        "show_session_stats", "count the sessions and see what they hold",
        dataset=p.query.dataset, labels=list(ask.labels), sessions=list(ask.sessions),
        subjects=list(ask.subjects), split=ask.split, **dict[str, Any](p.limits(ask)),
    )  # fmt: skip


def _none_fits(known: Mapping[str, float], ask: Ask) -> bool:
    """Tell whether no session can be as long, or as short, as asked."""
    if not known:
        return False
    low, high = ask.min_s, ask.max_s
    too_long = low is not None and (low > known["max"] or (ask.strict_min and low == known["max"]))
    too_short = high is not None and (
        high < known["min"] or (ask.strict_max and high == known["min"])
    )
    return too_long or too_short


def _plan_narrow(p: Planner, ask: Ask) -> None:
    p.open()
    p.narrow(ask)


def _plan_plot(p: Planner, ask: Ask) -> None:
    p.open()
    found = any(s.tool == "run_task" for s in p.steps)
    if not found or ask.start_s is not None or ask.tail_s is not None:
        p.narrow(_without_sessions(ask))
    p.add(
        "plot_sessions", "draw the signals", sessions=list(ask.sessions),
        channels=list(ask.channels), max_sessions=min(ask.count, 12) if ask.count else None,
        late={"sessions": "found_sessions"} if found and not ask.sessions else {},
    )  # fmt: skip


def _without_sessions(ask: Ask) -> Ask:
    return replace(ask, sessions=())


FORM = Form(
    plans={
        "datasets": _plan_datasets,
        "sessions": _plan_sessions,
        "facts": plan_facts,
        "narrow": _plan_narrow,
        "plot": _plan_plot,
    },
    tells={
        "list_datasets": tell_datasets,
        "show_session_stats": tell_sessions,
        "filter_by_time": tell_filter,
        "plot_sessions": tell_plot,
    },
)
