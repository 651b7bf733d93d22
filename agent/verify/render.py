"""How a fact is written: value, rounding, unit, name and owner. The only place where it happens."""

from __future__ import annotations

import math
import re

from tool_use_om.agent.verify.facts import Fact
from tool_use_om.agent.verify.words import COUNTED
from tool_use_om.data.plain import plain_text
from tool_use_om.data.units import for_people, in_span, unit_in_words
from tool_use_om.data.values import Json

# Markdown's own marks; an underscore inside a word is literal, as in Brush_teeth
_MARKS = re.compile(r"[\\`*<|\[\]]|(?<![^\W_])_|_(?![^\W_])")


def plain(text: str) -> str:
    """Return a name from the data as Markdown shows it letter by letter."""
    return _MARKS.sub(lambda m: "\\" + m.group(), plain_text(text).replace("\n", " "))


def code(text: str) -> str:
    """Return a name as it stands inside a code span, which only its own mark would end."""
    return plain_text(text).replace("`", "'").replace("\n", " ")


def number(value: float) -> str:
    """Return a number to three figures, integers whole; always a correct rounding.

    What is no integer keeps a decimal, so that it is not read as a count.
    """
    if not math.isfinite(value):
        return "not finite"
    if float(value) == int(value) and abs(value) < 1e15:
        return str(int(value))
    size = math.floor(math.log10(abs(value)))
    text = f"{value:.{min(12, max(1, 2 - size))}f}"
    short = text.rstrip("0")
    shown = short + "0" if short.endswith(".") else short
    return "0.0" if shown == "-0.0" else shown


def shown(value: Json, unit: str | None, style: str) -> str:
    """Return a value as our own writer places it.

    Parameters
    ----------
    style : plain, unit, percent; behind "bare-", a table's heading has the unit; behind "in-" the
        unit that a length of time is told in
    """
    if isinstance(value, list):
        return ", ".join(str(v) for v in value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if style.startswith("in-"):
        value, word = in_span(float(value), style.removeprefix("in-"))
        return f"{number(value)} {word}"
    if style.endswith("unit") and unit:
        value, unit = for_people(float(value), unit)
    text = number(100 * value if style.endswith("percent") else value)
    written = {"percent": "%", "unit": unit_in_words(unit)}.get(style, "")
    gap = "" if written.startswith("/") else " "
    return f"{text}{gap}{written}" if written else text


def measured(fact: Fact) -> str:
    """Return a fact's value with its unit, as an answer shows it: "94.7 %", "3.21 (m/s²)²"."""
    return shown(fact.value, fact.unit, "percent" if fact.share else "unit")


_ONE = {"people": "person", "children": "child", "persons": "person"}
_THINGS = """
sessions recordings windows subjects samples labels channels values cases classes places repeats
resolutions intervals folds examples shots times groups heads models segments stretches rows steps
days hours minutes seconds months weeks years problems neighbours people children persons points
events records modalities readings issues matches peaks changes patches tokens activities blocks
tokenizers
"""
_COUNTABLE = frozenset(_THINGS.split()) | COUNTED.keys()
_BEHIND = r"(?P<noun>[^\W\d_]+)(?P<verb> (?:are|were|have))?\b"
_BINDING = r"(?!(?:of|in|with|from|to|and|or|for|at|per|than|is|are|by|the|on|over|between)\b)"
_COUNTED_NOUNS = (  # "sessions", "held-out sessions"
    re.compile(rf"(?P<before> ){_BEHIND}"),
    re.compile(rf"(?P<before> {_BINDING}[a-z]+(?:-[a-z]+)? ){_BEHIND}"),
)
_OF_ONE = {" are": " is", " were": " was", " have": " has"}


def singular(noun: str) -> str:
    """Return the one of a plural noun: "person" of "people", "class" of "classes"."""
    if noun in _ONE:
        return _ONE[noun]
    if noun.endswith("ies") and len(noun) > 4:
        return noun[:-3] + "y"
    if noun.endswith(("sses", "xes", "ches", "shes")):
        return noun[:-2]
    ends_in_s = noun.endswith("s") and not noun.endswith(("ss", "us", "is"))
    return noun[:-1] if ends_in_s else noun


def counted(shown_before: str, text: str, noun: str = "") -> str:
    """Return the words behind a value, their noun as one of it where the value is one.

    Parameters
    ----------
    shown_before : the value as it is shown
    text : the words that follow it
    noun : what the data call a session, besides the nouns that answers have
    """
    nouns = _COUNTABLE | ({f"{noun}s"} if noun else set())
    hits = (form.match(text) for form in _COUNTED_NOUNS) if shown_before == "1" else ()
    found = next((hit for hit in hits if hit and hit["noun"] in nouns), None)
    if found is None:
        return text
    verb = _OF_ONE.get(found["verb"] or "", "")
    return found["before"] + singular(found["noun"]) + verb + text[found.end() :]


_SAID_AS = {
    "test": frozenset({"held", "test"}), "train": frozenset({"training"}),
    "calibration": frozenset({"calibration"}),
}  # fmt: skip


def owner_of(
    fact: Fact, without: frozenset[str] = frozenset(), words: frozenset[str] = frozenset()
) -> str:
    """Return whose a fact is: "gyroscope.y; running; held-out sessions".

    Parameters
    ----------
    without : folded names that the clause says itself
    words : the clause's own words; a split that they name is not repeated
    """
    said = [
        _whose(kind, name)
        for kind, name in fact.owner
        if name.casefold() not in without
        and name != fact.value
        and not (kind == "split" and _SAID_AS.get(name, frozenset()) & words)
    ]
    return "; ".join(dict.fromkeys(said))


def in_full(
    fact: Fact, said: frozenset[str] = frozenset(), words: frozenset[str] = frozenset()
) -> str:
    """Return a fact as it stands in a model's sentence: name, value, unit and owner.

    Parameters
    ----------
    said : folded names that the clause gives by references of its own
    words : the clause's own words; a name they give already is not repeated
    """
    if not fact.is_number:
        return f"`{code(str(fact.value))}`" if isinstance(fact.value, str) else str(fact.value)
    name, owner = f"{fact.name} ", owner_of(fact, said, words)
    before, _, thing = fact.name.rpartition("number of ")
    if name_words(fact) <= words | {"value"}:
        name = ""
    elif before and letters_of(thing) <= words:  # "40 (judged on) sessions"
        name, owner = "", "; ".join(p for p in (before.removesuffix(", "), owner) if p)
    return f"{name}{measured(fact)}" + (f" ({owner})" if owner else "")


def name_words(fact: Fact) -> frozenset[str]:
    """Return the words that say what a fact is called."""
    return letters_of(fact.name) - {"number", "of", "s"}


def letters_of(text: str) -> frozenset[str]:
    """Return the words of a text, folded; digits and marks part them."""
    return frozenset("".join(c if c.isalpha() else " " for c in text.casefold()).split())


def _whose(kind: str, name: str) -> str:
    if kind == "split":
        return {"test": "held-out sessions"}.get(name, f"{plain(name)} sessions")
    if kind == "time":
        return name
    return plain(name)
