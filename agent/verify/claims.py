"""Claims that carry no number but assert: typed, evaluated in code, and written by code.

Each kind is one function from facts to a sentence's part; what does not hold, or cannot be judged
from these results, is refused with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from tool_use_om.agent.verify.facts import Fact, NoFactError, Sources, escaped, keys_of, step
from tool_use_om.agent.verify.form import decode
from tool_use_om.agent.verify.render import in_full, measured, owner_of
from tool_use_om.agent.verify.scan import RANGES, RefusedError
from tool_use_om.data.units import read_unit

Kind = Literal[
    "most", "least", "rises", "falls", "differs", "same", "above", "below", "equal", "found",
    "none", "is", "not", "range", "between", "count",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)
_MOST_MEMBERS = 200
_MOST_CHOSEN = 6  # members that a model names one by one, as all are told
_ALIKE = 5e-3  # a relative difference that three figures do not show
# verdict of a tool → what it says when it holds, and when it does not
VERDICTS: Mapping[str, tuple[str, str]] = {
    "drifted": ("drift was found", "no drift was found"),
    "beats_baseline": (
        "the forecast beats the baseline", "the forecast does not clearly beat the baseline",
    ),
    "unusual": ("it is unusual", "it is not unusual"),
    "clear": ("the difference is clear", "the difference is not clear"),
    "faithful": (
        "the explanation is faithful", "the explanation is not shown to be faithful",
    ),
    "matches": ("it fits the description", "it does not fit the description"),
    "in_prediction_set": ("it is in the prediction set", "it is not in the prediction set"),
    "synthetic": ("the data are synthetic", "the data are recorded"),
}  # fmt: skip


class Claim(BaseModel):
    """A typed claim as a model writes it; paths are written as in references: ``r3#/a/b``.

    Parameters
    ----------
    left, right : paths of values
    members : paths, for "most", "least", "range" over a few values, and the ends of "between"
    over : a path with one ``*`` for all rows of a list
    of : for "not": the kind that does not hold
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    kind: Kind
    left: str | None = None
    right: str | None = None
    members: tuple[str, ...] = ()
    over: str | None = None
    of: Kind | None = None


@dataclass(frozen=True)
class Told:
    """A claim that holds: its words, and the paths and facts it rests on."""

    text: str
    facts: tuple[tuple[str, str, Fact], ...]


class DoesNotHoldError(RefusedError):
    """A claim that the results deny."""


def read_claims(raw: Sequence[Any]) -> tuple[dict[str, Claim], dict[str, str]]:
    """Return the claims by id, and for those of another form the reason by id."""
    claims: dict[str, Claim] = {}
    broken: dict[str, str] = {}
    for number, one in enumerate(raw):
        name = str(one.get("id") if isinstance(one, Mapping) else number)
        try:
            claims[name] = Claim.model_validate(one)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            broken[name] = f"{where or 'the claim'}: {first['msg']}"
    return claims, broken


def tell(claim: Claim, sources: Sources) -> Told:
    """Return what a claim says, if it holds.

    Raises
    ------
    RefusedError : it does not hold, or these results cannot tell
    """
    try:
        return _TELL[claim.kind](claim, _Reader(sources))
    except NoFactError as error:
        raise RefusedError(str(error)) from error


class _Reader:
    """Looks facts up and remembers them."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.read: list[tuple[str, str, Fact]] = []

    def one(self, place: str | None, what: str) -> Fact:
        name, path = _place(place, what)
        found = self.sources.fact(name, path)
        self.read.append((name, path, found))
        return found

    def number(self, place: str | None, what: str) -> Fact:
        found = self.one(place, what)
        if not found.is_number:
            raise RefusedError(f"{what} must be a number, it is {str(found.value)[:40]!r}")
        return found

    def several(self, claim: Claim) -> list[Fact]:
        places = list(claim.members)
        if len(places) > _MOST_CHOSEN:
            raise RefusedError(f"name at most {_MOST_CHOSEN} `members`, or all of a list by `over`")
        if claim.over is not None:
            places += self._rows(claim.over)
        if not 2 <= len(places) <= _MOST_MEMBERS:
            raise RefusedError(f"`over` or `members` must name 2 to {_MOST_MEMBERS} values")
        found = [self.number(place, "a member") for place in places]
        if len({(f.name, f.unit) for f in found}) > 1:
            raise RefusedError("the members are values of different kinds or units")
        if len({f.owner for f in found}) < len(found):
            raise RefusedError("the members are not values of different owners")
        return found

    def _rows(self, over: str) -> list[str]:
        name, path = _place(over, "`over`")
        before, star, behind = path.partition("/*")
        source = self.sources.found.get(name)
        if not star or "*" in behind or source is None:
            raise RefusedError("`over` is a path with one `*`, such as r2#/rows/*/value")
        keys = keys_of(before)
        rows: Any = source.content
        for key in keys:
            try:
                rows = step(rows, key)
            except LookupError as error:
                raise RefusedError(f"`over`: {error}") from error
        if isinstance(rows, Mapping):
            return [f"{name}#{before}/{escaped(key)}{behind}" for key in rows]
        if not isinstance(rows, list):
            raise RefusedError("`over` leads to no list")
        told = source.content.get(f"n_{keys[-1]}") if keys else None
        if isinstance(told, int) and told > len(rows):
            raise RefusedError("the result lists some of the rows only: nothing holds over all")
        return [f"{name}#{before}/{i}{behind}" for i in range(len(rows))]


def _place(place: str | None, what: str) -> tuple[str, str]:
    if not place:
        raise RefusedError(f"{what} is missing")
    name, mark, path = decode(place.strip().removeprefix("{").removesuffix("}")).partition("#")
    if not mark:
        raise RefusedError(f"{what} must be a path such as r2#/rows/0/value")
    return name, path


def _extreme(claim: Claim, reader: _Reader) -> Told:
    left = reader.number(claim.left, "`left`")
    members = reader.several(claim)
    same = [m for m in members if (m.name, m.owner) == (left.name, left.owner)]
    if not same:
        raise RefusedError("`left` is none of the members")
    most = claim.kind == "most"
    end = (max if most else min)(float(m.value) for m in members)
    if float(left.value) != end:
        raise DoesNotHoldError(f"it is not the {'highest' if most else 'lowest'} of them")
    ties = [m for m in members if float(m.value) == end and m.owner != left.owner]
    if len(ties) + 1 == len(members):
        raise DoesNotHoldError("all of them are equal: that is a claim of kind 'same'")
    word = "highest" if most else "lowest"
    tie = f" (a tie with {_owners(ties)})" if ties else ""
    whose = owner_of(left) or "it"
    rest = [m for m in members if m.owner != left.owner]
    few = f"compared with {_owners(rest)} only"  # a model chose them: it is said which
    among = few if claim.members else f"of {len(members)} compared"
    text = f"{left.name} is {word} for {whose} at {measured(left)}{tie}, {among}"
    return Told(text, tuple(reader.read[:1]))


def _owners(facts: Sequence[Fact]) -> str:
    return ", ".join(owner_of(fact) or "another" for fact in facts)


def _order(claim: Claim, reader: _Reader) -> Told:
    left, right = reader.number(claim.left, "`left`"), reader.number(claim.right, "`right`")
    a, b = _in_base(left, right)
    holds = {"above": a > b, "below": a < b, "equal": _same_shown(left, right, a, b)}[claim.kind]
    if not holds:
        raise DoesNotHoldError(f"{measured(left)} is not {_WORD[claim.kind]} {measured(right)}")
    text = f"{in_full(left)} is {_WORD[claim.kind]} {in_full(right)}"
    return Told(text, tuple(reader.read))


_WORD = {"above": "above", "below": "below", "equal": "equal to"}


def _in_base(left: Fact, right: Fact) -> tuple[float, float]:
    a, b = read_unit(left.unit), read_unit(right.unit)
    fractions = {u.family if u else "fraction" for u in (a, b)} == {"fraction"}
    if not fractions and (a and a.family) != (b and b.family):
        raise RefusedError(
            f"{left.unit or 'a number'} and {right.unit or 'a number'} do not compare"
        )
    if not _comparable(left, right):
        raise RefusedError(f"{left.name!r} and {right.name!r} are two things, and do not compare")
    counted = [" per " in f.name or "number" in f.name for f in (left, right)]
    if left.share != right.share or counted[0] != counted[1]:
        raise RefusedError(f"{left.name!r} and {right.name!r} do not compare")
    return (
        float(left.value) * (a.factor if a else 1.0),
        float(right.value) * (b.factor if b else 1.0),
    )


def _comparable(left: Fact, right: Fact) -> bool:
    """Tell whether two values are of one thing: the same statistic, or a score and its bar.

    The end of an interval is compared with what is of its own owner, or with a bar.
    """
    a, b = (set(fact.name.split(", ")) for fact in (left, right))
    bars = {"chance", "baseline", "threshold"}
    if (a | b) & {"threshold"}:
        return any("score" in n or "distance" in n for n in a | b)
    ends = {"lower end", "upper end"}
    if bool(a & ends) != bool(b & ends) and left.owner != right.owner and not (a | b) & bars:
        return False
    return bool(a & b) or bool(
        {n.split(" ")[-1] for n in a} & {n.split(" ")[-1] for n in b} & _BASE
    )


_BASE = frozenset(
    {
        "sessions",
        "windows",
        "samples",
        "mean",
        "deviation",
        "variance",
        "maximum",
        "minimum",
        "median",
    }
)


def _same_shown(left: Fact, right: Fact, a: float, b: float) -> bool:
    return a == b or (measured(left) == measured(right) and math.isclose(a, b, rel_tol=_ALIKE))


def _differ(claim: Claim, reader: _Reader) -> Told:
    left, right = reader.number(claim.left, "`left`"), reader.number(claim.right, "`right`")
    a, b = _in_base(left, right)
    apart = not _same_shown(left, right, a, b)
    ends = [_ends(reader, place) for place in (claim.left, claim.right)]
    if apart and ends[0] and ends[1]:
        apart = ends[0][1] < ends[1][0] or ends[1][1] < ends[0][0]
        if not apart and claim.kind == "differs":
            raise DoesNotHoldError("their intervals overlap, so no difference is shown")
    if apart != (claim.kind == "differs"):
        raise DoesNotHoldError("the values are alike" if not apart else "the values differ")
    said = "differs from" if apart else "is the same, as far as it is shown, as"
    return Told(f"{in_full(left)} {said} {in_full(right)}", tuple(reader.read[:2]))


def _ends(reader: _Reader, place: str | None) -> tuple[float, float] | None:
    """Return the interval beside a value, None where there is none."""
    name, path = _place(place, "a value")
    parent = path.rpartition("/")[0]
    try:
        low, high = (reader.sources.fact(name, f"{parent}/{e}").value for e in ("lower", "upper"))
    except NoFactError:
        return None
    return (float(low), float(high)) if isinstance(low, int | float) else None


def _trend(claim: Claim, reader: _Reader) -> Told:
    left = reader.number(claim.left, "`left`")
    if not left.words & {"trend", "slope"}:
        raise RefusedError("only a trend that a tool measured rises or falls")
    ends = _ends(reader, claim.left)
    up = claim.kind == "rises"
    value = float(left.value)
    sure = ends is None or (ends[0] > 0 if up else ends[1] < 0)
    if (value > 0) != up or value == 0 or not sure:
        raise DoesNotHoldError(f"its trend is {measured(left)}")
    return Told(f"{owner_of(left) or 'it'} {claim.kind} by {measured(left)}", tuple(reader.read))


def _found(claim: Claim, reader: _Reader) -> Told:
    left = reader.one(claim.left, "`left`")
    value = left.value
    if isinstance(value, bool):
        return _verdict(claim, reader, left, wanted=claim.kind == "found")
    counts = left.is_number and left.unit is None and not left.share
    size = len(value) if isinstance(value, list) else value if counts else None
    if size is None:
        raise RefusedError("only a count, a list or a tool's verdict is found or none")
    if (float(size) > 0) != (claim.kind == "found"):
        raise DoesNotHoldError(f"{left.name} is {size}")
    owner = owner_of(left)
    what = left.name.removeprefix("number of ") + (f" ({owner})" if owner else "")
    return Told(f"{what}: {f'{size:g} found' if size else 'none found'}", tuple(reader.read))


def _verdict(claim: Claim, reader: _Reader, left: Fact, *, wanted: bool) -> Told:
    key = keys_of(_place(claim.left, "`left`")[1])[-1]
    if left.value is not wanted:
        raise DoesNotHoldError(f"the tool's verdict {key!r} is {left.value}")
    says = VERDICTS.get(key, (f"{left.name}: yes", f"{left.name}: no"))[0 if left.value else 1]
    owner = owner_of(left)
    return Told(f"{says} ({owner})" if owner else says, tuple(reader.read))


def _yes(claim: Claim, reader: _Reader) -> Told:
    left = reader.one(claim.left, "`left`")
    if not isinstance(left.value, bool):
        raise RefusedError("`left` must be a verdict (true or false)")
    return _verdict(claim, reader, left, wanted=True)


def _not(claim: Claim, reader: _Reader) -> Told:
    if claim.of is None:
        left = reader.one(claim.left, "`left`")
        if not isinstance(left.value, bool):
            raise RefusedError("without `of`, `left` must be a verdict (true or false)")
        return _verdict(claim, reader, left, wanted=False)
    if claim.of not in _NEGATED:
        raise RefusedError(f"`of` must be one of {', '.join(_NEGATED)}, got {claim.of!r}")
    inner = claim.model_copy(update={"kind": claim.of, "of": None})
    try:
        _TELL[claim.of](inner, reader)
    except DoesNotHoldError:
        read = [found for *_, found in reader.read]
        right = f" {in_full(read[1])}" if claim.right else ""
        text = f"{in_full(read[0])} {_NEGATED[claim.of]}{right}"
        return Told(text, tuple(reader.read[: 2 if claim.right else 1]))
    raise DoesNotHoldError(f"it does hold that it {claim.of}")


_NEGATED = {
    "most": "is not the highest of those compared", "least": "is not the lowest of those compared",
    "above": "is not above", "below": "is not below", "equal": "is not equal to",
    "differs": "is not shown to differ from", "rises": "does not rise", "falls": "does not fall",
}  # fmt: skip


def _range(claim: Claim, reader: _Reader) -> Told:
    if claim.left and claim.right:
        low, high = reader.number(claim.left, "`left`"), reader.number(claim.right, "`right`")
        ends = [_place(p, "an end")[1].rpartition("/") for p in (claim.left, claim.right)]
        if ends[0][0] != ends[1][0] or (ends[0][2], ends[1][2]) not in RANGES:
            raise RefusedError("`left` and `right` must be the two ends of one range")
        what = low.name.rpartition(", ")[0] or low.name
        text = f"{what} from {measured(low)} to {measured(high)}"
    else:
        members = sorted(reader.several(claim), key=lambda f: float(f.value))
        low, high = members[0], members[-1]
        text = (
            f"{low.name} from {measured(low)} ({owner_of(low)}) to {measured(high)} "
            f"({owner_of(high)}), over {len(members)}"
        )
        return Told(text, tuple(r for r in reader.read if r[2] in (low, high)))
    owner = owner_of(low)
    return Told(text + (f" ({owner})" if owner else ""), tuple(reader.read))


def _between(claim: Claim, reader: _Reader) -> Told:
    left = reader.number(claim.left, "`left`")
    if len(claim.members) != 2:
        raise RefusedError("`members` must be the two ends")
    low, high = (reader.number(place, "an end") for place in claim.members)
    a, b = _in_base(left, low)
    _, c = _in_base(left, high)
    if not b <= a <= c:
        raise DoesNotHoldError(f"{measured(left)} is not between {measured(low)}, {measured(high)}")
    text = f"{in_full(left)} lies between {in_full(low)} and {in_full(high)}"
    return Told(text, tuple(reader.read))


def _count(claim: Claim, reader: _Reader) -> Told:
    left = reader.one(claim.left, "`left`")
    if not isinstance(left.value, list):
        raise RefusedError("only a list is counted")
    name, path = _place(claim.left, "`left`")
    told = reader.sources.found[name].content.get(f"n_{keys_of(path)[-1]}")
    listed = "" if not isinstance(told, int) or told <= len(left.value) else " listed"
    return Told(f"{left.name}: {len(left.value)}{listed}", tuple(reader.read))


_TELL: Mapping[str, Callable[[Claim, _Reader], Told]] = {
    "most": _extreme, "least": _extreme, "above": _order, "below": _order, "equal": _order,
    "differs": _differ, "same": _differ, "rises": _trend, "falls": _trend, "found": _found,
    "none": _found, "is": _yes, "not": _not, "range": _range, "between": _between,
    "count": _count,
}  # fmt: skip
