"""Words for what channels do in time: trend, cycle, levels, two together, and all that in words."""

from __future__ import annotations

from collections.abc import Callable

from tool_use_om.agent.offline.forms.form import Form
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Cell, Ref, Result, braces, named, plain, ref
from tool_use_om.heads.describe.sentences import forms_of
from tool_use_om.tools.look.statistics import (
    Changes,
    CorrelationRow,
    Correlations,
    CycleRow,
    Cycles,
    LongestSpell,
    StatisticRow,
    TimesBeyond,
    Trends,
    UnlikeRow,
    Unlikes,
)
from tool_use_om.tools.look.told import AnyRow, SignalDescribed

_SHOWN = 8
_STRENGTHS = ((0.7, "strongly"), (0.4, "moderately"), (0.0, "weakly"))
_OVER = {
    "time": "",
    "sessions": " from session to session",
    "each session": " within a session",
}
_CYCLES = {"day": "daily", "week": "weekly", "year": "yearly"}
Tell = Callable[[Answer, Result, str, dict[str, Ref]], None]


def tell_trend(answer: Answer, result: Result, where: str, refs: dict[str, Ref]) -> None:
    """Tell whether each channel rises or falls, how fast, and how sure that is."""
    rows = result.found(Trends).rows
    for row in rows[:_SHOWN]:
        what = f"change of {row.channel} a {row.per}"
        over = _OVER.get(str(row.over), "")
        own = {
            "channel": ref(row.channel, "channel"),
            "value": ref(row.value, what),
            "lower": ref(row.lower, f"{what}, lower end"),
            "upper": ref(row.upper, f"{what}, upper end"),
        }
        clear = row.course in {"rises", "falls"}
        lead = (
            f"{row.course}{over} by {{value}}"
            if clear
            else f"shows no clear trend{over}: {{value}}"
        )
        told = f"`{{channel}}`{_group(row)}{where} {lead} per {row.per}"
        with_interval = f"{told} (95 % interval {{lower}} to {{upper}})"
        if not answer.head(result, with_interval, **own, **refs):
            bare = {k: v for k, v in own.items() if k in {"channel", "value"}}
            answer.head(
                result, f"{told}; there are too few samples for an interval", **bare, **refs
            )
    if any(row.over == "sessions" for row in rows):
        answer.note("Each session counts once, with its mean at its date.")
    answer.note("A trend counts as clear when its interval excludes zero.")


def tell_correlation(answer: Answer, result: Result, where: str, refs: dict[str, Ref]) -> None:
    """Tell how two channels go together, in words and as a number with its interval."""
    found = result.found(Correlations)
    for row in found.rows[:_SHOWN]:
        own = {
            "a": ref(row.channel, "one channel"),
            "b": ref(row.other, "the other channel"),
            "value": ref(row.value, f"correlation of {row.channel} and {row.other}"),
            "lower": ref(row.lower, "correlation, lower end"),
            "upper": ref(row.upper, "correlation, upper end"),
        }
        told = (
            f"`{{a}}` and `{{b}}`{_group(row)}{where} {_together(row)}: their correlation is "
            "{value} (95 % interval {lower} to {upper})"
        )
        answer.head(result, told, **own, **refs)
    answer.say(
        result, "Based on {n} samples from {sessions} sessions.",
        n=ref(found.rows[0].n, "samples"), sessions=ref(found.n_sessions, "sessions behind it"),
    )  # fmt: skip
    answer.note(
        "Correlation measures a straight-line relation at the same moment; it shows no cause."
    )


def _together(row: CorrelationRow) -> str:
    value = float(row.value)
    if not row.clear:
        return "show no clear relation"
    strength = next(word for least, word in _STRENGTHS if abs(value) >= least)
    return f"move {'together' if value > 0 else 'in opposite directions'} {strength}"


def tell_beyond(answer: Answer, result: Result, where: str, refs: dict[str, Ref]) -> None:
    """Tell how long, how much of the time and how often a channel is beyond a level."""
    found = result.found(TimesBeyond)
    between = found.statistic == "time_between"
    word = "above" if found.statistic == "time_above" else "below"
    level = "between {level} and {upper}" if between else f"{word} {{level}}"
    for row in found.rows[:_SHOWN]:
        what = f"{row.channel} {word} the level"
        own = {
            "channel": ref(row.channel, "channel"),
            "level": ref(row.level.value, "level asked for"),
            **({"upper": ref(row.upper.value, "upper level")} if row.upper is not None else {}),
        }
        if not row.n_times:
            told = f"`{{channel}}`{_group(row)}{where} is never {level}"
            answer.head(result, told, **own, **refs)
            continue
        times = "once" if row.n_times == 1 else "{times} times"
        more = {} if row.n_times == 1 else {"times": ref(row.n_times, f"times {what}")}
        answer.head(
            result, f"`{{channel}}`{_group(row)}{where} is {level} for {{value}} in total "
            f"({{share}} of the time), {times}", value=ref(row.value, f"time {what}"),
            share=ref(row.share_frac, f"share of the time {what}"),
            **own, **more, **refs,
        )  # fmt: skip
        if row.first is not None and row.last is not None:
            _ends_of(answer, result, row.first, row.last, one=row.n_times == 1)
        if row.longest is not None and row.n_times > 1:
            _longest(answer, result, row.longest)


def _ends_of(
    answer: Answer, result: Result, first: LongestSpell, last: LongestSpell, *, one: bool
) -> None:
    """Tell when the first and the last time are."""
    of = ["" if s.time else f" of `{braces(str(s.session_id))}`" for s in (first, last)]
    begin = ref(first.time or first.start_s, "start of the first time")
    if one:
        answer.say(result, f"It starts at {{first}}{of[0]}.", first=begin)
        return
    answer.say(
        result, f"The first time starts at {{first}}{of[0]}, the last at {{last}}{of[1]}.",
        first=begin, last=ref(last.time or last.start_s, "start of the last time"),
    )  # fmt: skip


def tell_change(answer: Answer, result: Result, where: str, refs: dict[str, Ref]) -> None:
    """Tell by how much each channel went up or down from its first to its last value."""
    for row in result.found(Changes).rows[:_SHOWN]:
        own = {
            "channel": ref(row.channel, "channel"),
            "value": ref(row.value, f"change of {row.channel}"),
            "first": ref(row.first.value, "first value"),
            "last": ref(row.last.value, "last value"),
        }
        share = ""
        if row.change_frac is not None:
            share = "{share}, "
            own["share"] = ref(row.change_frac, "change, of the first value", "percent")
        since, until = "", ""
        if row.first.time and row.last.time:
            since, until = " ({since})", " ({until})"
            own |= {"since": ref(row.first.time, "when the first value was"),
                    "until": ref(row.last.time, "when the last value was")}  # fmt: skip
        way = "up" if row.value > 0 else "down" if row.value < 0 else "neither up nor down"
        answer.head(
            result, f"`{{channel}}`{_group(row)}{where} went {way} ({share}{{value}}), from "
            f"{{first}}{since} to {{last}}{until}", **own, **refs,
        )  # fmt: skip


def tell_unlike(answer: Answer, result: Result, where: str, refs: dict[str, Ref]) -> None:
    """Tell which group is unlike the others and in what, or that none stands out."""
    found = result.found(Unlikes)
    rows, top = found.rows, found.rows[0]
    kind = {"date": "day"}.get(str(found.by), str(found.by))
    noun = str(found.session_noun or kind) if kind == "session" else kind
    far = {"z": ref(top.value, "robust deviations from the usual", "plain"),
           "group": ref(top.group, f"{kind} most unlike the others")}  # fmt: skip
    own = {
        "channel": ref(top.channel, "channel that sets it apart"),
        "own": ref(top.own.value, f"its {top.measure}"),
        "usual": ref(top.usual.value, "the median of all"),
    }
    limit = ref(top.limit, "deviations from which one stands out")
    out = [row for row in rows if row.stands_out]
    apart = f"its {top.measure} of `{{channel}}` is {{own}}, where {{usual}} is usual"
    whose = f"{braces(noun)} " if noun != kind else ""
    if out:
        answer.head(
            result, f"{whose}`{{group}}` is the {braces(noun)} most unlike the others{where}: "
            f"{apart}, {{z}} robust deviations away", **far, **own, **refs,
        )  # fmt: skip
    else:
        answer.head(
            result, f"no {braces(noun)}{where} stands out from the others; the most unlike is "
            "`{group}`, {z} robust deviations away, and from {limit} on it would stand out",
            limit=limit, **far, **refs,
        )  # fmt: skip
        answer.say(result, f"There {apart}.", **own)
    told = [(result, _unlike_cells(row)) for row in rows[: max(len(out), 3)][:_SHOWN]]
    answer.section("Most unlike the others")
    answer.table((noun, "in its", "there", "usual", "robust deviations"), told)
    answer.note(
        "Mean, spread, lowest and highest value of each channel are compared with their medians; "
        "a robust deviation is 1.48 times the median distance from those."
    )
    if out:
        answer.say(result, "From {limit} on, one stands out.", limit=limit)


def _unlike_cells(row: UnlikeRow) -> tuple[Cell, ...]:
    return (
        f"`{row.group}`",
        f"{row.measure} of `{row.channel}`",
        ref(row.own.value, f"{row.measure} of {row.group}"),
        ref(row.usual.value, f"usual {row.measure} beside {row.group}"),
        ref(row.value, f"robust deviations of {row.group}", "plain"),
    )


def _longest(answer: Answer, result: Result, spell: LongestSpell) -> None:
    of = "" if spell.time else f" of `{braces(str(spell.session_id))}`"
    answer.say(
        result, f"The longest lasts {{length}}, starting at {{begin}}{of}.",
        length=ref(spell.length_s, "length of the longest"),
        begin=ref(spell.time or spell.start_s, "start of the longest", "unit"),
    )  # fmt: skip


def tell_cycle(answer: Answer, result: Result, where: str, refs: dict[str, Ref]) -> None:
    """Tell whether a channel has a cycle, how long it is and how strong."""
    for row in result.found(Cycles).rows[:_SHOWN]:
        name, cycle = ref(row.channel, "channel"), row.cycle
        if not row.clear or cycle is None:
            answer.head(
                result, f"`{{channel}}`{_group(row)}{where} shows no clear cycle", channel=name,
                **refs,
            )  # fmt: skip
        else:
            kind = _CYCLES.get(str(cycle.name), "")
            answer.head(
                result, f"`{{channel}}`{_group(row)}{where} has a "
                f"{f'{kind} cycle' if kind else 'cycle of {period}'}, which explains {{share}} "
                "of its variation", channel=name,
                share=ref(cycle.strength_frac, "share the cycle explains"),
                **({} if kind else {"period": ref(cycle.period_s, "length of a cycle")}), **refs,
            )  # fmt: skip
        _calendar(answer, result, row)
    answer.note(
        "The strength of a cycle is the share of the variation that the other cycles predict, once "
        "the straight-line trend is removed; for a week, the average day is removed, too."
    )


def _calendar(answer: Answer, result: Result, row: CycleRow) -> None:
    told = row.cycle.name if row.cycle else None
    for cycle in row.calendar:
        kind = _CYCLES[str(cycle.name)]
        if cycle.name == told:
            continue
        verdict = "is also clear" if cycle.clear else "is not clear"
        answer.say(
            result, f"A {kind} cycle of `{plain(str(row.channel))}` {verdict} ({{share}}).",
            share=ref(cycle.strength_frac, f"share a {kind} cycle explains"),
        )  # fmt: skip


def _group(row: StatisticRow | CorrelationRow) -> str:
    return f" ({named(row.group)})" if row.group else ""


COURSE_TELLS: dict[str, Tell] = {
    "trend": tell_trend,
    "correlation": tell_correlation,
    "time_above": tell_beyond,
    "time_below": tell_beyond,
    "time_between": tell_beyond,
    "change": tell_change,
    "unlike": tell_unlike,
    "cycle": tell_cycle,
}
"""Statistic → what tells its rows."""


def tell_description(answer: Answer, result: Result, query: Query) -> None:  # noqa: ARG001 - same form
    """Tell a stretch in words, each number by where it stands among the facts."""
    found = result.found(SignalDescribed)
    answer.head(
        result, "a description of `{session}` from {start} to {end}",
        session=ref(found.session_id, "session described"),
        start=ref(found.start_s, "start of the stretch"),
        end=ref(found.end_s, "end of the stretch"),
    )  # fmt: skip
    answer.note("")
    for row in found.rows:
        _say_fact(answer, result, row)
    answer.note("")
    answer.note("*Described from facts computed of the samples; no head was fitted.*")
    if found.n_sessions > 1:
        answer.say(
            result, "It is the first of {n} sessions: name another to have that one described.",
            n=ref(found.n_sessions, "sessions to choose from"),
        )  # fmt: skip
    if found.unsaid:
        answer.note(f"Too few samples of {', '.join(plain(str(c)) for c in found.unsaid)}.")
    if found.n_left_out:
        answer.say(
            result, "{n} more channels are not described; name those that matter.",
            n=ref(found.n_left_out, "channels left out"),
        )  # fmt: skip


def _say_fact(answer: Answer, result: Result, row: AnyRow) -> None:
    """Say one fact in its plain form; that form's places are the row's fields."""
    template = forms_of(str(row.kind), getattr(row, "n", None))[0]
    fields = [name for name in type(row).model_fields if f"{{{name}}}" in template]
    own = {name: ref(getattr(row, name), f"{row.kind} of {row.channel}, {name}") for name in fields}
    answer.say(result, "- " + template.replace("{channel}", "`{channel}`"), **own)


def _plan_description(p: Planner, ask: Ask) -> None:
    p.open()
    if ask.tail_s is not None or ask.subjects or ask.calendar:
        p.narrow(ask, labels=False)
    p.add(
        "describe_signal", "say the stretch in words", session=next(iter(ask.sessions), None),
        start_s=ask.start_s or None, end_s=ask.end_s, channels=list(ask.channels),
    )  # fmt: skip


FORM = Form(
    plans={"description": _plan_description},
    tells={"describe_signal": tell_description},
)
