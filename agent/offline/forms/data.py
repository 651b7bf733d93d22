"""Words for the results that describe data: sessions, channels, statistics, data sets, plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tool_use_om.agent.offline.forms.facts import plan_facts, tell_fact
from tool_use_om.agent.offline.forms.form import Form
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.language.words import is_english
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Cell, Ref, Result, braces, named, ref


def tell_sessions(answer: Answer, result: Result, query: Query) -> None:
    """Tell how many sessions fit what was asked, what they hold, or the facts asked for."""
    facts = [ask for ask in query.asks if ask.kind == "facts" and _is_of(ask, result)]
    for ask in facts:
        tell_fact(answer, result, ask)
    if not facts or any(a.kind == "sessions" and _is_of(a, result) for a in query.asks):
        _tell_counted(answer, result, query)


def _is_of(ask: Ask, result: Result) -> bool:
    """Tell whether a result is what was looked up for an ask: of the same sessions."""
    meant = {"sessions": ask.sessions, "subjects": ask.subjects}
    if ask.kind == "sessions":
        meant["labels"] = ask.labels
    same = all(
        sorted(map(str.casefold, result.args.get(key) or [])) == sorted(map(str.casefold, names))
        for key, names in meant.items()
    )
    return same and result.args.get("split") == ask.split


def _tell_counted(answer: Answer, result: Result, query: Query) -> None:
    ask = _sessions_ask(result, query)
    topics = set(ask.topic.split())
    every = not topics - {"session", "only", "label"} or "describe" in topics
    _count(answer, result, ask)
    channels = every or bool(topics & {"channel", "units"})
    if channels and (names := _channel_names(result)):
        answer.head(result, f"the channels are {names}")
    held = [named(label) for label in result.content.get("sessions_per_label") or {}]
    if held and topics & {"class", "labels"}:
        answer.head(result, f"the activities are {', '.join(held)}")
    if result.look("/n_sessions") and (every or topics & {"duration", "session"}):
        _durations(answer, result)
    if every or topics & {"subject"}:
        _subjects(answer, result)
    if every or topics & {"class", "labels"}:
        _groups(answer, result, "sessions_per_label", "Sessions for each label")
    if every or topics & {"split", "splits"}:
        _groups(answer, result, "sessions_per_split", "Sessions in each split")
    if channels:
        _channels(answer, result)


def _sessions_ask(result: Result, query: Query) -> Ask:
    found = [ask for ask in query.asks if ask.kind == "sessions"]
    found.sort(key=lambda ask: not _is_of(ask, result))  # what this very result was looked up for
    return found[0] if found else Ask(kind="sessions", topic="describe")


def _count(answer: Answer, result: Result, ask: Ask) -> None:
    clause, refs = _filters(result, ask)
    total = ref("/n_sessions_total", "sessions in all")
    name = ref("/dataset", "data set")
    if not clause:
        answer.head(
            result,
            f"`{{name}}` has {{n}} {several(result)}",
            n=ref("/n_sessions", "sessions"),
            name=name,
        )
    elif result.look("/n_sessions") == 0:
        instead, more = _how_long(answer, ask)
        answer.head(
            result, f"none of the {{total}} {several(result)} of `{{name}}` " + clause + instead,
            total=total, name=name, **refs, **more,
        )  # fmt: skip
    else:
        answer.head(
            result, f"{{n}} of the {{total}} {several(result)} of `{{name}}` " + clause,
            n=ref("/n_sessions", "sessions that fit"), total=total, name=name, **refs,
        )  # fmt: skip


def several(result: Result) -> str:
    """Return what the data call sessions, where that is an English word: "cycles"."""
    noun = result.content.get("session_noun")
    return f"{noun}s" if isinstance(noun, str) and is_english(noun) else "sessions"


def _how_long(answer: Answer, ask: Ask) -> tuple[str, dict[str, Ref]]:
    """Return how long the sessions are where none is as long, or as short, as asked."""
    whole = next((r for r in answer.results if r.look("/duration_s/max") is not None), None)
    if whole is None or (ask.min_s is None and ask.max_s is None):
        return "", {}
    if whole.look("/duration_s/min") == whole.look("/duration_s/max"):
        each = ref("/duration_s/max", "length of each session", "unit", of=whole)
        return " (each lasts {each})", {"each": each}
    end, word = ("max", "longest") if ask.min_s is not None else ("min", "shortest")
    length = ref(f"/duration_s/{end}", f"{word} session", "unit", of=whole)
    return f" (the {word} lasts {{length}})", {"length": length}


def _filters(result: Result, ask: Ask) -> tuple[str, dict[str, Any]]:
    """Return the clause that says what the sessions were filtered by, with its references."""
    parts: list[str] = []
    refs: dict[str, Any] = {}
    low, high = result.args.get("min_duration_s"), result.args.get("max_duration_s")
    if low is not None:
        parts.append(("last longer than" if ask.strict_min else "last at least") + " {low}")
        refs["low"] = ref("/args/min_duration_s", "shortest length asked for", "unit")
    if high is not None:
        parts.append(("last less than" if ask.strict_max else "last at most") + " {high}")
        refs["high"] = ref("/args/max_duration_s", "longest length asked for", "unit")
    meant = {key: [named(v) for v in result.args.get(key) or []] for key in _NAMED}
    parts += [_NAMED[key] + joined for key in _NAMED if (joined := " or ".join(meant[key]))]
    if result.args.get("split"):
        parts.append(f"are in the {result.args['split']} split")
    return " and ".join(parts), refs


_NAMED = {"labels": "hold ", "subjects": "are of subject ", "sessions": "are "}


def _subjects(answer: Answer, result: Result) -> None:
    if result.look("/n_subjects"):
        answer.say(result, "They are of {n} subjects.", n=ref("/n_subjects", "subjects"))
    elif result.look("/n_subjects") == 0:
        answer.note("The data set does not say who the subjects are.")


def _durations(answer: Answer, result: Result) -> None:
    total = ref("/duration_s/total", "length of all sessions together", "unit")
    if result.look("/duration_s/min") == result.look("/duration_s/max"):
        answer.say(
            result, "Each lasts {each}, {total} in all.",
            each=ref("/duration_s/max", "length of a session", "unit"), total=total,
        )  # fmt: skip
    else:
        answer.say(
            result, "They last from {low} to {high} (median {middle}), {total} in all.",
            low=ref("/duration_s/min", "shortest session", "unit"),
            high=ref("/duration_s/max", "longest session", "unit"),
            middle=ref("/duration_s/median", "median length", "unit"), total=total,
        )  # fmt: skip


def _modalities(result: Result) -> dict[str, list[int]]:
    """Return the places of each modality's channels."""
    modalities: dict[str, list[int]] = {}
    for index, channel in enumerate(result.content.get("channels") or []):
        modalities.setdefault(str(channel["id"]).partition(".")[0], []).append(index)
    return modalities


def _axes(result: Result, places: Sequence[int]) -> str:
    ids = [str(result.content["channels"][i]["id"]) for i in places]
    return ", ".join(braces(i.partition(".")[2]) for i in ids)


def _channel_names(result: Result) -> str:
    """Return "accelerometer x, y, z and gyroscope x, y, z"."""
    found = _modalities(result)
    return " and ".join(f"{braces(m)} {_axes(result, p)}".strip() for m, p in found.items())


def _channels(answer: Answer, result: Result) -> None:
    told = []
    for modality, places in _alike(result):
        ids = [str(result.content["channels"][i]["id"]) for i in places]
        cells: tuple[Cell, ...] = (
            ", ".join(f"`{i}`" for i in ids),
            ref(f"/channels/{places[0]}/unit", f"unit of {modality}"),
            ref(f"/channels/{places[0]}/rate_hz", f"sampling rate of {modality}", "unit"),
        )
        told.append((result, cells))
    answer.section("Channels")
    answer.table(("channels", "unit", "rate"), told)


def _alike(result: Result) -> list[tuple[str, list[int]]]:
    """Return the places of channels of one modality, unit and rate."""
    groups: dict[tuple[str, str, float], list[int]] = {}
    for modality, places in _modalities(result).items():
        for place in places:
            row = result.content["channels"][place]
            key = (modality, str(row.get("unit")), float(row.get("rate_hz") or 0.0))
            groups.setdefault(key, []).append(place)
    return [(modality, places) for (modality, _, _), places in groups.items()]


def _groups(answer: Answer, result: Result, key: str, title: str) -> None:
    groups = result.content.get(key) or {}
    refs = {
        f"v{i}": ref(f"/{key}/{_escaped(name)}", f"{title}, {name}")
        for i, name in enumerate(groups)
    }
    if refs:
        listed = ", ".join(f"{named(name)} {{v{i}}}" for i, name in enumerate(groups))
        answer.say(result, f"{title}: {listed}.", **refs)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def tell_filter(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    """Tell what is selected now."""
    ends = {
        "from_s": ref("/start_s", "start of what is selected", "unit"),
        "to_s": ref("/end_s", "end of what is selected", "unit"),
    }
    stretch = {"start_s", "end_s"} & result.args.keys()
    known = stretch and all(result.look(end.pointer) is not None for end in ends.values())
    answer.head(
        result,
        "{n} sessions are selected" + (", each from {from_s} to {to_s}" if known else "")
        + ", {total} in all",
        n=ref("/n_sessions", "sessions selected"), total=ref("/total_s", "length selected", "unit"),
        **(ends if known else {}),
    )  # fmt: skip
    if note := result.content.get("note"):
        answer.note(f"*{note}*")


def tell_datasets(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    """Tell which data sets there are."""
    found: list[dict[str, Any]] = result.content.get("datasets") or []
    names = ", ".join(f"`{braces(str(row['name']))}`" for row in found)
    answer.head(
        result,
        f"these data sets can be asked about: {names}" if found else "there is no data set yet",
    )
    told = []
    for index, row in enumerate(found):
        cells: tuple[Cell, ...] = (
            f"`{row['name']}`",
            "synthetic" if row.get("synthetic") else "recorded",
            ref(f"/datasets/{index}/n_sessions", f"sessions of {row['name']}"),
            ref(f"/datasets/{index}/duration_s", f"length of {row['name']}", "unit"),
        )
        told.append((result, cells))
    answer.note("")
    answer.table(("data set", "kind", "sessions", "length in all"), told)


def tell_plot(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    """Tell what was drawn."""
    sessions = ", ".join(f"`{braces(str(s))}`" for s in result.content.get("sessions") or [])
    channels = ", ".join(f"`{braces(str(c))}`" for c in result.content.get("channels") or [])
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
