"""What a clause asks, by the kinds of nodes in it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from tool_use_om.agent.offline.language.grammar import Node, pick
from tool_use_om.agent.offline.language.query import Kind


class _Intent(NamedTuple):
    """A clause is of `kind` if it has a tag of each set in `needs`, and none of `lacks`."""

    kind: Kind
    needs: tuple[str, ...]
    lacks: str = ""


# "when was the fault", "how often", "how long": the labels of the data say so
_ASKED_IN_TIME = "WHEN|OFTEN|RATEWORD|COUNT|DURATION|LONGEST|SHORTEST"
_ASKED_WHEN = "WHEN"
_NOT_COUNTED = "SESSION|SESSIONID|SUBJECT|SUBJECTS"  # "how many sessions have the label"
_NOT_OF_LABELS = (
    "WHO|CHANNEL|CHANNELS|CLASS|LABELS|EXCEPT|STAT|LEVEL|"
    "PREDICT|CLASSIFY|HORIZON|PLOT|LIKE|ODD|IMPORTANT|SHOTS|AMOUNT|NSESSIONS|RHYTHM|SETTING|SPLIT|"
    "SPLITS|HEAD|HEADNAME|NEIGHBOURS|OPTION|ABSTAIN|SHARE|SETSIZE|WINDOW_S|TOKNAME|APART|"
    "ACCURACY|COMPARE|MIN|MAX|LENGTHS|FIND|EXAMPLE|TOTAL|OFTHEM"
)
_AHEAD = "PREDICT|HORIZON|COMING"
# what asks for more than a look at the data
_MODELS = "PREDICT|CLASSIFY|FIND|LIKE|ODD|PLOT|IMPORTANT|SHOTS|HORIZON|COMING|RHYTHM|SETTING"
_NOT_DESCRIBED = (
    "LABEL|LABELS|CLASS|STAT|LEVEL|COUNT|FIND|LIKE|ODD|UNLIKE|COMPARE|CHECK|FAULT|DRIFT|PREDICT|"
    "HORIZON|COMING|CHANCE|MIN|MAX|LENGTHS|DATASET|SPLIT|SPLITS|WHO|PLOT"
)
_ABOUT = (
    "MIN|MAX|COUNT|LABEL|APART|ACCURACY|SPLIT|SPLITS|STAT|CHANNEL|CHANNELS|UNLIKE|LABELS|CLASS|"
    "SUBJECT|SUBJECTS|DESCRIBE|ASK|HEAD|AMOUNT|DATASET|DATASETNAME"
)
_OF_ONE_SET = "DURATION|LABEL|SESSION|CHANNEL|CLASS|LABELS|SUBJECT|DATASETNAME"
_OF_SESSIONS = _OF_ONE_SET + "|CHANNELS|SPLIT|SPLITS|UNITS|DATA|SESSIONID"
# First match wins: the special before the general. Each string of `needs` is "A|B" = A or B.
_INTENTS = (
    _Intent("events", ("WHICHTELLS", "LEVEL")),
    _Intent("stats", ("LEVEL", "OFTEN|DURATION|PORTION|WHEN|TOTAL"), f"CHANCE|{_AHEAD}"),
    _Intent("stats", ("LEVEL", "COUNT|FIND"), f"CHANCE|{_AHEAD}|SESSION|STAY"),
    _Intent("forecast", ("CHANCE|PREDICT|HORIZON|COMING|STAY", "LEVEL")),
    _Intent("mislabelled", ("MISLABEL",)),
    _Intent("facts", ("NOLABEL",), "CHECK|FAULT"),
    _Intent("request", ("ASK", "AMOUNT|NUM|SHOTS|NSESSIONS|WINDOW|LIST")),
    _Intent("why", ("EXPLAIN",)),
    _Intent("description", ("VERBAL", "SESSIONID|RANGE|CHANNELS|SESSION"), _NOT_DESCRIBED),
    _Intent("description", ("DESCRIBE|HAPPEN", "RANGE"), f"{_NOT_DESCRIBED}|VERBAL"),
    _Intent("description", ("DESCRIBE", "HAPPEN"), f"{_NOT_DESCRIBED}|VERBAL"),
    _Intent("described", ("BAND|ATTRIBUTE|POINTED", "FIND|LIKE|LIST|COUNT|WINDOW")),
    _Intent("stats", ("DRIFT", "CHANNELS"), "SPLIT|SPLITS|DATA|DATASET|SESSION"),
    _Intent("drift", ("DRIFT",)),
    _Intent("motif", ("MOTIF",), "LIKE|NEIGHBOURS"),
    _Intent("check", ("CHECK|FAULT",), "PREDICT|CLASSIFY|STAT"),
    _Intent("check", ("FAULT", "CHANNEL|SESSION|DATA|SPLIT"), "PREDICT|CLASSIFY|CHANNELS|LABEL"),
    _Intent("check", ("SPLITPAIR", "SUBJECT|SESSION|OVERLAP|LIST"), "PREDICT|CLASSIFY|STAT|COUNT"),
    _Intent("unlike", ("UNLIKE", "LABEL|SESSION|OTHERS|UNIT|SUBJECT|BYTIME")),
    _Intent("unlike", ("SESSION", "OTHERS"),
            f"{_MODELS}|STAT|COUNT|COMPARE|MIN|MAX|DURATION|LABEL"),
    _Intent("unlike", ("LOOKS", "SESSION")),
    _Intent("anomaly", ("LOOKS",)),
    _Intent("similar", ("LIKE|NEIGHBOURS", "SESSIONID|RANGE")),
    _Intent("anomaly", ("ODD",)),
    _Intent("stats", ("CYCLE",), "PREDICT|LIKE|HORIZON|COMING"),
    _Intent("stats", ("CHANNELPAIR", "TREND|CORR"), "PREDICT|HORIZON|COMING|LEVEL"),
    _Intent("stats", ("SUMONLY|TOTAL", "BYTIME"),
            f"{_AHEAD}|LABEL|SESSION|DURATION|UNIT|CLASS|LABELS|SPAN"),
    _Intent("facts", ("SUMONLY", "DURATION|SESSION|LABEL|DATA"), "CHANNELS|CHANNEL|PREDICT"),
    _Intent("facts", ("UNIT", "LABEL|DATA"),
            f"{_MODELS}|STAT|LEVEL|RANGE|CHANNELS|WINDOW|TOKENIZER|PATCH"),
    _Intent("stats", ("CORR", "CHANNELS|CHANNEL"), "PREDICT|HORIZON|COMING|STAT|IMPORTANT"),
    _Intent("stats", ("TREND", "CHANNELS|CHANNEL"), f"{_AHEAD}|STAT|CHANCE|LEVEL|HEAD"),
    _Intent("facts", ("LABEL", _ASKED_WHEN), _NOT_OF_LABELS),
    _Intent("facts", ("LABEL", _ASKED_IN_TIME), f"{_NOT_OF_LABELS}|{_NOT_COUNTED}"),
    _Intent("facts", ("BALANCE",), "PREDICT"),
    _Intent("facts", ("RATEWORD|SPAN|LONGEST|SHORTEST|WHO",),
            "STAT|PREDICT|CLASSIFY|HORIZON|COMING|SETTING"),
    _Intent("facts", ("HAPPEN|LABELS|CLASS", "SESSIONID"), f"{_MODELS}|STAT|COUNT"),
    _Intent("facts", ("PORTION", "LABEL"), "STAT|PREDICT|LEVEL"),
    _Intent("facts", ("DURATION|OFTEN|TOTAL", "LABEL|SESSION|DATA|DATASET|TOTAL"),
            "MIN|MAX|STAT|PREDICT|FIND|CHANNEL|CHANNELS|SHOTS|AMOUNT|COUNT"),
    _Intent("facts", ("LIST", "UNITS"), "STAT|PREDICT|SESSION|COUNT|LABELS|CLASS"),
    _Intent("facts", ("UNITS", "CHANNELS"), "STAT|PREDICT|SESSION|COUNT"),
    _Intent("facts", ("LIST", "SESSION"), f"{_MODELS}|{_ABOUT}"),
    _Intent("facts", ("LIST", "SUBJECT"), "COUNT|STAT|SESSION|LABEL|PREDICT|SPLIT|SPLITS|SUBJECTS"),
    _Intent("head", ("HEAD", "RECOMMEND"), "COMPARE"),
    _Intent("heads", ("HEAD|FORECASTER", "BEST|COMPARE|RECOMMEND")),
    _Intent("heads", ("HEADPAIR",)),
    _Intent("heads", ("HEADNAME|NEIGHBOURS", "COMPARE|BEST")),
    _Intent("forecast", ("PREDICT|HORIZON|COMING",)),
    _Intent("rhythm", ("RHYTHM",)),
    _Intent("channels", ("IMPORTANT", "CHANNEL|CHANNELS")),
    _Intent("fewlabels", ("SHOTS|AMOUNT", "APART|ACCURACY|CLASSIFY|CLASS")),
    _Intent("fewlabels", ("SHOTS",)),
    _Intent("stats", ("STAT|PERCENT_OF",)),
    _Intent("stats", ("STRONGER", "LABEL")),
    _Intent("classify", ("CLASSIFY",)),
    _Intent("stats", ("LABELPAIR", "COMPARE"), "APART|ACCURACY|SESSION|COUNT|HEAD|EXCEPT"),
    _Intent("stats", ("LABELPAIR", "CHANNELS"),
            f"{_MODELS}|APART|ACCURACY|SESSION|COUNT|HEAD|EXCEPT|OPTION"),
    _Intent("classify", ("APART|ACCURACY", "CLASS|LABEL|LABELS")),
    _Intent("find", ("FIND|WHEN", "LABEL|EXCEPT")),
    _Intent("plot", ("PLOT",)),
    _Intent("head", ("HEADNAME|NEIGHBOURS",)),
    _Intent("forecast", ("OPTION", "FORECASTER")),
    _Intent("classify", ("OPTION", "COMPARE|BEST|USE|HEAD")),
    _Intent("classify", ("OPTION|ABSTAIN|SETSIZE",)),
    _Intent("window", ("WINDOW_S|STRIDE_S|SETTING",)),
    _Intent("tokenizer", ("TOKENIZER|TOKNAME",)),
    _Intent("find", ("LIST", "SESSION", "LABEL"), "COUNT"),
    _Intent("datasets", ("DATASET|DATA", "LIST|COUNT"), _OF_ONE_SET),
    _Intent("plot", ("LIST", "CHANNELS", "SESSIONID"), "COUNT|UNITS|DURATION|LABELS|CLASS"),
    _Intent("sessions", ("COUNT|LIST|DESCRIBE|DURATION|MIN|MAX|COMPARE|TOTAL", _OF_SESSIONS)),
    _Intent("sessions", ("COUNT", "RANGE|LENGTHS"), "STAT|CHANNELS|LABEL"),
    _Intent("sessions", ("COUNT|LIST", "MIN|MAX"), "STAT|CHANNELS"),
    _Intent("stats", ("LEVEL", "CHANNELS|CHANNEL"), f"CHANCE|{_AHEAD}|SESSION|STAY"),
    _Intent("sessions", ("DURATION|CHANNEL|SPLITS|DESCRIBE",), "X"),
    _Intent("sessions", ("SESSION", "LABEL|SPLIT|SUBJECTS"), "X"),
    _Intent("narrow", ("REST",)),
    _Intent("plot", ("CHANNELS", "SESSIONID"), "X"),
)  # fmt: skip


def intent_of(clause: Sequence[Node]) -> Kind | None:
    """Return what the clause asks, or None when it asks nothing by itself."""
    tags = {node.tag for node in clause}
    tags |= _pairs(clause)
    if len(set(pick(clause, "HEADNAME"))) + ("NEIGHBOURS" in tags) > 1:
        tags.add("HEADPAIR")
    if "FAULT" in tags and set(pick(clause, "STAT")) == {"count"}:
        tags.discard("STAT")  # "how many readings are missing" asks what lacks
    for intent in _INTENTS:
        needed = all(tags & set(need.split("|")) for need in intent.needs)
        if needed and not tags & set(intent.lacks.split("|")):
            return intent.kind
    return None


def _pairs(clause: Sequence[Node]) -> set[str]:
    """Return tags for two of a kind: labels, channels, splits."""
    found = set()
    for tag_, kind in (("LABELPAIR", "LABEL"), ("CHANNELPAIR", "CHANNELS")):
        if len({name for group in pick(clause, kind) for name in group}) > 1:
            found.add(tag_)
    if any((one.tag, other.tag) == ("COUNT", "OF") for one, other in pairwise(clause)):
        found.add("OFTHEM")  # "how many of them" are sessions
    if {"train", "test"} <= set(pick(clause, "SPLIT")):
        found.add("SPLITPAIR")
    if set(pick(clause, "STAT")) == {"sum"}:
        found.add("SUMONLY")
    return found
