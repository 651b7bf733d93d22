"""Statistics of channels: of all, by group, on the calendar, and where an extreme is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tool_use_om.agent.offline.forms.form import Form, on_calendar, tell_zone
from tool_use_om.agent.offline.forms.values.course import COURSE_TELLS
from tool_use_om.agent.offline.language.measures import in_unit
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Ref, Result, named, plain, ref
from tool_use_om.data.units import adds_up
from tool_use_om.tools.call.arguments import FilterByTime
from tool_use_om.tools.look.found import ChannelsSelected, Filtered, SessionsCounted
from tool_use_om.tools.look.statistics import (
    CadenceRow,
    Cadences,
    ChannelStatistics,
    MomentRow,
    Moments,
    Ordered,
    OrderedRow,
)

Values = Moments | Ordered | Cadences
ValueRow = MomentRow | OrderedRow | CadenceRow

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


def tell_statistics(answer: Answer, result: Result, query: Query) -> None:
    """Tell a statistic: of one channel as a sentence, of several or of groups as a table."""
    found = result.found(ChannelStatistics)
    where, refs = where_of(answer, result, query, found.labels)
    moments = result.if_found(Moments)
    if moments is not None and moments.beyond is not None:
        _days_beyond(answer, result, moments, where, refs)
        return
    if found.statistic in COURSE_TELLS:
        COURSE_TELLS[found.statistic](answer, result, where, refs)
    else:
        values = result.if_found(Ordered) or result.if_found(Cadences) or result.found(Moments)
        _values(answer, result, values, where, refs)
    tell_zone(answer, result, found.zone)
    if found.note:
        answer.note(f"*{plain(str(found.note))}.*")


def _days_beyond(
    answer: Answer, result: Result, found: Moments, where: str, refs: dict[str, Ref]
) -> None:
    """Tell how many days lie beyond a level, by what of each day."""
    beyond = found.beyond
    if beyond is None:
        return
    what = {"sum": "total", "max": "highest value", "min": "lowest value"}[found.statistic]
    answer.head(
        result, f"{{n}} of {{of}} days{where} have a {what} of `{{channel}}` "
        f"{'above' if beyond.above else 'below'} {{level}}",
        n=ref(beyond.n, "days beyond the level"), of=ref(beyond.of, "days looked at"),
        channel=ref(beyond.channel, "channel"),
        level=ref(beyond.level.value, "level asked for"), **refs,
    )  # fmt: skip
    _statistic_rows(answer, result, found)


_TWICE = (1.8, 2.2)  # so many beats in a repeat are the two steps of a stride


def _beats(answer: Answer, result: Result, row: CadenceRow) -> None:
    """Tell how often the strongest beat comes, where each repeat of a movement holds two."""
    if _TWICE[0] <= row.beats.value / row.value <= _TWICE[1]:
        whose = f" of {named(row.group)}" if row.group else ""
        answer.say(
            result, f"Each repeat{whose} has two beats ({{beats}}): if a repeat is a stride, these "
            "are the steps.", beats=ref(row.beats.value, "beats a second"),
        )  # fmt: skip


def _values(
    answer: Answer, result: Result, found: Values, where: str, refs: dict[str, Ref]
) -> None:
    rows, word = found.rows, _word(found)
    if len(rows) == 1:
        _one(answer, result, found, where, refs)
        return
    channels = {row.channel for row in rows}
    if found.by not in (None, "channel") and len(channels) <= _FEW:
        _winners(answer, result, found, where, refs)
    elif len({row.unit for row in rows}) == 1:
        _extremes(answer, result, found, where, refs)
    else:
        answer.head(
            result, f"the {word} of each channel{where} is in the table; the channels have "
            "different units, so they cannot be ranked", **refs,
        )  # fmt: skip
    _statistic_rows(answer, result, found)
    if isinstance(found, Cadences):
        _beats(answer, result, found.rows[0])
    if (found.n_sessions or 0) > 1:
        answer.say(result, "Based on {n} sessions.", n=ref(found.n_sessions, "sessions behind it"))
    _left_out(answer, found)


def _word(found: Values) -> str:
    """Return the statistic in words; a percentile is named by its share."""
    if found.statistic == "percentile" and found.percent is not None:
        return f"{found.percent:g}{_ordinal(found.percent)} percentile"
    return _STATISTICS.get(found.statistic, str(found.statistic))


def _one(answer: Answer, result: Result, found: Values, where: str, refs: dict[str, Ref]) -> None:
    row, word = found.rows[0], _word(found)
    place, more = _place(row)
    energy = row.energy if isinstance(row, MomentRow) else None
    value = ref(row.value, word) if energy is None else ref(energy.value, "energy")
    answer.head(
        result, f"the {word} of `{{channel}}`{_in_group(found, row)}{where} is {{value}}{place}",
        channel=ref(row.channel, "channel"), value=value, **refs, **more,
    )  # fmt: skip
    if energy is not None:
        answer.note("This is energy: power multiplied by the time each sample covers.")
    answer.say(
        result, "Based on {n} samples from {sessions} sessions.",
        n=ref(row.n, "samples"), sessions=ref(found.n_sessions, "sessions behind it"),
    )  # fmt: skip


def _ordinal(percent: float) -> str:
    teen = percent % 100 in {11.0, 12.0, 13.0}
    return "th" if teen else _ORDINAL.get(percent % 10, "th")


def _place(row: ValueRow) -> tuple[str, dict[str, Ref]]:
    """Return where a value stands: the date if there is one, else seconds into the session."""
    if row.time:
        return ", on {time}", {"time": ref(row.time, "when that was")}
    if row.at_s is not None:
        session = ref(row.session_id, "session of that")
        return ", {at} into `{session}`", {
            "at": ref(row.at_s, "when that was"), "session": session,
        }  # fmt: skip
    return "", {}


def _in_group(found: Values, row: ValueRow) -> str:
    """Return " during walking", " on Mondays" for a row of a group."""
    if not row.group:
        return ""
    form = _IN_GROUP.get(str(found.by), "of {g}")
    return " " + form.format(g=named(row.group))


def _winners(
    answer: Answer, result: Result, found: Values, where: str, refs: dict[str, Ref]
) -> None:
    """Tell for each channel the group where it is highest, and lowest."""
    word = _word(found)
    for channel in dict.fromkeys(str(row.channel) for row in found.rows):
        own = [row for row in found.rows if row.channel == channel]
        top = max(own, key=lambda row: row.value)
        low = min(own, key=lambda row: row.value)
        whole = ref(own[0].channel, "channel")
        if top.value == low.value:
            answer.head(
                result, f"the {word} of `{{channel}}`{where} is the same everywhere, {{high}}",
                channel=whole, high=ref(top.value, word), **refs,
            )  # fmt: skip
            continue
        what = f"{word} of {channel}"
        answer.head(
            result, f"the {word} of `{{channel}}`{where} is highest{_in_group(found, top)}, "
            f"at {{high}}, and lowest{_in_group(found, low)}, at {{low}}",
            channel=whole, high=ref(top.value, f"highest {what}"),
            low=ref(low.value, f"lowest {what}"), **refs,
        )  # fmt: skip


def where_of(
    answer: Answer, result: Result, query: Query, labels: Sequence[str] = ()
) -> tuple[str, dict[str, Ref]]:
    """Return what the statistic is limited to, with its references: label, calendar and time."""
    clause = " while " + " or ".join(named(label) for label in labels) if labels else ""
    place = answer.results.index(result) if result in answer.results else 0
    earlier = [r for r in answer.results[:place] if r.tool == "filter_by_time"]
    last = earlier[-1] if earlier else None
    tail = " over whole sessions" if any(a.tail_s is not None for a in query.asks) else ""
    if last is None:
        return clause + tail, {}
    asked, chosen = last.asked(FilterByTime), last.found(Filtered)
    clause += _people(asked) + on_calendar(asked)
    if asked.tail_s is not None:
        return clause + " in the last {tail} of each session", {
            "tail": ref(asked.tail_s, "seconds looked at", "unit")
        }
    if asked.start_s is None and asked.end_s is None:
        return clause + tail, {}
    if "start_s" not in last.content:
        return clause, {}  # nothing was selected
    return clause + " from {from_s} to {to_s}", {
        "from_s": ref(chosen.start_s, "start of the time looked at"),
        "to_s": ref(chosen.end_s, "end of the time looked at"),
    }


def _people(asked: FilterByTime) -> str:
    """Return who, and which sessions, the statistic is of."""
    said = ""
    for given, form in ((asked.subjects, " for {0}"), (asked.sessions, " in {0}")):
        names = [named(name) for name in given or []]
        said += form.format(" and ".join(names)) if names and len(names) <= _FEW else ""
    return said


def _statistic_rows(answer: Answer, result: Result, found: Values) -> None:
    rows, word = found.rows, _word(found)
    grouped = any(row.group for row in rows)
    several = len({row.channel for row in rows}) > 1 or not grouped
    shown = _CALENDAR_ROWS if found.by in _CALENDAR else _SHOWN_ROWS
    told = []
    for row in rows[:shown]:
        value = ref(row.value, f"{word} of {row.channel}{_group(row)}")
        group = (plain(str(row.group or "")),) if grouped else ()
        channel = (f"`{row.channel}`",) if several else ()
        told.append((result, (*channel, *group, value)))
    by = (str(found.by or "group"),) if grouped else ()
    answer.note("")
    answer.table((*(("channel",) if several else ()), *by, word), told)
    if len(rows) > shown or (found.n_rows or 0) > len(rows):
        answer.note("The remaining rows are in the result.")


def _extremes(
    answer: Answer, result: Result, found: Values, where: str, refs: Mapping[str, Ref]
) -> None:
    """Tell the highest and the lowest row, and how far apart they are."""
    rows, word = found.rows, _word(found)
    top, bottom = found.highest, found.lowest
    group_h, group_l = named(_group(top)), named(_group(bottom))
    if rows[0].value == rows[-1].value:
        answer.head(
            result, f"the {word}{where} is the same for all channels, {{value}}",
            value=ref(top.value, f"{word} of each channel"), **refs,
        )  # fmt: skip
        return
    tied = rows[0].value == rows[1].value
    answer.head(
        result,
        f"the {word}{where} is highest for `{{top}}`{group_h} at {{high}}"
        f"{' (a tie)' if tied else ''} and lowest for `{{bottom}}`{group_l} at {{low}}",
        top=ref(top.channel, f"channel with the highest {word}"),
        high=ref(top.value, f"highest {word}"),
        bottom=ref(bottom.channel, f"channel with the lowest {word}"),
        low=ref(bottom.value, f"lowest {word}"),
        **refs,
    )
    answer.say(
        result, "The highest is {r} times the lowest.", r=ref(found.ratio, "highest over lowest")
    )


def _group(row: ValueRow) -> str:
    return f", {row.group}" if row.group else ""


def _left_out(answer: Answer, found: Values) -> None:
    """Name the channels looked at that have no row."""
    shown = {row.channel for row in found.rows}
    lists = (r.if_found(SessionsCounted) or r.if_found(ChannelsSelected) for r in answer.results)
    chosen = [each for each in lists if each is not None]
    missing = [f"`{c.id}`" for c in (chosen[-1].channels if chosen else []) if c.id not in shown]
    few = (found.n_rows or 0) <= len(found.rows)
    if missing and few:
        answer.note(f"No values there: {', '.join(missing)}.")


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
