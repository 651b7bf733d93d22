"""Amounts by group: the best day, the mean a night, how often, how long, how much in all."""

from __future__ import annotations

from tool_use_om.agent.offline.forms.form import Form, tell_zone
from tool_use_om.agent.offline.forms.values.stats import where_of
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.planner import Planner
from tool_use_om.agent.offline.writer import Answer, Ref, Result, named, plain, ref
from tool_use_om.tools.call.arguments import FilterByTime
from tool_use_om.tools.measure.found import AmountOf, AmountRow, Amounts, StretchRow

_SHOWN = 12
_CALENDAR_SHOWN = 31
_LISTED = 8
_IN_GROUP = {
    "hour": "at {g}", "date": "on {g}", "night": "in the night to {g}",
    "week": "in the week of {g}",
    "weekday": "on {g}s", "month": "in {g}", "year": "in {g}", "weekend": "on {g}",
    "parts": "from {g}", "periods": "in {g}", "half": "in the {g}", "session": "in {g}",
    "subject": "for {g}", "label": "during {g}",
}  # fmt: skip
_NOUNS = {
    "hour": "hours", "date": "days", "night": "nights", "week": "weeks", "weekday": "weekdays",
    "month": "months", "year": "years", "session": "sessions", "subject": "subjects",
    "label": "labels", "parts": "parts of the day", "periods": "periods", "weekend": "days",
    "half": "parts",
}  # fmt: skip
_WORDS = {"min": "lowest value", "max": "highest value", "std": "standard deviation",
          "sum": "total", "first": "first value", "last": "last value"}  # fmt: skip
_CALENDAR = frozenset({"hour", "date", "night", "week", "weekday", "month"})
_SUMMED = frozenset({"rise", "energy", "time", "events"})


def _plan(p: Planner, ask: Ask) -> None:
    """Plan one measurement of what is asked about."""
    p.open()
    p.narrow(ask)
    p.add("measure_amounts", "compute what is asked", **dict(ask.amounts))


def tell_amounts(answer: Answer, result: Result, query: Query) -> None:
    """Tell an amount: of the whole as a sentence, of groups by what was asked of them."""
    found = result.found(Amounts)
    where, refs = where_of(answer, result, query, _labels(answer, result))
    want = _want(answer, result, query)
    if found.by == "whole":
        _tell_whole(answer, result, found, where, refs)
    elif found.passed is not None:
        _tell_passed(answer, result, found, where, refs)
    elif want == "none":
        _tell_without(answer, result, found, where)
    elif want == "mean":
        _tell_mean(answer, result, found, where, refs)
    elif found.difference is not None and want != "least":
        _tell_difference(answer, result, found, where, refs)
    else:
        _tell_ends(answer, result, found, where, refs, want=want)
    _tell_stretches(answer, result, found)
    _table(answer, result, found, want)
    if found.n_parts and found.by in {"date", "night", "week", "month", "year"}:
        answer.say(
            result, f"Of the {_NOUNS[found.by]}, {{n}} were recorded only in part.",
            n=ref(found.n_parts, "groups recorded in part"),
        )  # fmt: skip
    if found.of == "energy":
        answer.note("Energy is power times the time that each sample stands for.")
    tell_zone(answer, result, found.zone)
    if found.note:
        answer.note(f"*{plain(str(found.note))}.*")


def _want(answer: Answer, result: Result, query: Query) -> str:
    """Return what the ask that this result answers wants to hear."""
    wants = [ask.want for ask in query.asks if ask.kind == "amounts"]
    own = [r for r in answer.results if r.tool == "measure_amounts"]
    place = own.index(result) if result in own else 0
    return wants[place] if len(wants) == len(own) else "value"


def _value(amount: AmountRow | AmountOf, what: str) -> Ref:
    """Return a reference to an amount; what is counted has no unit to show."""
    return ref(amount.value, what, "plain" if amount.unit == "count" else None)


def _labels(answer: Answer, result: Result) -> list[str]:
    """Return the labels that a filter before this call keeps."""
    before = list(answer.results)[: list(answer.results).index(result)]
    filters = [r for r in before if r.tool == "filter_by_time" and "error" not in r.content]
    return list(filters[-1].asked(FilterByTime).labels or []) if filters else []


def _what(found: Amounts) -> tuple[str, dict[str, Ref]]:
    """Return what is measured in words: "the energy of `x`", "the time with FAULT"."""
    refs: dict[str, Ref] = {}
    if found.label is not None:
        what = f"with {named(found.label)}"
        return {"time": f"the time {what}", "events": f"the number of times {what}"}[found.of], refs
    refs["channel"] = ref(found.channel, "channel")
    if found.of in {"time", "events"}:
        refs |= _level_refs(found)
        beyond = _beyond(found)
        word = "the time" if found.of == "time" else "the number of times"
        return f"{word} that `{{channel}}` is {beyond}", refs
    words = {
        "energy": "the energy of", "rise": "what was added to", "return": "the change of",
        "value": f"the {_statistic(found)} of",
    }  # fmt: skip
    return f"{words[found.of]} `{{channel}}`", refs


def _statistic(found: Amounts) -> str:
    return _WORDS.get(found.statistic, str(found.statistic))


def _beyond(found: Amounts) -> str:
    if found.upper is not None:
        return "between {level} and {upper}"
    return "above {level}" if found.above else "below {level}"


def _level_refs(found: Amounts) -> dict[str, Ref]:
    refs = {}
    if found.level is not None:
        refs["level"] = ref(found.level.value, "level asked for")
    if found.upper is not None:
        refs["upper"] = ref(found.upper.value, "upper level asked for")
    return refs


def _in_group(found: Amounts, row: AmountRow) -> str:
    return " " + _IN_GROUP.get(str(found.by), "of {g}").format(g=named(row.group))


def _tell_whole(
    answer: Answer, result: Result, found: Amounts, where: str, refs: dict[str, Ref]
) -> None:
    row = found.rows[0]
    what, more = _what(found)
    refs = {**refs, **more, "value": _value(row, "what was asked")}
    per = _per(found)
    if found.of == "time":
        subject = named(found.label) if found.label else f"`{{channel}}` is {_beyond(found)} for"
        verb = " takes" if found.label else ""
        share = ", {share} of the time recorded" if row.share_frac is not None else ""
        where = f"{per or ' in all'}{where}"
        if row.share_frac is not None:
            refs["share"] = ref(row.share_frac, "share of the time recorded")
        times = ""
        if row.n > 1:
            times, refs["n"] = ", in {n} stretches", ref(row.n, "stretches")
        answer.head(result, f"{subject}{verb} {{value}}{where}{share}{times}", **refs)
    elif found.of == "events":
        subject = f"{named(found.label)} comes" if found.label else (
            f"`{{channel}}` is {_beyond(found)}"
        )  # fmt: skip
        answer.head(result, f"{subject} {{value}} times{per}{where}", **refs)
    elif found.of == "return":
        answer.head(result, f"`{{channel}}` changes{where} by {{value}} from first to last", **refs)
    else:
        place = ""
        if row.time and not per:
            refs["time"] = ref(row.time, "when that was")
            place = ", first on {time}"
        answer.head(result, f"{what}{where} is {{value}}{per}{place}", **refs)


def _per(found: Amounts) -> str:
    """Return " a night on average" where amounts of smaller groups were put together."""
    words = {"date": "day", "weekend": "group", "parts": "part of the day"}
    return f" a {words.get(found.per, found.per)} on average" if found.per else ""


def _tell_passed(
    answer: Answer, result: Result, found: Amounts, where: str, refs: dict[str, Ref]
) -> None:
    passed = found.passed
    if passed is None:
        return
    what, more = _what(found)
    noun = _NOUNS.get(str(found.by), "groups")
    side = "above" if passed.above else "below"
    answer.head(
        result, f"on {{n}} of {{of}} {noun}{where} {what} is {side} {{level}}",
        n=ref(passed.n, f"{noun} {side} the level"), of=ref(passed.of, f"{noun} looked at"),
        level=ref(
            passed.value, "level asked for", "plain" if passed.unit == "count" else None
        ), **refs, **more,
    )  # fmt: skip
    if passed.first and passed.last and passed.first != passed.last:
        answer.say(
            result, "The first is {first}, the last {last}.",
            first=ref(passed.first, "first of them"), last=ref(passed.last, "last of them"),
        )  # fmt: skip
    elif passed.first:
        answer.say(result, "It is {first}.", first=ref(passed.first, "the one"))
    word, end = ("highest", found.highest) if passed.above else ("lowest", found.lowest)
    answer.say(
        result, f"The {word} is {{value}},{_in_group(found, end)}.",
        value=_value(end, "the furthest of them"),
    )  # fmt: skip


def _tell_without(answer: Answer, result: Result, found: Amounts, where: str) -> None:
    what = named(found.label) if found.label else "that"
    noun = _NOUNS.get(str(found.by), "groups")
    if not found.without:
        answer.head(result, f"all {{n}} {noun}{where} have {what}", n=ref(found.n_groups, noun))
        return
    listed = ", ".join(f"`{name}`" for name in found.without)
    answer.head(
        result, f"without {what}{where} {'are' if len(found.without) > 1 else 'is'} {listed}, of "
        f"{{n}} {noun}", n=ref(found.n_groups, noun),
    )  # fmt: skip


def _tell_mean(
    answer: Answer, result: Result, found: Amounts, where: str, refs: dict[str, Ref]
) -> None:
    what, more = _what(found)
    noun = _NOUNS.get(str(found.by), "groups")
    answer.head(
        result, f"on average over {{n}} {noun} {what}{where} is {{value}}",
        n=ref(found.n_groups, noun), value=_value(found.mean, f"mean over {noun}"),
        **refs, **more,
    )  # fmt: skip
    for word, row in (("highest", found.highest), ("lowest", found.lowest)):
        answer.say(
            result, f"It is {word}{_in_group(found, row)}: {{value}}.",
            value=_value(row, f"the {word}"),
        )  # fmt: skip


def _tell_difference(
    answer: Answer, result: Result, found: Amounts, where: str, refs: dict[str, Ref]
) -> None:
    """Tell which of two groups has more, by how much, and both."""
    what, more = _what(found)
    top, low = found.highest, found.lowest
    per = _per(found)
    if top.value == low.value:
        answer.head(
            result, f"{what}{where} is the same in both: {{value}}{per}",
            value=_value(top, "both"), **refs, **more,
        )  # fmt: skip
        return
    answer.head(
        result, f"{what}{where} is higher{_in_group(found, top)}, {{high}}{per}, than"
        f"{_in_group(found, low)}, {{low}}",
        high=_value(top, f"of {top.group}"), low=_value(low, f"of {low.group}"),
        **refs, **more,
    )  # fmt: skip
    one = found.difference
    if one is not None and one.more_frac is not None:
        answer.say(
            result, f"For {named(one.first)} that is {{value}} ({{more}}) against "
            f"{named(one.other)}.",
            value=ref(
                one.value, f"{one.first} less {one.other}", "plain" if one.unit == "count" else None
            ),
            more=ref(one.more_frac, f"{one.first} over {one.other}, less one"),
        )  # fmt: skip


def _tell_ends(
    answer: Answer, result: Result, found: Amounts, where: str, refs: dict[str, Ref], *, want: str
) -> None:
    what, more = _what(found)
    ends = [("highest", found.highest), ("lowest", found.lowest)]
    if want == "least":
        ends.reverse()
    per = _per(found)
    if found.of == "value" and found.statistic in {"max", "min"}:
        what = what.replace(f"the {_statistic(found)} of ", "", 1)  # not "the highest is highest"
    (word, row), (other, second) = ends
    answer.head(
        result, f"{what}{where} is {word}{_in_group(found, row)}, at {{value}}{per}",
        value=_value(row, f"the {word}"), **refs, **more,
    )  # fmt: skip
    answer.say(
        result, f"It is {other}{_in_group(found, second)}, at {{value}}.",
        value=_value(second, f"the {other}"),
    )  # fmt: skip
    if found.total is not None and found.of in _SUMMED:
        answer.say(result, "In all it is {value}.", value=_value(found.total, "all together"))


def _tell_stretches(answer: Answer, result: Result, found: Amounts) -> None:
    """Tell the longest time that a label holds or a level is passed, the first and the last."""
    before = list(answer.results)[: list(answer.results).index(result)]
    told = [other for r in before if (other := r.if_found(Amounts)) is not None]
    again = any(
        (o.label, o.channel, o.level) == (found.label, found.channel, found.level) for o in told
    )
    if found.longest is None or again or found.by != "whole":
        return
    words = [("longest", found.longest)]
    if found.first is not None and found.last is not None and found.first != found.last:
        words += [("first", found.first), ("last", found.last)]
    for word, one in words:
        template, refs = _from_to(one, word)
        extreme = ""
        if one.extreme is not None:
            refs["extreme"] = ref(one.extreme, f"furthest value in the {word}")
            extreme = ", reaching {extreme}"
        answer.say(
            result, f"The {word} is {template} ({{length}}{extreme}).",
            length=ref(one.length_s, f"length of the {word}"), **refs,
        )  # fmt: skip


def _from_to(one: StretchRow, word: str) -> tuple[str, dict[str, Ref]]:
    if one.from_:
        return "from {begin} to {end}", {
            "begin": ref(one.from_, f"start of the {word}"),
            "end": ref(one.to, f"end of the {word}"),
        }  # fmt: skip
    return "from {begin} to {end} of `{of}`", {
        "begin": ref(one.start_s, f"start of the {word}"),
        "end": ref(one.end_s, f"end of the {word}"),
        "of": ref(one.session_id, f"session of the {word}"),
    }


def _table(answer: Answer, result: Result, found: Amounts, want: str) -> None:
    rows = list(found.rows)
    if len(rows) <= 1:
        return
    if want == "least":
        rows.reverse()
    shown = _CALENDAR_SHOWN if found.by in _CALENDAR and len(rows) <= _CALENDAR_SHOWN else _SHOWN
    told = [
        (result, (plain(str(row.group)), _value(row, f"of {row.group}"))) for row in rows[:shown]
    ]
    answer.note("")
    word = {"time": "time", "events": "times", "energy": "energy", "rise": "added",
            "return": "change"}.get(found.of, _statistic(found))  # fmt: skip
    answer.table((_NOUNS.get(str(found.by), "group").removesuffix("s"), word), told)
    if len(rows) > shown or found.n_groups > len(found.rows):
        answer.note("The other rows are in the result.")


FORM = Form(plans={"amounts": _plan}, tells={"measure_amounts": tell_amounts})
