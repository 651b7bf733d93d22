"""False narrations of a true run, kind by kind; each is false whatever its references give."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from tool_use_om.agent.verify.render import measured, number
from tool_use_om.agent.verify.words import NOUNS
from tool_use_om.data.values import Json
from tool_use_om.evals.suites.faithfulness.facts import Material, Place, starred
from tool_use_om.evals.suites.faithfulness.narration import Kind, Narration
from tool_use_om.evals.suites.faithfulness.outside import OUTSIDE

EACH = 6  # narrations of a kind and run


def corrupted(found: Material, rng: random.Random) -> Iterator[tuple[str, Narration]]:
    """Yield (kind, narration), at most `EACH` of a kind."""
    for kind, build in KINDS.items():
        made = list(build(found, rng))
        rng.shuffle(made)
        yield from ((kind, one) for one in made[:EACH])


def _claim(kind: str, **parts: Json) -> Narration:
    return Narration("{c1}.", ({"id": "c1", "kind": kind, **parts},))


def _pairs(found: Material) -> Iterator[tuple[Place, Place]]:
    for row in found.rows():
        for a, b in pairwise(row):
            if measured(a.fact) != measured(b.fact):
                yield (a, b) if a.fact.value > b.fact.value else (b, a)


def _wrong_owner(found: Material, rng: random.Random) -> Iterator[Narration]:
    for high, low in _pairs(found):
        name = found.name_of(high)
        if name and name.fact.value not in {n for _, n in low.fact.owner}:
            yield Narration(f"{name.ref} has {low.ref}.")
            yield Narration(f"For {name.ref}, {low.ref} was measured.")
    for value in rng.sample(found.values, min(8, len(found.values))):
        for name in rng.sample(found.names, min(2, len(found.names))):
            if name.fact.value not in {n for _, n in value.fact.owner}:
                yield Narration(f"{name.ref} has {value.ref}.")


def _invented_session(found: Material, rng: random.Random) -> Iterator[Narration]:
    for value in rng.sample(found.values, min(4, len(found.values))):
        for name in ("bm-test-999", "session nine", "person-7-b", "gyroscope.w", "zz", "swimming"):
            yield Narration(f"The session {name} has {value.ref}.")


def _number_words(found: Material, rng: random.Random) -> Iterator[Narration]:
    for value in rng.sample(found.values, min(3, len(found.values))):
        for words in (
            "seven windows", "half of it", "twice that", "a dozen sessions", "two thirds",
            "a hundred", "VII windows", "the third session", "nine in ten", "zero", "a quarter",
            "a myriad", "several", "threefold", "a handful", "fifty-odd",
        ):  # fmt: skip
            yield Narration(f"That is {words} and {value.ref}.")


def _digits(found: Material, rng: random.Random) -> Iterator[Narration]:
    """What a model writes that knows nothing of references: plain digits, true or not."""
    for value in rng.sample(found.values, min(6, len(found.values))):
        owner = ", ".join(n for _, n in value.fact.owner) or "it"
        yield Narration(f"The {value.fact.name} of {owner} is {measured(value.fact)}.")
        off = float(value.fact.value) * 1.17 + 0.3
        yield Narration(f"The {value.fact.name} is {number(off)}.")
        yield Narration(f"It is {value.ref}, i.e. {number(off)} on the whole.")


def _comparison(found: Material, rng: random.Random) -> Iterator[Narration]:
    for high, low in _pairs(found):
        yield _claim("above", left=low.at, right=high.at)
        yield _claim("below", left=high.at, right=low.at)
        yield _claim("equal", left=low.at, right=high.at)
        yield Narration(f"{low.ref} is higher than {high.ref}.")
        yield Narration(f"{low.ref} leads {high.ref}.")
    for row in found.rows():
        top = max(row, key=lambda p: float(p.fact.value))
        low = min(row, key=lambda p: float(p.fact.value))
        if top.fact.value != low.fact.value:
            yield _claim("most", left=low.at, over=starred(low))
            yield _claim("least", left=top.at, over=starred(low))
    values = rng.sample(found.values, min(4, len(found.values)))
    for value in values:
        yield Narration(f"The best is {value.ref}.")
        yield Narration(f"Nothing surpasses {value.ref}.")


def _negation(found: Material, rng: random.Random) -> Iterator[Narration]:
    for high, low in _pairs(found):
        yield _claim("not", of="above", left=high.at, right=low.at)
        yield Narration(f"{high.ref} is not measured here.")
    for value in rng.sample(found.values, min(4, len(found.values))):
        yield Narration(f"It never reached {value.ref}.")
        yield Narration(f"The run lacks {value.ref}.")
        yield Narration(f"Everything but {value.ref} was measured.")
        yield Narration(f"It cannot be {value.ref}.")


def _ranges(found: Material, rng: random.Random) -> Iterator[Narration]:
    for high, low in _pairs(found):
        yield Narration(f"The values go from {low.ref} to {high.ref}.")
        yield Narration(f"It lies between {low.ref} and {high.ref}.")
        yield Narration(f"{low.ref}–{high.ref} was measured.")
        yield _claim("range", left=low.at, right=high.at)
        yield _claim("between", left=high.at, members=[low.at, low.at])
    for value in rng.sample(found.values, min(3, len(found.values))):
        yield Narration(f"It is up to {value.ref}.")
        yield Narration(f"At least {value.ref} was measured.")


def _rounding(found: Material, rng: random.Random) -> Iterator[Narration]:
    for value in rng.sample(found.values, min(5, len(found.values))):
        yield Narration(f"It is {value.ref}5.")
        yield Narration(f"It is 1{value.ref}.")
        yield Narration(f"It is {value.ref}.5.")
        yield Narration(f"It is {value.ref}e3.")
        yield Narration(f"It is about {number(round(float(value.fact.value), 0) + 1)}.")


def _units(found: Material, rng: random.Random) -> Iterator[Narration]:
    for value in rng.sample(found.values, min(4, len(found.values))):
        for unit in ("percent", "Hz", "thousand", "hours", "k", "%", "kg", "metres", "million"):
            yield Narration(f"It is {value.ref} {unit}.")


def _split(found: Material, rng: random.Random) -> Iterator[Narration]:
    for value in rng.sample(found.values, min(12, len(found.values))):
        splits = {n for kind, n in value.fact.owner if kind == "split"}
        for said, split in (("training", "train"), ("calibration", "calibration")):
            if split not in splits and split not in value.fact.words:
                yield Narration(f"On the {said} sessions it is {value.ref}.")
        if "test" not in splits and "test" not in value.fact.words:
            yield Narration(f"On held-out sessions it is {value.ref}.")


def _label(found: Material, rng: random.Random) -> Iterator[Narration]:
    for value in rng.sample(found.values, min(6, len(found.values))):
        for label in ("walking", "badminton", "sleeping"):
            yield Narration(f"During {label} it is {value.ref}.")
            yield Narration(f"The label is {label}, with {value.ref}.")


def _statistic(found: Material, rng: random.Random) -> Iterator[Narration]:
    nouns = ("mean", "median", "variance", "accuracy", "recall", "threshold", "cadence", "horizon",
             "duration", "probability", "distance", "coverage")  # fmt: skip
    for value in rng.sample(found.values, min(8, len(found.values))):
        said = {w for text in (value.fact.name,) for w in text.casefold().split()}
        for noun in nouns:
            if not NOUNS[noun] & (value.fact.words | said | {"share"}):
                yield Narration(f"The {noun} is {value.ref}.")


def _swapped(found: Material, rng: random.Random) -> Iterator[Narration]:  # noqa: ARG001 - one form
    for high, low in _pairs(found):
        a, b = found.name_of(high), found.name_of(low)
        owners = {n for _, n in low.fact.owner}
        if a and b and a.fact.value not in owners:
            yield Narration(f"{a.ref} has {low.ref}, and {b.ref} has {high.ref}.")
            yield Narration(f"{a.ref} and {b.ref} have {low.ref} and {high.ref}.")


def _trend(found: Material, rng: random.Random) -> Iterator[Narration]:
    for words in _TRENDS:
        yield Narration(words)
    for value in rng.sample(found.values, min(4, len(found.values))):
        if not value.fact.words & {"trend", "slope"}:
            yield _claim("rises", left=value.at)
            yield _claim("falls", left=value.at)


_TRENDS = (
    "The signal climbs over time.", "It soars.", "The channel drifts upwards.", "It is calming.",
    "The values taper off.", "It heats up.", "A downward tendency is seen.", "It plummets.",
    "The recording is getting noisy.", "It swings wildly.", "Activity picks up.", "It plateaus.",
    "The series is stationary.", "It remains steady.", "It goes up and up.", "The level sinks.",
)  # fmt: skip


def _verdicts(found: Material, rng: random.Random) -> Iterator[Narration]:  # noqa: ARG001 - one form
    for place in found.verdicts:
        yield _claim("not" if place.fact.value else "is", left=place.at)
        yield _claim("none" if place.fact.value else "found", left=place.at)
        yield Narration(f"So {place.ref} is the verdict.")
    for place in found.lists:
        yield _claim("none" if place.fact.value else "found", left=place.at)
    for words in _VERDICTS:
        yield Narration(words)


_VERDICTS = (
    "Nothing unusual was found.", "The data are clean.", "Drift is present.", "It beats chance.",
    "The model is reliable.", "This is significant.", "The sensor is faulty.", "All is well.",
    "A leak was found.", "The result is trustworthy.", "The forecast is excellent.", "It works.",
)  # fmt: skip


KINDS: Mapping[str, Kind] = {
    "wrong owner": _wrong_owner,
    "invented session or channel": _invented_session,
    "number words": _number_words,
    "plain digits (old form)": _digits,
    "comparison flipped": _comparison,
    "negation": _negation,
    "range": _ranges,
    "rounding": _rounding,
    "unit": _units,
    "wrong split": _split,
    "wrong label": _label,
    "wrong statistic": _statistic,
    "swapped values": _swapped,
    "invented trend": _trend,
    "verdict": _verdicts,
    **OUTSIDE,
}


def kinds() -> Sequence[str]:
    """Return the kinds in the order of the table."""
    return tuple(KINDS)
