"""True narrations of a true run, in the form of answers: what must not be refused."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

from tool_use_om.agent.verify.words import NOUNS
from tool_use_om.data.values import Json
from tool_use_om.evals.suites.faithfulness.facts import Material, Place, starred
from tool_use_om.evals.suites.faithfulness.narration import Narration

MOST = 40  # of one run
# written before the list of allowed words was last changed, and not since
_FRAMES = (
    "The run gave {v}.",
    "According to the results, it is {v}.",
    "Here, {v} was measured.",
    "The analysis shows {v}.",
    "What the data say: {v}.",
    "In this recording, the tool measured {v}.",
    "It came to {v}.",
    "We see {v} in these data.",
    "The value obtained is {v}.",
    "As for the question, the answer is {v}.",
    "This rests on {v}.",
    "- {v}",
    "Overall, {v} was reported.",
    "Based on the recorded signals, the computed value is {v}.",
    "Please note {v}.",
    "To summarise: {v}.",
    "In short, {v}.",
    "The tool returned {v} for this selection.",
    "When these sessions are considered, the figure is {v}.",
    "Moreover, {v} was observed.",
)
_OWNED = (
    "{n} has {v}.",
    "For {n}, {v} was measured.",
    "{n} shows {v}.",
    "In {n} the result is {v}.",
    "{n}: {v}.",
    "The run gave {v} for {n}.",
    "{n} comes out at {v}.",
)
_NAMED = ("The {w} is {v}.", "The {w} was {v}.", "A {w} of {v} was obtained.", "{v} is the {w}.")


def paraphrased(found: Material, rng: random.Random) -> Iterator[Narration]:
    """Yield up to `MOST` true narrations of all sorts."""
    made = [
        *_plain(found, rng),
        *_owned(found),
        *_with_noun(found, rng),
        *_pairs(found),
        *_claims(found),
        *_ranges(found),
        *_numbered(found),
    ]
    rng.shuffle(made)
    yield from made[:MOST]


def _plain(found: Material, rng: random.Random) -> Iterator[Narration]:
    for value in rng.sample(found.values, min(20, len(found.values))):
        yield Narration(rng.choice(_FRAMES).format(v=value.ref))


def _owned(found: Material) -> Iterator[Narration]:
    for i, value in enumerate(found.values):
        if name := found.name_of(value):
            yield Narration(_OWNED[i % len(_OWNED)].format(n=name.ref, v=value.ref))


def _with_noun(found: Material, rng: random.Random) -> Iterator[Narration]:
    for value in rng.sample(found.values, min(20, len(found.values))):
        said = set(value.fact.name.casefold().replace(",", " ").split())
        last = set(value.fact.name.casefold().rpartition(", ")[2].split())
        nouns = [n for n, of in NOUNS.items() if n in said & last and of & value.fact.words]
        for noun in nouns[:1]:
            yield Narration(rng.choice(_NAMED).format(w=noun, v=value.ref))


def _pairs(found: Material) -> Iterator[Narration]:
    for row in found.rows():
        for a, b in pairwise(row):
            names = found.name_of(a), found.name_of(b)
            if names[0] and names[1]:
                yield Narration(f"{names[0].ref} has {a.ref}, while {names[1].ref} has {b.ref}.")
            yield Narration(f"The tool measured {a.ref} and {b.ref}.")


def _ranges(found: Material) -> Iterator[Narration]:
    places = {(p.source, p.path): p for p in found.values}
    for place in found.values:
        row, _, key = place.path.rpartition("/")
        for low, high in (("lower", "upper"), ("min", "max"), ("start_s", "end_s")):
            end = places.get((place.source, f"{row}/{high}"))
            if key == low and end:
                yield Narration(f"It goes from {place.ref} to {end.ref}.")
                yield Narration(f"It lies between {place.ref} and {end.ref}.")


def _numbered(found: Material) -> Iterator[Narration]:
    for row in found.rows():
        named = [(n, v) for v in row if (n := found.name_of(v))][:3]
        lines = (f"{i}. {n.ref}: {v.ref}" for i, (n, v) in enumerate(named, start=1))
        if named:
            yield Narration("\n".join(lines))


def _claims(found: Material) -> Iterator[Narration]:
    for row in found.rows():
        high = max(row, key=lambda p: float(p.fact.value))
        low = min(row, key=lambda p: float(p.fact.value))
        if high.fact.value != low.fact.value:
            yield _one("above", left=high.at, right=low.at)
            yield _one("not", of="above", left=low.at, right=high.at)
        if _whole(found, high) and high.fact.value != low.fact.value:
            yield _one("most", left=high.at, over=starred(high))
            yield _one("least", left=low.at, over=starred(low))
            yield _one("range", over=starred(low))
    for place in found.verdicts:
        yield _one("is" if place.fact.value else "not", left=place.at)
    for place in found.lists:
        yield _one("found" if place.fact.value else "none", left=place.at)
        yield _one("count", left=place.at)


def _whole(found: Material, place: Place) -> bool:
    """Say whether the material holds every row of a value's list, and one value for each owner."""
    row = [p for p in found.values if p.source == place.source and starred(p) == starred(place)]
    listed = place.path.split("/")[1]
    whole = [p for p in found.lists if p.source == place.source and p.path == f"/{listed}"]
    if (place.source, f"/{listed}") in found.cut:
        return False
    return bool(whole) and len(whole[0].fact.value) == len(row) > 1


def _one(kind: str, **parts: Json) -> Narration:
    return Narration("As computed here, {c1}.", ({"id": "c1", "kind": kind, **parts},))
