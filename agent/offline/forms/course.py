"""Words for what a channel does in time: trend, cycle, time beyond a level, two together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tool_use_om.agent.offline.writer import Answer, Cell, Ref, Result, braces, named, plain, ref

_SHOWN = 8
_STRENGTHS = ((0.7, "strongly"), (0.4, "moderately"), (0.0, "weakly"))
_OVER = {
    "time": "",
    "sessions": ", from session to session",
    "each session": ", within a session",
}
_CYCLES = {"day": "daily", "week": "weekly", "year": "yearly"}
Tell = Callable[[Answer, Result, str, dict[str, Ref]], None]


def tell_trend(answer: Answer, result: Result, where: str, refs: dict[str, Ref]) -> None:
    """Tell whether each channel rises or falls, how fast, and how sure that is."""
    rows: list[dict[str, Any]] = result.content["rows"]
    for i, row in enumerate(rows[:_SHOWN]):
        at, what = f"/rows/{i}", f"change of {row['channel']} a {row['per']}"
        over = _OVER.get(str(row.get("over")), "")
        own = {
            "channel": ref(f"{at}/channel", "channel"),
            "value": ref(f"{at}/value", what, "unit"),
            "lower": ref(f"{at}/lower", f"{what}, lower end", "unit"),
            "upper": ref(f"{at}/upper", f"{what}, upper end", "unit"),
        }
        clear = row.get("course") in {"rises", "falls"}
        lead = f"{row['course']}, by {{value}}" if clear else "shows no clear change: {value}"
        told = f"`{{channel}}`{_group(row)}{where} {lead} a {row['per']}"
        with_interval = f"{told} (95 % interval {{lower}} to {{upper}}){over}"
        if not answer.head(result, with_interval, **own, **refs):
            bare = {k: v for k, v in own.items() if k in {"channel", "value"}}
            answer.head(result, f"{told}{over}; too few samples to say how sure", **bare, **refs)
    if any(row.get("over") == "sessions" for row in rows):
        answer.note("Each session counts by its mean, at its date.")
    answer.note("A change counts as clear where its interval leaves zero out.")


def tell_change(answer: Answer, result: Result, where: str, refs: dict[str, Ref]) -> None:
    """Tell by how much each channel went up or down from its first to its last value."""
    rows: list[dict[str, Any]] = result.content["rows"]
    for i, row in enumerate(rows[:_SHOWN]):
        at = f"/rows/{i}"
        own = {
            "channel": ref(f"{at}/channel", "channel"),
            "value": ref(f"{at}/value", f"change of {row['channel']}", "unit"),
            "first": ref(f"{at}/first/value", "first value", "unit"),
            "last": ref(f"{at}/last/value", "last value", "unit"),
        }
        share = ""
        if "change_frac" in row:
            share = "{share}, "
            own["share"] = ref(f"{at}/change_frac", "change, of the first value", "percent")
        times = {"from_": "", "to": ""}
        if row["first"].get("time"):
            times = {"from_": " ({since})", "to": " ({until})"}
            own |= {"since": ref(f"{at}/first/time", "when the first value was"),
                    "until": ref(f"{at}/last/time", "when the last value was")}  # fmt: skip
        way = "up" if row["value"] > 0 else "down" if row["value"] < 0 else "neither up nor down"
        answer.head(
            result, f"`{{channel}}`{_group(row)}{where} went {way} ({share}{{value}}), from "
            f"{{first}}{times['from_']} to {{last}}{times['to']}", **own, **refs,
        )  # fmt: skip


def tell_correlation(answer: Answer, result: Result, where: str, refs: dict[str, Ref]) -> None:
    """Tell how two channels go together, in words and as a number with its interval."""
    rows: list[dict[str, Any]] = result.content["rows"]
    for i, row in enumerate(rows[:1] if len(rows) == 1 else rows[:_SHOWN]):
        at = f"/rows/{i}"
        own = {
            "a": ref(f"{at}/channel", "one channel"),
            "b": ref(f"{at}/other", "the other channel"),
            "value": ref(f"{at}/value", f"correlation of {row['channel']} and {row['other']}"),
            "lower": ref(f"{at}/lower", "correlation, lower end"),
            "upper": ref(f"{at}/upper", "correlation, upper end"),
        }
        told = (
            f"`{{a}}` and `{{b}}`{_group(row)}{where} {_together(row)}: their correlation is "
            "{value} (95 % interval {lower} to {upper})"
        )
        answer.head(result, told, **own, **refs)
    answer.say(
        result, "It rests on {n} samples of {sessions} sessions.",
        n=ref("/rows/0/n", "samples"), sessions=ref("/n_sessions", "sessions behind it"),
    )  # fmt: skip
    answer.note("It measures a straight-line relation, at the same time, and shows no cause.")


def _together(row: Mapping[str, Any]) -> str:
    value = float(row["value"])
    if not row.get("clear"):
        return "show no clear relation"
    strength = next(word for least, word in _STRENGTHS if abs(value) >= least)
    return f"move {'together' if value > 0 else 'in opposite directions'} {strength}"


def tell_beyond(answer: Answer, result: Result, where: str, refs: dict[str, Ref]) -> None:
    """Tell how long, how much of the time and how often a channel is beyond a level."""
    rows: list[dict[str, Any]] = result.content["rows"]
    between = result.content["statistic"] == "time_between"
    word = "above" if result.content["statistic"] == "time_above" else "below"
    level = "between {level} and {upper}" if between else f"{word} {{level}}"
    for i, row in enumerate(rows[:_SHOWN]):
        at, what = f"/rows/{i}", f"{row['channel']} {'inside' if between else word} the level"
        own = {
            "channel": ref(f"{at}/channel", "channel"),
            "level": ref(f"{at}/level/value", "level asked for", "unit"),
            **({"upper": ref(f"{at}/upper/value", "upper level", "unit")} if between else {}),
        }
        if not row["n_times"]:
            told = f"`{{channel}}`{_group(row)}{where} is never {level}"
            answer.head(result, told, **own, **refs)
            continue
        times = "once" if row["n_times"] == 1 else "{times} times"
        more = {} if row["n_times"] == 1 else {"times": ref(f"{at}/n_times", f"times {what}")}
        answer.head(
            result, f"`{{channel}}`{_group(row)}{where} is {level} for {{value}} in all, "
            f"{{share}} of the time, {times}", value=ref(f"{at}/value", f"time {what}", "unit"),
            share=ref(f"{at}/share_frac", f"share of the time {what}", "percent"),
            **own, **more, **refs,
        )  # fmt: skip
        _ends_of(answer, result, at, row)
        if row["n_times"] > 1:
            _longest(answer, result, at, row)


def _ends_of(answer: Answer, result: Result, at: str, row: Mapping[str, Any]) -> None:
    """Tell when the first and the last time are."""
    dated = bool((row.get("first") or {}).get("time"))
    key, style = ("time", "plain") if dated else ("start_s", "unit")
    refs = {
        end: ref(f"{at}/{end}/{key}", f"start of the {end} time", style)
        for end in ("first", "last")
    }
    whose = {
        end: "" if dated else f" of `{braces(str((row.get(end) or {}).get('session_id')))}`"
        for end in refs
    }
    if row["n_times"] == 1:
        answer.say(result, f"That begins at {{first}}{whose['first']}.", first=refs["first"])
        return
    answer.say(
        result, f"The first time begins at {{first}}{whose['first']}, the last at "
        f"{{last}}{whose['last']}.", **refs,
    )  # fmt: skip


def tell_unlike(answer: Answer, result: Result, where: str, refs: dict[str, Ref]) -> None:
    """Tell which group is unlike the others and in what, or that none stands out."""
    rows: list[dict[str, Any]] = result.content["rows"]
    kind = {"date": "day"}.get(str(result.content.get("by")), str(result.content.get("by")))
    noun = str(result.content.get("session_noun") or kind) if kind == "session" else kind
    far = {"z": ref("/rows/0/value", "robust deviations from the usual"),
           "group": ref("/rows/0/group", f"{kind} most unlike the others")}  # fmt: skip
    own = {
        "channel": ref("/rows/0/channel", "channel that sets it apart"),
        "own": ref("/rows/0/own/value", f"its {rows[0]['measure']}", "unit"),
        "usual": ref("/rows/0/usual/value", "the median of all", "unit"),
    }
    out = [row for row in rows if row["stands_out"]]
    apart = f"its {rows[0]['measure']} of `{{channel}}` is {{own}}, where {{usual}} is usual"
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
            limit=ref("/rows/0/limit", "deviations from which one stands out"), **far, **refs,
        )  # fmt: skip
        answer.say(result, f"There {apart}.", **own)
    told = []
    for i, row in enumerate(rows[: max(len(out), 3)][:_SHOWN]):
        at, name = f"/rows/{i}", str(row["group"])
        cells: tuple[Cell, ...] = (
            f"`{name}`", f"{row['measure']} of `{row['channel']}`",
            ref(f"{at}/own/value", f"{row['measure']} of {name}", "unit"),
            ref(f"{at}/usual/value", f"usual {row['measure']} beside {name}", "unit"),
            ref(f"{at}/value", f"robust deviations of {name}"),
        )  # fmt: skip
        told.append((result, cells))
    answer.section("Most unlike the others")
    answer.table((noun, "in its", "there", "usual", "robust deviations"), told)
    answer.note(
        "Mean, spread, lowest and highest value of each channel are compared with their medians; "
        "a robust deviation is 1.48 times the median distance from those."
    )
    if out:
        answer.say(result, "From {limit} on, one stands out.",
                   limit=ref("/rows/0/limit", "deviations from which one stands out"))  # fmt: skip


def _longest(answer: Answer, result: Result, at: str, row: Mapping[str, Any]) -> None:
    dated = bool((row.get("longest") or {}).get("time"))
    begin = ref(f"{at}/longest/{'time' if dated else 'start_s'}", "start of the longest", "unit")
    session = braces(str((row.get("longest") or {}).get("session_id")))
    answer.say(
        result, f"The longest lasts {{length}}, from {{begin}}{'' if dated else f' of `{session}`'}"
        " on.", length=ref(f"{at}/longest/length_s", "length of the longest", "unit"), begin=begin,
    )  # fmt: skip


def tell_cycle(answer: Answer, result: Result, where: str, refs: dict[str, Ref]) -> None:
    """Tell whether a channel has a cycle, how long it is and how strong."""
    rows: list[dict[str, Any]] = result.content["rows"]
    for i, row in enumerate(rows[:_SHOWN]):
        at = f"/rows/{i}"
        name = ref(f"{at}/channel", "channel")
        cycle = row.get("cycle") or {}
        if not row.get("clear"):
            answer.head(
                result, f"`{{channel}}`{_group(row)}{where} shows no clear cycle", channel=name,
                **refs,
            )  # fmt: skip
        else:
            kind = _CYCLES.get(str(cycle.get("name")), "")
            answer.head(
                result, f"`{{channel}}`{_group(row)}{where} has a "
                f"{f'{kind} cycle' if kind else 'cycle of {period}'}: it explains {{share}} of "
                "how the channel varies", channel=name,
                share=ref(f"{at}/cycle/strength_frac", "share the cycle explains", "percent"),
                **({} if kind else {"period": ref(f"{at}/cycle/period_s", "length of a cycle",
                                                  "unit")}), **refs,
            )  # fmt: skip
        _calendar(answer, result, i, row)
    answer.note(
        "How strong a cycle is: how much of the variation the other cycles foretell, its straight "
        "line left out; a week is judged with the mean day taken out."
    )


def _calendar(answer: Answer, result: Result, i: int, row: Mapping[str, Any]) -> None:
    told = str((row.get("cycle") or {}).get("name"))
    for j, cycle in enumerate(row.get("calendar") or []):
        kind = _CYCLES[str(cycle["name"])]
        if cycle["name"] == told:
            continue
        verdict = "is clear, too" if cycle["clear"] else "is not clear"
        answer.say(
            result, f"A {kind} cycle of `{plain(str(row['channel']))}` {verdict}: {{share}}.",
            share=ref(f"/rows/{i}/calendar/{j}/strength_frac", f"share a {kind} cycle explains",
                      "percent"),
        )  # fmt: skip


def _group(row: Mapping[str, Any]) -> str:
    return f" ({named(row['group'])})" if row.get("group") else ""


COURSE_TELLS: dict[str, Tell] = {
    "trend": tell_trend,
    "correlation": tell_correlation,
    "time_above": tell_beyond,
    "time_below": tell_beyond,
    "time_between": tell_beyond,
    "unlike": tell_unlike,
    "change": tell_change,
    "cycle": tell_cycle,
}
"""Statistic → what tells its rows."""
