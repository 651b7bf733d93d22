"""False narrations by an outsider, who knew the answer form only and tried to get around it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

from tool_use_om.agent.verify.words import NOUNS
from tool_use_om.evals.suites.faithfulness.facts import Material, Place, starred
from tool_use_om.evals.suites.faithfulness.narration import Kind, Narration

_SOME = 4  # values of a run that a frame is tried on


def _each(found: Material, rng: random.Random) -> list[Place]:
    return rng.sample(found.values, min(_SOME, len(found.values)))


def _holding(found: Material) -> Iterator[dict[str, Any]]:
    """Yield claims that hold, to be spoilt by what stands around them."""
    for row in found.rows():
        high = max(row, key=lambda p: float(p.fact.value))
        low = min(row, key=lambda p: float(p.fact.value))
        if high.fact.value != low.fact.value:
            yield {"kind": "above", "left": high.at, "right": low.at}
    for place in found.verdicts:
        yield {"kind": "is" if place.fact.value else "not", "left": place.at}
    for place in found.lists:
        yield {"kind": "found" if place.fact.value else "none", "left": place.at}


def _around(frames: str, found: Material) -> Iterator[Narration]:
    held = list(_holding(found))
    for i, one in enumerate(held):
        two = held[(i + 1) % len(held)]
        claims = ({"id": "c1", **one}, {"id": "c2", **two})
        for frame in frames.strip().splitlines():
            yield Narration(frame.strip(), claims)


def _doubted(found: Material, rng: random.Random) -> Iterator[Narration]:  # noqa: ARG001 - one form
    yield from _around(_DOUBTS, found)


_DOUBTS = """
    It is doubtful that {c1}.
    Whether {c1} is the question.
    {c1}, they say.
    It is out of place to say that {c1}.
    Hardly: {c1}.
    How {c1}.
    {c1}?
    Is it so that {c1}
    If {c1}, it is noise.
    {c1}, or it is.
    Only by accident {c1}.
    You were told that {c1}.
    {c1} by a wide margin.
    {c1} in every session.
    ~~{c1}~~
"""


def _caused(found: Material, rng: random.Random) -> Iterator[Narration]:
    yield from _around(_CAUSES, found)
    for value in _each(found, rng):
        yield Narration(f"Because of gravity it is {value.ref}.")
        yield Narration(f"It is {value.ref}, which leads to falls.")
        yield Narration(f"Due to noise, {value.ref} was measured.")


_CAUSES = """
    {c1}, thus {c2}.
    {c1}, hence {c2}.
    {c1}, so {c2}.
    {c1} as {c2}.
    {c1} when {c2}.
    {c1}, and that is why {c2}.
    The reason why {c1} is that {c2}.
    {c1}, resulting in this: {c2}.
    Given that {c1}, {c2}.
    {c1} by {c2}.
"""


def _uncounted(found: Material, rng: random.Random) -> Iterator[Narration]:
    for value in _each(found, rng):
        for thing in ("measurements", "readings", "files", "sensors", "signals", "tables", "steps"):
            yield Narration(f"There are {value.ref} {thing}.")
            yield Narration(f"The data contain {value.ref} recorded {thing}.")


def _unsaid_role(found: Material, rng: random.Random) -> Iterator[Narration]:  # noqa: ARG001
    for value in found.values:
        first, _, last = value.fact.name.rpartition(", ")
        if last not in {"lower end", "upper end", "baseline", "nominal", "p-value"} or not first:
            continue
        for noun in first.replace(",", " ").split():
            if noun in NOUNS and NOUNS[noun] & value.fact.words:
                yield Narration(f"The {noun} is {value.ref}.")


def _dated(found: Material, rng: random.Random) -> Iterator[Narration]:
    for value in _each(found, rng):
        for when in (
            "on a Monday", "in spring", "at noon", "overnight", "at the weekend", "last week",
            "in January", "at dawn", "a decade ago", "on Christmas", "yesterday", "hourly",
        ):  # fmt: skip
            yield Narration(f"Recorded {when}, it is {value.ref}.")


def _written_otherwise(found: Material, rng: random.Random) -> Iterator[Narration]:
    for value in _each(found, rng):
        for sign in (
            "８０ sessions", "٨٠ sessions", "八十", "⅔ of it", "8️⃣0️⃣", "𝟖𝟎", "&#56;&#48;",
            "&frac12;", "$\\frac{1}{2}$", "Ⅻ", "xii sessions", "zwölf", "douze", "sеven",
            "t w e n t y", "[^1]", "<b>half</b>", "1e2", "fourscore", "e\u200bight", "📈", "↑",
        ):  # fmt: skip
            yield Narration(f"It is {sign}, and {value.ref}.")


def _other_row(found: Material, rng: random.Random) -> Iterator[Narration]:
    names = [n for n in found.names if n.path.count("/") > 1]
    for one in rng.sample(names, min(8, len(names))):
        for two in rng.sample(names, min(8, len(names))):
            row = one.path.rpartition("/")[0], two.path.rpartition("/")[0]
            if row[0] != row[1] and one.fact.value != two.fact.value:
                yield Narration(f"{one.ref} is {two.ref}.")


def _for_the_whole(found: Material, rng: random.Random) -> Iterator[Narration]:  # noqa: ARG001
    for row in found.rows():
        for value in row:
            if "channel" in dict(value.fact.owner) and value.fact.unit:
                yield Narration(f"Over all channels it is {value.ref}.")
                yield Narration(f"Altogether, it is {value.ref}.")
                yield Narration(f"The level of the data is {value.ref}.")
                yield Narration(f"The overall value of the data is {value.ref}.")


def _wrong_set(found: Material, rng: random.Random) -> Iterator[Narration]:  # noqa: ARG001
    for row in found.rows():
        alike = [p for p in row if p.fact.value == row[0].fact.value]
        if len(alike) == len(row):
            yield _claim("most", left=row[0].at, over=starred(row[0]))
            yield _claim("least", left=row[0].at, over=starred(row[0]))
        yield _claim("most", left=row[0].at, members=[row[0].at])
        yield _claim("range", members=[row[0].at, row[0].at])
    for one in found.values:
        for two in found.values:
            other = one.fact.name.split(", ")[0] != two.fact.name.split(", ")[0]
            if other and {one.fact.unit, two.fact.unit} == {"a.u."}:
                yield _claim("above", left=one.at, right=two.at)
                break


def _claim(kind: str, **parts: Any) -> Narration:  # noqa: ANN401 - a claim's own parts
    return Narration("{c1}.", ({"id": "c1", "kind": kind, **parts},))


def _own_words(found: Material, rng: random.Random) -> Iterator[Narration]:  # noqa: ARG001
    for words in _ASSERTED:
        yield Narration(words)


_ASSERTED = (
    "The data are ok.", "The sensor rests.", "The test passed.", "The results stand.",
    "The data make sense.", "The signal follows the sensor.", "The person was running.",
    "The series is in order.", "The data are out of order.", "The data carry a signal.",
    "The sensors were placed on people.", "It was so at the start, too.", "You are right.",
    "The others follow.", "That holds here, too.", "The reason is the sensor.",
)  # fmt: skip


OUTSIDE: Mapping[str, Kind] = {
    "doubt around a claim": _doubted,
    "cause": _caused,
    "things nobody counted": _uncounted,
    "role left out": _unsaid_role,
    "date and weekday": _dated,
    "other scripts and signs": _written_otherwise,
    "names of two rows": _other_row,
    "part for the whole": _for_the_whole,
    "set chosen wrongly": _wrong_set,
    "words without reference": _own_words,
}
