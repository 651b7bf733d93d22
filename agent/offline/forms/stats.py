"""Statistics of channels: of all, by group, on the calendar, and where an extreme is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tool_use_om.agent.offline.forms.course import COURSE_TELLS
from tool_use_om.agent.offline.forms.form import Form, tell_zone
from tool_use_om.agent.offline.language.measures import in_unit
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Ref, Result, named, plain, ref
from tool_use_om.data.units import adds_up

_SHOWN_ROWS = 12
_CALENDAR_ROWS = 31
_FEW = 6  # channels whose extremes by group are told in sentences
_STATISTICS = {
    "std": "standard deviation",
    "max": "maximum",
    "min": "minimum",
    "rms": "root mean square",
    "sum": "total",
    "first": "first value",
    "last": "last value",
    "count": "number of samples",
}
_ORDINAL = {1.0: "st", 2.0: "nd", 3.0: "rd"}
_CALENDAR = ("hour", "weekday", "month", "date")
_IN_GROUP = {
    "label": "during {g}", "subject": "for {g}", "session": "in {g}", "hour": "at {g}",
    "weekday": "on {g}s", "month": "in {g}", "date": "on {g}",
}  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_WORKDAYS, _WEEKEND = [0, 1, 2, 3, 4], [5, 6]


def tell_statistics(answer: Answer, result: Result, query: Query) -> None:
    """Tell a statistic: of one channel as a sentence, of several or of groups as a table."""
    statistic = str(result.content["statistic"])
    where, refs = _where(answer, result, query)
    if result.look("/beyond"):
        _days_beyond(answer, result, where, refs)
        return
    if statistic in COURSE_TELLS:
        COURSE_TELLS[statistic](answer, result, where, refs)
    else:
        _values(answer, result, where, refs)
    tell_zone(answer, result, "/zone")
    if note := result.content.get("note"):
        answer.note(f"*{plain(str(note))}.*")


def _days_beyond(answer: Answer, result: Result, where: str, refs: dict[str, Ref]) -> None:
    """Tell how many days lie beyond a level, by what of each day."""
    above = result.content["beyond"]["above"]
    word = {"sum": "total", "max": "highest value", "min": "lowest value"}
    what = word.get(str(result.content["statistic"]), str(result.content["statistic"]))
    answer.head(
        result, f"{{n}} of {{of}} days{where} have a {what} of `{{channel}}` "
        f"{'above' if above else 'below'} {{level}}",
        n=ref("/beyond/n", "days beyond the level"), of=ref("/beyond/of", "days looked at"),
        channel=ref("/beyond/channel", "channel"),
        level=ref("/beyond/level/value", "level asked for", "unit"), **refs,
    )  # fmt: skip
    _statistic_rows(answer, result, what)


def _values(answer: Answer, result: Result, where: str, refs: dict[str, Ref]) -> None:
    rows: list[dict[str, Any]] = result.content["rows"]
    word = _word(result)
    if len(rows) == 1:
        _one(answer, result, word, where, refs)
        return
    channels = {row["channel"] for row in rows}
    if result.content.get("by") not in (None, "channel") and len(channels) <= _FEW:
        _winners(answer, result, word, where, refs)
    elif len({row.get("unit") for row in rows}) == 1:
        _extremes(answer, result, word, where, refs)
    else:
        answer.head(
            result, f"the {word} of each channel{where} is listed here; the channels have "
            "different units, so no one is the highest", **refs,
        )  # fmt: skip
    _statistic_rows(answer, result, word)
    _beats(answer, result)
    answer.say(result, "Over {n} sessions.", n=ref("/n_sessions", "sessions behind it"))
    _left_out(answer, result)


_TWICE = (1.8, 2.2)  # so many beats in a repeat are the two steps of a stride


def _beats(answer: Answer, result: Result) -> None:
    """Tell how often the strongest beat comes, where each repeat of a movement holds two."""
    rows: list[dict[str, Any]] = result.content["rows"]
    top = rows[0].get("beats")
    if top and _TWICE[0] <= top["value"] / rows[0]["value"] <= _TWICE[1]:
        whose = f" of {named(rows[0]['group'])}" if rows[0].get("group") else ""
        answer.say(
            result, f"Each repeat{whose} holds two beats, {{beats}}: steps, where a repeat is a "
            "stride.", beats=ref("/rows/0/beats/value", "beats a second", "unit"),
        )  # fmt: skip


def _word(result: Result) -> str:
    """Return the statistic in words; a percentile is named by its share."""
    statistic = str(result.content["statistic"])
    if statistic == "percentile" and (percent := result.content.get("percent")) is not None:
        return f"{percent:g}{_ordinal(percent)} percentile"
    return _STATISTICS.get(statistic, statistic)


def _one(answer: Answer, result: Result, word: str, where: str, refs: dict[str, Ref]) -> None:
    row = result.content["rows"][0]
    group = _in_group(result, row)
    place, more = _place("/rows/0", row)
    energy = result.look("/rows/0/energy/value") is not None
    pointer, what = ("/rows/0/energy/value", "energy") if energy else ("/rows/0/value", word)
    answer.head(
        result, f"the {word} of `{{channel}}`{group}{where} is {{value}}{place}",
        channel=ref("/rows/0/channel", "channel"), value=ref(pointer, what, "unit"),
        **refs, **more,
    )  # fmt: skip
    if energy:
        answer.note("It is energy: power times the time each sample stands for.")
    answer.say(
        result, "It rests on {n} samples of {sessions} sessions.",
        n=ref("/rows/0/n", "samples"), sessions=ref("/n_sessions", "sessions behind it"),
    )  # fmt: skip


def _ordinal(percent: float) -> str:
    teen = percent % 100 in {11.0, 12.0, 13.0}
    return "th" if teen else _ORDINAL.get(percent % 10, "th")


def _place(pointer: str, row: Mapping[str, Any]) -> tuple[str, dict[str, Ref]]:
    """Return where a value stands: the date if there is one, else seconds into the session."""
    if row.get("time"):
        return ", on {time}", {"time": ref(f"{pointer}/time", "when that was")}
    if row.get("at_s") is not None:
        session = ref(f"{pointer}/session_id", "session of that")
        return ", {at} into `{session}`", {
            "at": ref(f"{pointer}/at_s", "when that was", "unit"), "session": session,
        }  # fmt: skip
    return "", {}


def _in_group(result: Result, row: Mapping[str, Any]) -> str:
    """Return " during walking", " on Mondays" for a row of a group."""
    if not row.get("group"):
        return ""
    form = _IN_GROUP.get(str(result.content.get("by")), "of {g}")
    return " " + form.format(g=named(row["group"]))


def _winners(answer: Answer, result: Result, word: str, where: str, refs: dict[str, Ref]) -> None:
    """Tell for each channel the group where it is highest, and lowest."""
    rows: list[dict[str, Any]] = result.content["rows"]
    for channel in dict.fromkeys(str(row["channel"]) for row in rows):
        own = [i for i, row in enumerate(rows) if row["channel"] == channel]
        top = max(own, key=lambda i: rows[i]["value"])
        low = min(own, key=lambda i: rows[i]["value"])
        whole = ref(f"/rows/{own[0]}/channel", "channel")
        if rows[top]["value"] == rows[low]["value"]:
            answer.head(
                result, f"the {word} of `{{channel}}`{where} is the same everywhere: {{high}}",
                channel=whole, high=ref(f"/rows/{top}/value", word, "unit"), **refs,
            )  # fmt: skip
            continue
        what = f"{word} of {channel}"
        high = ref(f"/rows/{top}/value", f"highest {what}", "unit")
        answer.head(
            result, f"the {word} of `{{channel}}`{where} is highest{_in_group(result, rows[top])}, "
            f"at {{high}}, and lowest{_in_group(result, rows[low])}, at {{low}}",
            channel=whole, high=high, low=ref(f"/rows/{low}/value", f"lowest {what}", "unit"),
            **refs,
        )  # fmt: skip


def _where(answer: Answer, result: Result, query: Query) -> tuple[str, dict[str, Ref]]:
    """Return what the statistic is limited to, with its references: label, calendar and time."""
    labels = [named(label) for label in result.content.get("labels") or []]
    clause = " while " + " or ".join(labels) if labels else ""
    place = answer.results.index(result) if result in answer.results else 0
    earlier = [r for r in answer.results[:place] if r.tool == "filter_by_time"]
    last = earlier[-1] if earlier else None
    tail = " over whole sessions" if any(a.tail_s is not None for a in query.asks) else ""
    if last is None:
        return clause + tail, {}
    clause += _people(last) + _on_calendar(last.args)
    if "tail_s" in last.args:
        return clause + " in the last {tail} of each session", {
            "tail": ref("/args/tail_s", "seconds looked at", "unit", of=last)
        }
    if not {"start_s", "end_s"} & last.args.keys():
        return clause + tail, {}
    refs = {
        "from_s": ref("/start_s", "start of the time looked at", "unit", of=last),
        "to_s": ref("/end_s", "end of the time looked at", "unit", of=last),
    }
    if any(last.look(r.pointer) is None for r in refs.values()):
        return clause, {}
    return clause + " from {from_s} to {to_s}", refs


def _people(last: Result) -> str:
    """Return who, and which sessions, the statistic is of."""
    said = ""
    for key, form in (("subjects", " for {0}"), ("sessions", " in {0}")):
        names = [named(name) for name in last.args.get(key) or []]
        said += form.format(" and ".join(names)) if names and len(names) <= _FEW else ""
    return said


def _on_calendar(args: Mapping[str, Any]) -> str:
    """Return " on weekends", " in April", " between 06:00 and 12:00"."""
    said = ""
    if days := sorted(args.get("weekdays") or []):
        names = [f"{_WEEKDAYS[d]}s" for d in days]
        known = {tuple(_WEEKEND): "weekends", tuple(_WORKDAYS): "working days"}
        said += " on " + known.get(tuple(days), " and ".join(names))
    if months := args.get("months"):
        said += " in " + " and ".join(_MONTHS[m - 1] for m in months)
    if hours := args.get("hours"):
        said += f" from {hours[0]:02d}:00 to {(hours[-1] + 1) % 24:02d}:00"
    first, last = args.get("first_date"), args.get("last_date")
    if first and last:
        said += f" on {first}" if first == last else f" from {first} to {last}"
    elif first or last:
        said += f" since {first}" if first else f" up to {last}"
    return said


def _statistic_rows(answer: Answer, result: Result, word: str) -> None:
    rows: list[dict[str, Any]] = result.content["rows"]
    grouped = any(row.get("group") for row in rows)
    several = len({row["channel"] for row in rows}) > 1 or not grouped
    shown = _CALENDAR_ROWS if result.content.get("by") in _CALENDAR else _SHOWN_ROWS
    told = []
    for index, row in enumerate(rows[:shown]):
        value = ref(f"/rows/{index}/value", f"{word} of {row['channel']}{_group(row)}", "unit")
        group = (plain(str(row.get("group") or "")),) if grouped else ()
        channel = (f"`{row['channel']}`",) if several else ()
        told.append((result, (*channel, *group, value)))
    by = (str(result.content.get("by") or "group"),) if grouped else ()
    answer.note("")
    answer.table((*(("channel",) if several else ()), *by, word), told)
    if len(rows) > shown or (result.look("/n_rows") or 0) > len(rows):
        answer.note("The other rows are in the result.")


def _extremes(
    answer: Answer, result: Result, word: str, where: str, refs: Mapping[str, Ref]
) -> None:
    """Tell the highest and the lowest row, and how far apart they are."""
    rows = result.content["rows"]
    ends = (result.content["highest"], result.content["lowest"])
    group_h, group_l = (named(_group(end)) for end in ends)
    if rows[0].get("value") == rows[-1].get("value"):
        answer.head(
            result, f"the {word}{where} is the same for all channels: {{value}}",
            value=ref("/highest/value", f"{word} of each channel", "unit"), **refs,
        )  # fmt: skip
        return
    tied = rows[0].get("value") == rows[1].get("value")
    answer.head(
        result,
        f"the {word}{where} is highest for `{{top}}`{group_h} at {{high}}"
        f"{' (a tie)' if tied else ''} and lowest for `{{bottom}}`{group_l} at {{low}}",
        top=ref("/highest/channel", f"channel with the highest {word}"),
        high=ref("/highest/value", f"highest {word}", "unit"),
        bottom=ref("/lowest/channel", f"channel with the lowest {word}"),
        low=ref("/lowest/value", f"lowest {word}", "unit"),
        **refs,
    )
    answer.say(
        result, "The highest is {r} times the lowest.", r=ref("/ratio", "highest over lowest")
    )


def _group(row: Mapping[str, Any]) -> str:
    return f", {row['group']}" if row.get("group") else ""


def _left_out(answer: Answer, result: Result) -> None:
    """Name the channels looked at that have no row."""
    shown = {row["channel"] for row in result.content["rows"]}
    chosen = [r for r in answer.results if r.tool in {"show_session_stats", "select_channels"}]
    asked: Sequence[Any] = chosen[-1].content.get("channels") or [] if chosen else []
    missing = [f"`{c['id']}`" for c in asked if isinstance(c, dict) and c["id"] not in shown]
    few = (result.look("/n_rows") or 0) <= len(result.content["rows"])
    if missing and few and "other" not in result.content["rows"][0]:
        answer.note(f"Without values there: {', '.join(missing)}.")


def plan_stats(p: Planner, ask: Ask) -> None:
    """Plan a statistic: channels, filters, then the number; groups by mean and by peak."""
    p.open()
    if ask.channels:
        p.add("select_channels", "look at these channels only", channels=list(ask.channels))
    p.narrow(ask)
    level = _threshold(p, ask)
    for statistic in _statistics(p, ask):
        p.add(
            "show_channel_stats", f"compute the {statistic or 'std'}",
            statistic=statistic, by=ask.by, percent=ask.percent, threshold=level,
            upper=_upper(p, ask),
        )  # fmt: skip


def _threshold(p: Planner, ask: Ask) -> float | None:
    """Return a level in the unit of the one channel it is for."""
    if ask.level is None:
        return None
    channels = p.names.meant(ask.channels or p.names.channels)
    return in_unit(ask.level, p.names.unit_of(channels[0])) if len(channels) == 1 else None


def _statistics(p: Planner, ask: Ask) -> list[str | None]:
    """Return what is computed: "during which activity is it highest" is so on average.

    The peak is told behind it. Of a day it is the peak first, where what is measured adds up (kWh,
    litres, passengers) the day's sum.
    """
    sums = all(adds_up(p.names.unit_of(c)) for c in p.names.meant(ask.channels or p.names.channels))
    if ask.statistic == "days":
        above = ask.level is None or ask.level.above
        return ["sum" if sums else "max" if above else "min"]
    asked = ask.want in {"group", "when"} or ask.by == "date"
    if not asked or ask.statistic not in {"max", "min"} or ask.by is None:
        return [ask.statistic]
    if ask.by == "date":
        return ["sum", ask.statistic] if sums else [ask.statistic, "mean"]
    first = ask.statistic if ask.by in {"subject", "session"} else "mean"
    return list(dict.fromkeys([first, ask.statistic, "mean"]))


def _upper(p: Planner, ask: Ask) -> float | None:
    """Return the upper end of a band in the unit of the one channel it is for."""
    if ask.level is None or ask.level.upper is None:
        return None
    channels = p.names.meant(ask.channels or p.names.channels)
    top = replace(ask.level, value=ask.level.upper)
    return in_unit(top, p.names.unit_of(channels[0])) if len(channels) == 1 else None


FORM = Form(plans={"stats": plan_stats}, tells={"show_channel_stats": tell_statistics})
