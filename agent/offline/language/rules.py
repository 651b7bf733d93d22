"""The grammar: which neighbouring words make one node, in the order in which rules apply."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Sequence
from typing import Any

from tool_use_om.agent.offline.language.grammar import Node, rule
from tool_use_om.agent.offline.language.measures import band_of, between_of, level_of

_SOME = "((COMMA|AND|OR|COMMA AND|COMMA OR) {0})+"


_LIST = _SOME[:-1] + "*"


def _number(nodes: Sequence[Node]) -> float:
    return float(next(n.value for n in nodes if n.tag == "NUM"))


def _whole(nodes: Sequence[Node]) -> int | None:
    number = _number(nodes)
    return int(number) if number == int(number) and number >= 1 else None


def _seconds(nodes: Sequence[Node]) -> float:
    return float(next(n.value for n in nodes if n.tag == "DUR").seconds)


def _names_in(nodes: Sequence[Node]) -> tuple[str, ...]:
    """Return the names of LABEL, CHANNELS, SUBJECT… nodes in the run, flat."""
    flat: list[str] = []
    for node in nodes:
        if node.tag in {"LABEL", "CHANNELS"}:
            flat += node.value
        elif node.tag in {"NUM", "CODE"}:
            flat.append(f"{node.value:g}" if node.tag == "NUM" else str(node.value))
    return tuple(dict.fromkeys(flat))


def _heads(nodes: Sequence[Node]) -> tuple[str, ...]:
    return tuple(n.value for n in nodes if n.tag in {"HEADNAME", "NEIGHBOURS"})


def _share(nodes: Sequence[Node]) -> float | None:
    number = _number(nodes)
    share = number / 100 if number > 1 else number
    return share if 0 < share < 1 else None


def _axis(nodes: Sequence[Node]) -> tuple[str, str]:
    """Return (modality or "", axis)."""
    modality = next((n.value for n in nodes if n.tag == "MODALITY"), "")
    return modality, next(n.value for n in nodes if n.tag == "AXIS")


def _set(name: str) -> Callable[[Sequence[Node]], tuple[str, Any]]:
    """Return what makes a SETTING of the seconds in the run."""
    return lambda nodes: (name, _seconds(nodes))


def _setting(nodes: Sequence[Node]) -> tuple[str, Any]:
    """Return a setting that is a word: "fusion per_modality", "resolutions 2", "overlap"."""
    name, _, value = str(nodes[-1].value).partition(" ")
    return name, int(value) if value.isdigit() else value


def _context(nodes: Sequence[Node]) -> tuple[str, Any]:
    if nodes[0].tag == "NOT":
        return "context_features", False
    said = str(nodes[-1].value)
    return "context_features", True if said == "true" else ["mean", "log_std", said]


def _rate(nodes: Sequence[Node]) -> tuple[str, float] | None:
    said = [n.value for n in nodes if n.tag == "MEASURE"]
    return ("target_rate_hz", _number(nodes)) if said == ["Hz"] else None


def _resolutions(nodes: Sequence[Node]) -> tuple[str, int] | None:
    """Read "a second resolution" ("second" is a unit, too) and "two resolutions"."""
    said = nodes[0]
    number = 2 if said.tag in {"DUR", "UNIT"} else int(said.value)
    return ("resolutions", number) if number in {1, 2} else None


def _of_modality(nodes: Sequence[Node]) -> str | None:
    """Read "the temperature of the fridge": the one channel of that modality."""
    said, modality = nodes[0], str(nodes[-1].value)
    places = said.value[1] if said.tag == "EITHER" else ((said.tag, said.value),)
    own = [name for _, name in places if name == modality or str(name).startswith(f"{modality}.")]
    return str(own[0]) if len(own) == 1 else None


def _points(nodes: Sequence[Node]) -> tuple[str, Any]:
    """Return the attribute "this axis points up"."""
    share = float(next(n.value for n in nodes if n.tag == "POINTS"))
    said = next(n for n in nodes if n.tag in {"AXISOF", "CHANNELNAME"})
    return "posture", (said.value, share)


def _by_unit(nodes: Sequence[Node]) -> str | None:
    """Read "per hour", "each day" as groups of the calendar."""
    return {3600.0: "hour", 86_400.0: "date"}.get(float(nodes[1].value))


def _dates(nodes: Sequence[Node]) -> tuple[str, str] | None:
    """Read "April 2014" as its first and last day."""
    month, year = int(nodes[0].value), _number(nodes)
    if not (1700 <= year <= 2200 and year == int(year)):
        return None
    last = monthrange(int(year), month)[1]
    return f"{int(year)}-{month:02d}-01", f"{int(year)}-{month:02d}-{last:02d}"


_MEASURED = (
    rule("SETTING", "RESAMPLE (TO|OF|EQ)? NUM MEASURE", _rate),
    rule("LEVEL", "(MORE|LESS) A? LEVELWORD? OF? NUM (MEASURE|PERCENT)", level_of),
    rule("BAND", "(FROM|BETWEEN)? NUM MEASURE? (TO|DASH|AND) NUM MEASURE", band_of),
    rule(
        "LEVEL",
        "(FROM|BETWEEN) NUM (MEASURE|PERCENT)? (TO|DASH|AND) NUM (MEASURE|PERCENT)",
        between_of,
    ),
    rule("BAND", "NUM MEASURE", band_of),
)


_SLOTS = (
    rule("SETTING", "PATCH STRIDE (OF|TO|EQ)? A? DUR", _set("patch_stride_s")),
    rule("SETTING", "SUPER (OF|TO|EQ)? A? DUR", _set("super_s")),
    rule("SETTING", "DUR DASH? (LONG)? SUPER", _set("super_s")),
    rule("SETTING", "PATCH (OF|TO|EQ)? A? DUR", _set("patch_s")),
    rule("SETTING", "DUR DASH? (LONG)? PATCH", _set("patch_s")),
    rule("SETTING", "NOT? CONTEXT", _context),
    rule("SETTING", "(DUR|UNIT|NUM|ORDINAL) RESOLUTION", _resolutions),
    rule("SETTING", "SETTING", lambda n: _setting(n) if isinstance(n[0].value, str) else None),
    rule("SETSIZE", "ABSTAIN MORE NUM (LABELS|CLASS)?", _whole),
    rule(
        "LEVEL",
        "(MORE|LESS) A? LEVELWORD? OF? NUM (?!LABEL|LABELS|CLASS|SUBJECT|SESSION|EXAMPLE|WINDOW)",
        level_of,
    ),
    rule("RAREOUT", "NOT A? RARE (CLASS|LABELS|LABEL)?", lambda _: "leave_out"),
    rule("FAULT", "(?<=MODALITY) CLIP", lambda _: "clipping"),
    rule("FAULT", "(?<=CHANNELNAME) CLIP", lambda _: "clipping"),
    rule("FAULT", "(?<=CHANNELS) CLIP", lambda _: "clipping"),
    rule("FAULT", "(?<=CHANNEL) CLIP", lambda _: "clipping"),
    rule("SESSION", "CLIP", lambda _: "session"),
    rule("WINDOW_S", "(?<=MOTIF) (OF|TO)? A? DUR", _seconds),
    rule("WINDOW_S", "DUR DASH? (LONG)? (?=MOTIF)", _seconds),
    rule("BOUND_NAME", "NOT NOT", lambda _: "double negation"),
    rule("SHOTS", "NUM LABELS? (LABELS|EXAMPLE) OF? (PER|A) (CLASS|LABELS)?", _whole),
    rule("SHOTS", "NUM LABELS? (LABELS|EXAMPLE) OF (PER|A)? CLASS", _whole),
    rule("BY", "PER (CLASS|LABELS)", lambda _: "label"),
    rule("ODD", "(?<=UNIT) AMISS", lambda _: "odd"),
    rule("STAT", "BEST (?=UNIT)", lambda _: "max"),
    rule("STAT", "WORST (?=UNIT)", lambda _: "min"),
    rule("BYTIME", "PER UNIT", _by_unit),
    rule("BYTIME", "(?<=STAT) UNIT", lambda n: _by_unit([n[0], n[0]])),
    rule("BYTIME", "NUM BYTIME (?=DIFFERENT|UNLIKE)", lambda _: "date"),
    rule("UNLIKE", "(?<=SESSION) DIFFERENT", lambda _: "unlike"),
    rule("UNLIKE", "(?<=SUBJECT) DIFFERENT", lambda _: "unlike"),
    rule("UNLIKE", "(?<=UNIT) DIFFERENT", lambda _: "unlike"),
    rule("UNLIKE", "(?<=BYTIME) DIFFERENT", lambda _: "unlike"),
    rule("PERCENT_OF", "NUM TH? DASH? PERCENTILE", _number),
    rule("PERCENT_OF", "PERCENTILE OF? NUM", _number),
    rule("PERCENT_OF", "QUARTILE", lambda n: float(n[0].value)),
    rule("DATES", "MONTH OF? NUM", _dates),
    rule("BY", "PER SESSION", lambda _: "session"),
    rule("BY", "PER SUBJECT", lambda _: "subject"),
    rule("BY", "PER CHANNEL", lambda _: "channel"),
    rule("WINDOW_S", "WINDOW (OF|TO|EQ)? A? DUR", _seconds),
    rule("WINDOW_S", "DUR DASH? (LONG)? WINDOW", _seconds),
    rule("STRIDE_S", "STRIDE (OF|TO|EQ)? A? DUR", _seconds),
    rule("STRIDE_S", "DUR DASH? STRIDE", _seconds),
    rule("K", "NEAREST (EQ|OF|TO)? NUM", _whole),
    rule("K", "NUM (?=NEIGHBOURS|LIKE|MOTIF)", _whole),
    rule("SHARE", "NUM PERCENT? COVERAGE", _share),
    rule("SHARE", "COVERAGE (OF|EQ|AT|TO)? NUM PERCENT?", _share),
    rule("CHANNELNAME", "(EITHER|CHANNELNAME) OF A? (MODALITY|CHANNELNAME)", _of_modality),
    rule("AXISOF", "MODALITY AXIS", _axis),
    rule("AXISOF", "AXIS CHANNEL? OF? MODALITY", _axis),
    rule("AXISOF", "AXIS CHANNEL", _axis),
    rule("AXISOF", "CHANNEL AXIS", _axis),
    rule("POINTED", "(AXISOF|CHANNELNAME) POINTS", _points),
    rule("SUBJECTS", "SUBJECT (NUM|CODE)" + _LIST.format("(NUM|CODE)"), _names_in),
    rule("SESSIONNUMBER", "SESSION NUM", _whole),
    rule("SESSIONID", "SESSION CODE", lambda n: str(n[1].value)),
)


_WISHES = "(PLOT|PREDICT|FIND|COMPARE|RHYTHM|CLASSIFY|STAT|COUNT)"


_AFTER_NAMES = (
    rule("EXCEPT", "LABEL (BE)? NOT(?!COUNT|LABEL|CHANNELS|A)", _names_in),
    rule("EXCEPT", "(NOT|DROP) COUNT? A? LABEL" + _LIST.format("LABEL"), _names_in),
    rule("WITHOUT", "(NOT|DROP) A? CHANNELS" + _LIST.format("CHANNELS"), _names_in),
    rule("BARRED", "NOT A? SESSION? SESSIONID", lambda _: "a single session"),
    rule("BARRED", "NOT A? SUBJECTS", lambda _: "a single subject"),
    rule("BARRED", "NOT A? SPLIT", lambda _: "a split"),
    rule("STAT", "TOTAL (?=OF? CHANNELS)", lambda _: "sum"),
    rule("STAT", "COUNT(?=CHANNELS USE? TOTAL)", lambda _: "sum"),
    rule("STAT", "LAST(?=CHANNELS(?!SESSION|LAST|FIRST|DUR|UNIT))", lambda _: "last"),
    rule("ODD", "(AMISS|HAPPEN)(?= (TO|USE|OF)? CHANNELS (?!DATA))", lambda _: "odd"),
    rule("CHECK", "AMISS", lambda _: "check"),
    rule("STAT", "NEAREST (?=OF? CHANNELS)", lambda _: "max"),
    rule("DROPPED", f"NOT {_WISHES}", lambda n: n[1].tag),
    rule("AMOUNT", "NUM (LABELS|EXAMPLE|WINDOW)", _whole),
    rule("SESSION", "NUM OF SESSION", lambda n: "session" if n[0].value == 1 else None),
    rule("NSESSIONS", "NUM (?=LABEL? SESSION)", _whole),
    rule("HEADPAIR", "(HEADNAME|NEIGHBOURS)" + _SOME.format("(HEADNAME|NEIGHBOURS)"), _heads),
)
