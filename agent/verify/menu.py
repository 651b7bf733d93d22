"""What may be said of results, as a grammar: every reference resolves, every claim holds.

Small local models are held to it token by token (JSON schema with a pattern, as constrained
decoders take it); the check of what they wrote stays the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tool_use_om.agent.verify.claims import Claim, tell
from tool_use_om.agent.verify.facts import NoFactError, Source, Sources, escaped
from tool_use_om.agent.verify.form import reference
from tool_use_om.agent.verify.scan import RefusedError
from tool_use_om.agent.verify.words import ALLOWED, COUNTED, NOUNS
from tool_use_om.data.values import Json

_DEEPEST = 5
_ROWS = 5  # of a list that are offered one by one; claims are over all of them
_MOST_REFERENCES = 150
_MOST_CLAIMS = 30
_SENTENCES = 8
_WORDS = 24  # words, references and claims of one sentence


@dataclass(frozen=True)
class Menu:
    """What a model may refer to.

    Attributes
    ----------
    references : as an answer writes them, ``{r1#/n_sessions}``
    claims : those that hold, by id; the model chooses among them and writes none
    """

    references: tuple[str, ...]
    claims: Mapping[str, dict[str, Any]]

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the answers that may be written."""
        marks = [f"{{{name}}}" for name in self.claims]
        words = sorted(ALLOWED | NOUNS.keys() | COUNTED.keys())
        one = "(?:" + "|".join(re.escape(t) for t in (*words, *self.references, *marks)) + ")"
        sentence = rf"{one}(?:[,:]? {one}){{0,{_WORDS - 1}}}\."
        prose = rf"{sentence}(?: {sentence}){{0,{_SENTENCES - 1}}}"
        return {
            "type": "object",
            "properties": {"prose": {"type": "string", "pattern": f"^(?:{prose})$"}},
            "required": ["prose"],
            "additionalProperties": False,
        }

    def reply(self, prose: str) -> dict[str, Any]:
        """Return the answer in its form: the prose with those claims that it places."""
        placed = [claim for name, claim in self.claims.items() if f"{{{name}}}" in prose]
        return {"prose": prose, "claims": placed}


def menu(sources: Sources) -> Menu:
    """Return what may be said of the results."""
    found: list[str] = []
    claims: dict[str, dict[str, Any]] = {}
    for source in sources.found.values():
        for path, value in _walk(source.content, "", 0):
            if len(found) < _MOST_REFERENCES and _may_be_said(sources, source, path, value):
                found.append(reference(source.name, path))
        for claim in _claims(source):
            if len(claims) < _MOST_CLAIMS and _holds(claim, sources):
                name = f"c{len(claims) + 1}"
                claims[name] = {"id": name, **claim}
    return Menu(tuple(dict.fromkeys(found)), claims)


def _walk(value: Json, path: str, depth: int) -> Iterator[tuple[str, Json]]:
    """Yield (pointer, value) of all that stands in a result, of long lists the first rows."""
    if path:
        yield path, value
    if depth >= _DEEPEST:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _walk(inner, f"{path}/{escaped(str(key))}", depth + 1)
    elif isinstance(value, list):
        for i, inner in enumerate(value[:_ROWS]):
            yield from _walk(inner, f"{path}/{i}", depth + 1)


def _may_be_said(sources: Sources, source: Source, path: str, value: Json) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    try:
        return sources.fact(source.name, path).value is not None
    except NoFactError:
        return False


def _claims(source: Source) -> Iterator[dict[str, Any]]:
    """Yield what might be claimed: verdicts, what is found or not, the ends of every list."""
    for path, value in _walk(source.content, "", 0):
        at = f"{source.name}#{path}"
        if isinstance(value, bool):
            yield {"kind": "is" if value else "not", "left": at}
        elif isinstance(value, list) and len(value) > 1 and isinstance(value[0], Mapping):
            yield from _ends(at, value)
        elif path.rpartition("/")[2] in {"n_problems", "n_unusual", "n_found", "n_segments"}:
            yield {"kind": "found" if value else "none", "left": at}


def _ends(at: str, rows: list[Any]) -> Iterator[dict[str, Any]]:
    for key, value in rows[0].items():
        held = [row.get(key) for row in rows if isinstance(row, Mapping)]
        values = [float(v) for v in held if isinstance(v, int | float)]
        if isinstance(value, bool) or len(values) < len(rows):
            continue
        over = f"{at}/*/{escaped(key)}"
        for kind, end in (("most", max), ("least", min)):
            place = values.index(end(values))
            yield {"kind": kind, "left": f"{at}/{place}/{escaped(key)}", "over": over}
        yield {"kind": "range", "over": over}


def _holds(claim: Mapping[str, Any], sources: Sources) -> bool:
    try:
        tell(Claim(id="c1", **claim), sources)
    except RefusedError:
        return False
    return True
