"""A question that leans on the one before: its slots laid over those of the frame.

The rule, in order:

1. Where the turn before offered questions, "1", "the second", "yes" take one.
2. "Start over" empties the frame; "forget the filter" asks the same of everything.
3. Words that ask nothing by themselves ("and running?", "only the first 5 s", "with knn") change
   the question before: what they say takes the place of what was said, the rest stays.
4. A question of its own that points back ("plot it", "and its maximum?") is asked of the same data.
5. Anything else is a new question, and nothing is taken over.

What was taken over is told in one line, so that a wrong guess is seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tool_use_om.agent.offline.language.grammar import pick
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.parse import Fragment, read_fragment
from tool_use_om.agent.offline.language.query import Ask, Query
from tool_use_om.agent.offline.language.slots import read_ask
from tool_use_om.agent.offline.language.times import Duration
from tool_use_om.agent.offline.talk.frame import Frame
from tool_use_om.agent.offline.talk.widen import let_go
from tool_use_om.agent.offline.talk.wording import in_words, same_as, what_changed, what_stayed

Understand = Callable[[str, Sequence[Mapping[str, Any]]], Query]

_POLITE = re.compile(
    r"^(?:(?:ok(?:ay)?|well|thanks?(?: you)?(?: so much| a lot)?|great|fine|nice|good|perfect|hm+|"
    r"ah|oh|right|no|nope|yes|yeah|sorry|please|kindly|alright|cool|wait|so|hey|hi(?: there)?|"
    r"hello|danke|interesting|got it|i see|my mistake|bitte|could you|can you|would you|"
    r"i should have said|"
    r"now (?:the )?same)\b[\s,.!:-]*)+",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:and|but|then|also|plus)?[\s,]*(?:now|then|also)?[\s,]*"
    r"(?:what about|how about|what of|what is it|what's it|and what|do (?:it|that|this|the same)|"
    r"was ist mit|und(?: jetzt| nun| wie viele mit)?(?: der| die| das)?|(?:das )?(?:gleiche|selbe)|"
    r"dasselbe|nur|"
    r"of those|of them|i said|i want|swap (?:it|that) (?:for|to)|swap to|go back to|"
    r"(?:the )?same(?: thing| question| again| as before)?|again|once more|repeat (?:it|that|this)|"
    r"only|just|instead|rather|i meant?|make (?:it|that)|try(?: it| that)?|change (?:it|that) to|"
    r"switch to|go back to|show (?:me )?(?:it|that)|take|use)?"
    r"(?:[\s,:]+(?:again|but|only|just|now|instead|bitte|für|please))*(?=[\s,:?.!]|$)",
    re.IGNORECASE,
)
_POLITE_END = re.compile(
    r"(?:[\s,]*\b(?:please|pls|plz|then|now|thanks|thank you|bitte|sry|sorry|if you can|for me))+"
    r"[\s?.!]*$",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"[\s,]*\b(?:instead|rather|too|as well|again|this time|as before|same)[\s?.!]*$",
    re.IGNORECASE,
)
_HOW_OR_WHERE = re.compile(
    r"^(?:with|using|without|in|for|during|within|while|on|over|per|by|as|at)\b", re.IGNORECASE
)
_WHOLE = re.compile(
    r"\b(?:what|which|how|who|when|where|is|are|does|do|show|give|tell|find|plot|compute|compare)\b",
    re.IGNORECASE,
)
_SHOW = re.compile(r"^(?:show|display|let me see|i want to see)\b", re.IGNORECASE)
_OF_ALL = re.compile(r"\b(?:each|all|every|overall|channels?|sessions?|labels?)\b", re.IGNORECASE)
_FEW = 4  # words that can only be part of a question, where they say no more than one thing
_POINTS = re.compile(
    r"\b(?:it|its|they|them|their|theirs|those|these)\b"
    r"|\b(?:this|that|the same|same)(?=\s*(?:[?.!,]|$))"
    r"|^(?:plot|show|draw|chart|predict|forecast|classify|explain|compare) (?:it|that|this|those)\b"
    r"|\b(?:this|that|the same)\s+(?:one|part|period|stretch|channel|label|activity|person|subject|"
    r"session|recording|signal|time)s?\b",
    re.IGNORECASE,
)
_ANEW = re.compile(
    r"^(?:start(?:ing)? (?:over|again|afresh|fresh)|new (?:question|topic)|forget (?:it|that|all|"
    r"everything)(?: (?:that|of that|before))?|reset|from scratch|never ?mind)\b[\s,.:;!-]*",
    re.IGNORECASE,
)
_WHY_NOT = re.compile(r"^why\s+(?:not|didn'?t|isn'?t|no)\b|^why\b.*\binstead of\b", re.IGNORECASE)
_WHY = re.compile(
    r"^(?:but )?(?:why|how come)(?: (?:is|was) (?:that|this|it))?[\s?.!]*$", re.IGNORECASE
)
_YES = re.compile(
    r"^(?:yes|yeah|yep|sure|ok(?:ay)?|right|exactly|that(?: one)?)[\s.!]*$", re.IGNORECASE
)
_PLACES = ("first", "second", "third", "fourth", "fifth")
_PICK = re.compile(
    r"^(?:take |i mean |i meant |the |number |no\.? |option |choice |#)*"
    r"(?:(?P<digit>[1-5])|(?P<word>first|second|third|fourth|fifth|last))(?:st|nd|rd|th)?"
    r"(?: one| question| option| choice)?[\s.!]*$",
    re.IGNORECASE,
)
# what a clause of these kinds may do is say how, or of what, the question before is meant
_SAYS_MORE = frozenset({"head", "window", "tokenizer", "narrow"})
_USED = frozenset({"USE", "OPTION", "OF"})
_COUNTING = frozenset({"count", "duration", "min", "max", "describe", "channel", "subject"})
# kinds that are asked of the same data when "and …" goes before them
_OF_THE_SAME = frozenset({
    "stats", "forecast", "plot", "anomaly", "rhythm", "motif", "find", "channels", "described",
})  # fmt: skip
_JOINED = re.compile(r"^(?:and|also|then|plus)\b", re.IGNORECASE)
_FORECASTS, _WITH_HEADS = (
    frozenset({"forecast"}),
    frozenset({"classify", "find", "fewlabels", "forecast"}),
)
_ENCODED = frozenset({
    "find", "classify", "described", "forecast", "similar", "motif", "anomaly", "fewlabels",
    "heads",
})  # fmt: skip
_RANKED = frozenset({"similar", "motif", "anomaly", "mislabelled", "unlike"})

# slots that are said together, so that one of them replaces all
_GROUPS: tuple[tuple[str, ...], ...] = (
    ("labels", "excluded"), ("channels",), ("sessions",), ("subjects",), ("split",),
    ("start_s", "end_s", "tail_s"), ("min_s", "max_s", "strict_min", "strict_max"), ("calendar",),
    ("statistic", "percent"), ("by",), ("level",), ("heads",), ("k",), ("window_s",),
    ("stride_s",), ("settings",), ("options",), ("horizon_s",), ("tokenizer",), ("shots",),
    ("coverage",), ("count",), ("attributes",), ("faults",), ("at_s",),
)  # fmt: skip
_OF_DATA = tuple(_GROUPS[:8])
_HOW = {
    "horizon_s": _FORECASTS, "heads": _WITH_HEADS, "window_s": _ENCODED, "stride_s": _ENCODED,
    "settings": _ENCODED, "tokenizer": _ENCODED, "k": _RANKED,
}  # fmt: skip
_EMPTY = Ask(kind="stats")


def follow(
    question: str,
    cards: Sequence[Mapping[str, Any]],
    frame: Frame,
    understand: Understand,
) -> Query:
    """Return what a question asks, given what was asked before.

    Parameters
    ----------
    cards : as the plan prompt carries them, the current one first
    frame : of the turn before
    understand : reads a question that stands by itself
    """
    if picked := _picked(question, frame.choices):
        return replace(understand(picked, cards), taken=f'taken as "{picked}"')
    before = frame.query
    text = _POLITE.sub("", question).strip() or question.strip()
    text = _POLITE_END.sub("", text) or text
    if anew := _ANEW.match(text):
        return _anew(text[anew.end() :], cards, understand)
    if not before.asks or not _same_set(before, cards):
        return understand(question, cards)
    names = Names.of(cards, before.dataset)
    text = in_full(text, frame.unit, names)
    if (freed := _widened(text, before, names)) is not None:
        return freed
    if _WHY_NOT.match(text) or _WHY.match(text):
        return _why(text, before, frame, names) or understand(text, cards)
    return _leaning(text, before, names) or understand(text, cards)


def _picked(question: str, choices: Sequence[str]) -> str:
    """Return the offered question that a reply takes; "" where it takes none."""
    if not choices:
        return ""
    if _YES.match(question) and len(choices) == 1:
        return choices[0]
    found = _PICK.match(question.strip())
    if found is None:
        return next((c for c in choices if c.casefold() == question.strip().casefold()), "")
    word = (found["word"] or "").casefold()
    place = int(found["digit"]) - 1 if found["digit"] else len(choices) - 1
    place = _PLACES.index(word) if word in _PLACES else place
    return choices[place] if place < len(choices) else ""


def _anew(rest: str, cards: Sequence[Mapping[str, Any]], understand: Understand) -> Query:
    if rest.strip(" ?.!"):
        return understand(rest, cards)
    said = "Starting over: nothing of the questions before is kept. What do you want to know?"
    return Query(dataset=cards[0]["name"] if cards else None, refused=(said,), anew=True)


def _same_set(before: Query, cards: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether the data set asked about before is still the one that is asked about."""
    return bool(cards) and before.dataset in (None, cards[0].get("name"))


def _widened(text: str, before: Query, names: Names) -> Query | None:
    """Return the question before without the restrictions these words take away; None if none."""
    slots = set(let_go(_without_lead(text)[1], names.subject_noun))
    asks = []
    for ask in before.asks:
        own = slots - ({"labels", "excluded"} if ask.kind == "find" else set())
        asks.append(replace(ask, **{name: getattr(_EMPTY, name) for name in own}))
    if not slots or asks == list(before.asks):
        return None
    pairs = list(zip(before.asks, asks, strict=True))
    gone = ", ".join(dict.fromkeys(filter(None, (what_changed(*pair) for pair in pairs))))
    return _laid(asks, before, f"{what_stayed(pairs)}, but {gone}")


def in_full(text: str, unit: str, names: Names) -> str:
    """Return a turn's words with what they leave out: the unit of "last 5", the axis of "x"."""
    lead, rest = _without_lead(text)
    if rest.casefold().removeprefix("the ") in names.axes:
        return f"{lead} {rest} axis".strip()
    if unit:
        bare = r"\b(first|last|next) (\d+)(?=\s*(?:$|and\b|[,?.!]))"
        text = re.sub(bare, rf"\1 \2 {unit}", text)
        if re.fullmatch(r"\d+", rest):
            text = f"{text.rstrip(' ?.!')} {unit}"
    return re.sub(r"\beach of (?:the|these|those|your|its)\b", "each", text, flags=re.IGNORECASE)


def _without_lead(text: str) -> tuple[str, str]:
    """Return the words that say a question goes on from the last, and the rest."""
    found = _LEAD.match(text)
    lead = found.group() if found else ""
    rest = _TAIL.sub("", text[len(lead) :]).strip(" ,:;?!.")
    return lead.strip(" ,:"), rest


def _leaning(text: str, before: Query, names: Names) -> Query | None:
    """Return the query of a question that leans on the one before; None where it does not."""
    lead, rest = _without_lead(text)
    again = bool(lead) or _TAIL.search(text) is not None
    if not rest:
        return _laid(before.asks, before, in_words(before.asks)) if again else None
    if names.dataset_named(rest):
        return None
    read = read_fragment(rest, names)
    points = _POINTS.search(rest) is not None
    if read.unknown and (again or _bare(read, rest)):
        return _lacking(read.unknown, before, names) if again or not read.kind else None
    if _bare(read, rest) or _how_only(read, rest, before):
        return _changed(read, before, names, again=again or points)
    joined = _JOINED.match(lead) is not None and read.kind in _OF_THE_SAME
    goes_on = _own_slots(lead) or joined or _TAIL.search(text) is not None
    if points or goes_on or _short(read, rest, before, names):
        return _of_the_same(read, before, names)
    return None


def _own_slots(lead: str) -> bool:
    """Say whether the lead can only go on from a question before: "what about", "the same for"."""
    return bool(re.search(r"about|same|meant?|instead|rather|only|just", lead, re.IGNORECASE))


def _bare(read: Fragment, text: str) -> bool:
    """Say whether words ask nothing by themselves, but say more of a question."""
    tags = {node.tag for node in read.nodes}
    if read.kind is None or read.kind in _SAYS_MORE or tags <= _USED:
        return True
    if read.kind == "plot":
        return "PLOT" not in tags and _SHOW.match(text) is None
    counts = {node.tag.lower() for node in read.nodes} & (_COUNTING | {"list", "compare"})
    return read.kind == "sessions" and not counts


def _how_only(read: Fragment, text: str, before: Query) -> bool:
    """Say whether a few words such as "with rlinear", "per label" say how, of the same kind."""
    few = len(text.split()) <= _FEW
    return few and bool(_HOW_OR_WHERE.match(text)) and read.kind in {a.kind for a in before.asks}


def _short(read: Fragment, text: str, before: Query, names: Names) -> bool:
    """Say whether a few words that are no sentence ask the same kind of thing: "the lowest?"."""
    if read.kind == "plot":
        return [node.tag for node in read.nodes] == ["PLOT"]
    if read.kind is None or read.kind not in {a.kind for a in before.asks}:
        return False
    own = read_ask(read.kind, read.nodes, names)
    named = any(
        _given(own, name) for name in ("channels", "labels", "sessions", "subjects", "split")
    )
    few = len(text.split()) <= _FEW
    if read.kind == "stats":
        bare = not named and _OF_ALL.search(text) is None
        return bare or (few and _WHOLE.search(text) is None)
    return read.kind == "forecast" and few and not named


def _changed(read: Fragment, before: Query, names: Names, *, again: bool) -> Query | None:
    """Return the question before with what these words say in the place of what was said."""
    asks = [_over(ask, read, before.asks, names) for ask in before.asks]
    if asks == list(before.asks):
        return _laid(asks, before, in_words(asks)) if again and not read.nodes else _unclear(before)
    pairs = list(zip(before.asks, asks, strict=True))
    told = ", ".join(dict.fromkeys(filter(None, (what_changed(*pair) for pair in pairs))))
    return _laid(asks, before, f"{what_stayed(pairs)}, but {told}") if told else _unclear(before)


def _over(ask: Ask, read: Fragment, asks: Sequence[Ask], names: Names) -> Ask:
    new = read_ask(ask.kind, read.nodes, names)
    said = {g: g for g in _GROUPS if any(_given(new, n) for n in g)}
    fields: dict[str, Any] = {}
    for group in said:
        if _is_for(group, ask, asks):
            fields |= {name: getattr(new, name) for name in group}
    fields |= _bare_time(ask, read, fields, asks)
    if "channels" in fields:
        fields["channels"] = _same_modality(fields["channels"], ask)
    if "labels" in fields and ask.by == "label" and len(fields["labels"]) == 1:
        fields["labels"] = (*ask.labels[:-1], *fields["labels"]) if ask.labels else fields["labels"]
    if "subjects" in fields and "sessions" not in fields:
        fields["sessions"] = ()
    if "sessions" in fields and "subjects" not in fields:
        fields["subjects"] = ()
    return replace(ask, **fields)


def _given(ask: Ask, name: str) -> bool:
    return bool(getattr(ask, name) != getattr(_EMPTY, name))


def _is_for(group: Sequence[str], ask: Ask, asks: Sequence[Ask]) -> bool:
    """Say whether a slot is for this ask: those that have it filled, else all that can use it."""
    first = group[0]
    can = [a for a in asks if a.kind in _HOW.get(first, {a.kind})]
    filled = [a for a in can if any(_given(a, name) for name in group)]
    return ask in (filled or can)


def _bare_time(
    ask: Ask, read: Fragment, fields: Mapping[str, Any], asks: Sequence[Ask]
) -> dict[str, Any]:
    """Return what a bare time or number is: a window where there are some, else the first part.

    Where a forecast is among what was asked, it is that one's horizon alone.
    """
    times = [d.seconds for d in pick(read.nodes, "DUR") if isinstance(d, Duration)]
    numbers = [int(n) for n in pick(read.nodes, "NUM") if n == int(n) and n >= 1]
    if any(a.kind == "forecast" for a in asks):
        return {}
    if times and ask.kind in _ENCODED:
        return {"window_s": times[0]}
    if times and not {"start_s", "min_s", "max_s"} & fields.keys():
        return {"start_s": 0.0, "end_s": times[0], "tail_s": None}
    return {"k": numbers[0], "count": None} if numbers and ask.kind in _RANKED else {}


def _same_modality(channels: Sequence[str], ask: Ask) -> tuple[str, ...]:
    """Return "the y axis" of what was asked about before, where no modality is named."""
    before = {c.partition(".")[0] for c in ask.channels}
    kept = tuple(c for c in channels if c.partition(".")[0] in before)
    return kept or tuple(channels)


def _of_the_same(read: Fragment, before: Query, names: Names) -> Query | None:
    """Return a question of its own, asked of what the one before was about."""
    if read.kind is None:
        return None
    last = next((a for a in reversed(before.asks) if a.kind == read.kind), before.asks[-1])
    new = read_ask(read.kind, read.nodes, names)
    groups = _GROUPS if last.kind == read.kind else _OF_DATA
    kept: dict[str, Any] = {}
    for group in groups:
        if not any(_given(new, name) for name in group):
            kept |= {name: getattr(last, name) for name in group}
    if last.kind == read.kind == "stats" and not pick(read.nodes, "STAT"):
        kept |= {"statistic": last.statistic, "percent": last.percent}
    if new.subjects:
        kept.pop("sessions", None)
    if new.sessions:
        kept.pop("subjects", None)
    ask = replace(new, **kept)
    told = same_as(replace(_EMPTY, **kept))
    return _laid([ask], before, told)


def _why(text: str, before: Query, frame: Frame, names: Names) -> Query | None:
    """Return what measures the answer: the head that gave it beside the one that is named."""
    last = before.asks[-1]
    heads = read_ask("heads", read_fragment(text, names).nodes, names).heads
    if heads and frame.head and frame.head not in heads and last.kind in _WITH_HEADS:
        ask = replace(last, kind="heads", heads=(frame.head, *heads), task=_task(last))
        return _laid([ask], before, f"{frame.head} answered; both are measured now")
    if _WHY.match(text) and last.kind in _ENCODED:
        return _laid([replace(last, kind="why", topic="explain")], before, in_words([last]))
    return None


def _task(ask: Ask) -> str:
    return "forecast" if ask.kind == "forecast" else "classify"


def _lacking(unknown: Sequence[str], before: Query, names: Names) -> Query:
    """Return the refusal of a word that names nothing here."""
    listed = ", ".join(f'"{phrase}"' for phrase in unknown)
    has = [f"the labels are {', '.join(names.labels)}" if names.labels else ""]
    has += [f"the channels {', '.join(names.channels)}" if names.channels else ""]
    said = f"I find nothing called {listed} in these data; {'; '.join(filter(None, has))}."
    return Query(dataset=before.dataset, refused=(said,))


def _unclear(before: Query) -> Query:
    said = (
        f"I take this as a change to the question before ({in_words(before.asks)}), but not what "
        "is to change. Name a label, a channel, a session, a time or a head, or ask it whole."
    )
    return Query(dataset=before.dataset, refused=(said,))


def _laid(asks: Sequence[Ask], before: Query, taken: str) -> Query:
    return Query(asks=tuple(asks), dataset=before.dataset, taken=f"as before: {taken}")
