"""What the parts of an everyday question ask: amounts, trends, times beyond a level."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tool_use_om.agent.offline.everyday.channels import best_of, parts_of
from tool_use_om.agent.offline.everyday.slots import Slots
from tool_use_om.agent.offline.language.measures import in_unit
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.query import Ask
from tool_use_om.data.units import adds_up

_POWER = frozenset({"W", "kW", "MW"})


_COUNTED = frozenset({
    "steps", "step", "schritte", "pas", "count", "requests", "hits", "errors", "sales",
    "passengers", "rain", "rainfall", "precip", "precipitation", "regen", "pluie", "energy",
    "energie", "reading", "meter", "counter", "zahlerstand", "zahler", "compteur",
    "distance", "kwh", "parts",
})  # fmt: skip


_ALIKE = 6  # channels that are told side by side
_AMOUNT = frozenset({"mean", "total", "much", "share", "median", "trend", "change"})
_TROUBLE = r"fault|error|alarm|fail|down|stoer|stör|defe[ck]t|broken|panne"
_WHOSE = frozenset({"session", "subject", "label"})
_DATED = frozenset(
    {"date", "night", "week", "month", "year", "hour", "weekday", "weekend", "parts", "periods"}
)


def asks_of(slots: Slots, names: Names, card: Mapping[str, Any]) -> list[Ask]:
    """Return what these slots ask; nothing where they do not make a question."""
    by, per = _grouping(slots, names, card)
    base: dict[str, Any] = {
        "calendar": tuple(slots.when.calendar.items()),
        "sessions": slots.sessions,
        "subjects": slots.subjects,
    }
    extra: dict[str, Any] = {}
    if by == "periods":
        extra["periods"] = slots.when.periods
    if by == "parts":
        extra["parts"] = slots.when.parts or [[6, 14], [14, 22], [22, 6]]
    group = {"by": by, **({"per": per} if per else {}), **extra}
    if not slots.labels and not slots.channels and "worst" in slots.said and by != "whole":
        bad = [one for one in names.labels if re.search(_TROUBLE, one, re.IGNORECASE)]
        slots.labels = tuple(bad) if len(bad) == 1 else ()
    if slots.said & {"gaps", "quality"} and not slots.said & _AMOUNT and not slots.level:
        kinds = () if "quality" in slots.said else ("gap", "missing")
        return [Ask(kind="check", faults=kinds, sessions=slots.sessions)]
    if slots.labels and not slots.channels:
        return _of_labels(slots, base, group)
    slots.channels = _one_channel(slots, names)
    if len(slots.channels) != 1:
        return _of_each(slots, names, base, group)
    if slots.beside:
        return _of_two(slots, base, group)
    if slots.labels:
        base["labels"] = slots.labels if len(slots.labels) == 1 or by != "whole" else ()
        if len(slots.labels) > 1:
            base["labels"], group = slots.labels, {**group, "by": "label"}
    return _of_channel(slots, slots.channels[0], names, base, group)


def _of_each(
    slots: Slots, names: Names, base: Mapping[str, Any], group: Mapping[str, Any]
) -> list[Ask]:
    """Return the same of several channels that measure alike: "each cell", "all 3"."""
    units = {names.unit_of(channel) for channel in slots.channels}
    few = 1 < len(slots.channels) <= _ALIKE and len(units) == 1
    if not few or not slots.said & {"each", "one of"} or slots.labels or slots.level:
        return []
    if group["by"] in _WHOSE:
        group = {**group, "by": "whole"}  # "each cell": the channels are the cells
    return [
        ask for channel in slots.channels for ask in _of_channel(slots, channel, names, base, group)
    ]


def _one_channel(slots: Slots, names: Names) -> tuple[str, ...]:
    """Return the channel that is meant; several where nothing tells them apart."""
    found = slots.channels or _unnamed(slots, names)
    if len(found) > 1:
        slots.channels = found
        found = _in_unit(slots, names) or found
    return best_of(found, names) if len(found) > 1 else found


def _in_unit(slots: Slots, names: Names) -> tuple[str, ...]:
    """Return those of several channels that a level's unit or a change of weight can be of."""
    if slots.level is not None and slots.level.unit:
        return tuple(
            c for c in slots.channels if in_unit(slots.level, names.unit_of(c)) is not None
        )
    if "change" in slots.said:
        return tuple(c for c in slots.channels if _is_weight(c, names.unit_of(c)))
    return ()


def _of_two(slots: Slots, base: Mapping[str, Any], group: Mapping[str, Any]) -> list[Ask]:
    """Return what is asked of two channels: how they go together, or the same of both."""
    both = (slots.channels[0], slots.beside)
    kinds = slots.said & {"mean", "max", "min", "median", "most", "least", "stable", "total"}
    if "relation" in slots.said and not kinds and group["by"] == "whole":
        return [Ask(kind="stats", statistic="correlation", channels=both, **base)]
    if "compare" in slots.said and group["by"] == "whole" and not slots.level:
        statistic = next(iter(_statistics(slots.said, grouped=False)), "mean")
        return [
            _ask(slots, base, "value", statistic=statistic, channel=one, by="whole") for one in both
        ]
    return []


def _unnamed(slots: Slots, names: Names) -> tuple[str, ...]:
    """Return the channel that a question without any must mean: the only one that it can be."""
    kinds = {"mean", "median", "total", "max", "min", "long", "often", "busiest"}
    if (not slots.said & kinds and not slots.level) or slots.said & {"when", "never"}:
        return ()
    level = slots.level
    if level is not None and level.unit:
        return tuple(c for c in names.channels if in_unit(level, names.unit_of(c)) is not None)
    counted = tuple(c for c in names.channels if adds_up_here(c, names.unit_of(c)))
    days = slots.by in {"date", "week", "month"} and level is not None
    found: tuple[str, ...] = names.channels
    if len(names.channels) == 1:
        return found
    if ("busiest" in slots.said and slots.by) or (days and len(counted) == 1):
        found = counted
    else:
        units = {"a.u.", "", "1", "count"}
        found = tuple(c for c in names.channels if names.unit_of(c) not in units)
    return found if len(found) == 1 else ()


def _grouping(slots: Slots, names: Names, card: Mapping[str, Any]) -> tuple[str, str]:
    """Return the groups that are compared and the smaller ones inside them."""
    by, per = slots.when.by or slots.by, slots.per
    several = (card.get("n_subjects") or 0) > 1
    if by == "subject" and not several:
        by = "session"
    if per == "subject" and not several:
        per = "session"
    if per and not by:
        if per in {"session", "subject", "label"} or not slots.said & {"mean"}:
            by, per = per, ""
        else:
            by, per = per, ""
    if by == per:
        per = ""
    del names
    return by or "whole", per


def _ask(slots: Slots, base: Mapping[str, Any], want: str, **amounts: object) -> Ask:
    kept = {k: v for k, v in amounts.items() if v is not None and v != ""}
    del slots
    return Ask(kind="amounts", want=want, amounts=tuple(kept.items()), **base)


def _want(slots: Slots, group: Mapping[str, Any]) -> str:
    if group["by"] == "whole":
        return "value"
    asked = slots.said & {"most", "least", "which", "worst"}
    rate = slots.said & {"often", "much", "long"} and slots.per in {
        "date",
        "night",
        "week",
        "month",
    }
    if ("mean" in slots.said or rate) and not asked:
        return "mean"
    return "least" if "least" in slots.said else "most"


def _of_labels(slots: Slots, base: Mapping[str, Any], group: Mapping[str, Any]) -> list[Ask]:
    said, label = slots.said, slots.labels[0]
    grouped = group["by"] != "whole"
    if "never" in said and (slots.by or grouped):
        by = group["by"] if grouped else "session"
        return [_ask(slots, base, "none", of="time", label=label, **{**group, "by": by})]
    days = slots.by in {"date", "night", "week", "month"}
    if days and "often" in said and not said & {"long", "share"}:
        return [_ask(slots, base, "passed", of="events", label=label, passing=0, **group)]
    if (
        not said
        & {"long", "often", "total", "share", "most", "least", "mean", "compare", "much", "trend"}
        and not grouped
    ):
        return []
    often = "often" in said and not said & {"long", "share"}
    return [
        _ask(slots, base, _want(slots, group), of="events" if often else "time", label=one, **group)
        for one in slots.labels
    ]


def _of_channel(
    slots: Slots, channel: str, names: Names, base: Mapping[str, Any], group: Mapping[str, Any]
) -> list[Ask]:
    said, unit = slots.said, names.unit_of(channel)
    grouped = group["by"] != "whole"
    unread = "length" in said or (
        "share" in said and unit != "%"
    )  # a time of what, a share of what
    if slots.level is not None or unread:
        return _of_level(slots, channel, unit, base, group)
    if "trend" in said and not grouped and not said & {"most", "least"}:
        return [Ask(kind="stats", statistic="trend", channels=(channel,), **base)]
    want = "least" if "worst" in said and _is_price(channel) else _want(slots, group)
    amount = {"channel": channel, **group}
    best = group["by"] == "date" and said & {"most", "worst"} and _is_weight(channel, unit)
    quantity = {"statistic": "change"} if best else {}
    if quantity := quantity or _quantity(said, channel, unit, grouped=grouped):
        return [_ask(slots, base, want, **quantity, **amount)]
    if _summed(said, channel, unit, str(group["by"])):
        return _sums(slots, base, want, amount)
    statistics = _statistics(said, grouped=grouped)
    if (not statistics and not grouped) or "total" in said:
        return []  # a mean is no answer to a total
    if group["by"] in {"date", "night"} and said & {"most", "least"} and "mean" not in said:
        statistics = ["max" if "most" in said and "least" not in said else "min"]
    if not statistics:
        statistics = ["mean"]
    return [
        _ask(slots, base, "least" if one == "min" else want, statistic=one, **amount)
        for one in statistics
    ]


def _quantity(said: frozenset[str], channel: str, unit: str, *, grouped: bool) -> dict[str, str]:
    """Return what is measured where that is no plain statistic."""
    if "return" in said and (_is_price(channel) or unit in {"a.u.", "USD", "EUR", "GBP"}):
        return {"of": "return"}
    if "stable" in said:
        return {"statistic": "std"}
    if _by_energy(said, unit, grouped=grouped):
        return {"of": "energy"}
    changes = "change" in said and not adds_up_here(channel, unit)
    return {"statistic": "change"} if changes else {}


def _summed(said: frozenset[str], channel: str, unit: str, by: str) -> bool:
    """Say whether the amounts of a channel are to be added up."""
    asked = said & {"total", "much", "often", "change"}
    return adds_up_here(channel, unit) and bool(
        asked or (by in _DATED | _WHOSE and not said & {"max", "min", "mean", "median"})
    )


def _sums(slots: Slots, base: Mapping[str, Any], want: str, amount: Mapping[str, Any]) -> list[Ask]:
    by = amount["by"]
    if by in {"weekday", "weekend", "parts", "hour", "periods"}:
        amount = {"per": "date", **amount}
    return [_ask(slots, base, want, statistic="sum", **amount)]


def adds_up_here(channel: str, unit: str) -> bool:
    """Say whether amounts of a channel add up: its unit says so, or it counts things."""
    kept = unit == "kg" and _is_weight(channel, "")  # what a scale shows is no amount of its time
    return (adds_up(unit) and not kept) or bool(_COUNTED & set(parts_of(channel)))


def _by_energy(said: frozenset[str], unit: str, *, grouped: bool) -> bool:
    if unit not in _POWER:
        return False
    peak = said & {"mean", "max", "min"} and not said & {"total"}
    return ("energy" in said and (grouped or not peak)) or (
        bool(said & {"total", "much"}) and not peak
    )


def _is_weight(channel: str, unit: str) -> bool:
    """Say whether a day is good or bad by how it changes a channel: what a scale shows."""
    named = {"weight", "poids", "gewicht", "scale", "hive", "waage", "w"}
    return unit in {"kg", "g", "lb"} or bool(named & set(parts_of(channel)))


def _is_price(channel: str) -> bool:
    return bool({"close", "price", "adj", "kurs", "closing"} & set(parts_of(channel)))


def _statistics(said: frozenset[str], *, grouped: bool) -> list[str]:
    rules = (
        ("min", {"min", "least"}), ("max", {"max", "most"}), ("median", {"median"}),
        ("mean", {"mean"}),
    )  # fmt: skip
    if grouped:
        return ["mean"] if "mean" in said else ["median"] if "median" in said else []
    return [name for name, tags in rules if said & tags]


def _of_level(
    slots: Slots, channel: str, unit: str, base: Mapping[str, Any], group: Mapping[str, Any]
) -> list[Ask]:
    level = slots.level
    if level is None:
        return []
    value = in_unit(level, unit) if level.unit else level.value
    if level.unit == "degC" and unit == "degF":
        value = level.value * 9 / 5 + 32
    if value is None:
        return []
    if group["by"] in {"date", "night", "week", "month", "hour"} and slots.by:
        statistic = "sum" if adds_up_here(channel, unit) else "max" if level.above else "min"
        own = (
            {"of": "energy"}
            if "energy" in slots.said and unit in _POWER
            else {"statistic": statistic}
        )
        return [_ask(slots, base, "passed", channel=channel, passing=value,
                     passing_below=None if level.above else True, **own, **group)]  # fmt: skip
    side: dict[str, float | None] = {"above": value} if level.above else {"below": value}
    if level.upper is not None:
        upper = in_unit(replace(level, value=level.upper), unit) if level.unit else level.upper
        side = {"above": value, "below": upper}
    often = "often" in slots.said and not slots.said & {"long", "share", "total"}
    of = "events" if often else "time"
    asks = [_ask(slots, base, _want(slots, group), of=of, channel=channel, **side, **group)]
    if "often" in slots.said and not often:
        asks.append(
            _ask(slots, base, _want(slots, group), of="events", channel=channel, **side, **group)
        )
    return asks
