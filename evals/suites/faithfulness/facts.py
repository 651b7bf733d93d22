"""What a run's results hold, as material for narrations: values, rows and verdicts by path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tool_use_om.agent.verify.facts import Fact, NoFactError, Sources
from tool_use_om.agent.verify.form import reference
from tool_use_om.data.values import Json

_DEEPEST = 5
_MOST = 400


@dataclass(frozen=True)
class Place:
    """A fact and where it stands."""

    source: str
    path: str
    fact: Fact

    @property
    def ref(self) -> str:
        """The reference as an answer writes it."""
        return reference(self.source, self.path)

    @property
    def at(self) -> str:
        """The path as a claim writes it."""
        return f"{self.source}#{self.path}"


@dataclass(frozen=True)
class Material:
    """The facts of one run, sorted by what can be said with them.

    Attributes
    ----------
    values : numbers
    names : names out of the data
    verdicts : what a tool says is so, or not
    lists : the lists of results, with how long they are
    cut : (result, path) of lists that a result shows in part, so that nothing holds over all
    """

    values: tuple[Place, ...]
    names: tuple[Place, ...]
    verdicts: tuple[Place, ...]
    lists: tuple[Place, ...]
    cut: frozenset[tuple[str, str]] = frozenset()

    def rows(self) -> list[list[Place]]:
        """Return the values that stand side by side in the rows of one list, in one unit."""
        groups: dict[tuple[str, str], list[Place]] = {}
        for place in self.values:
            before, star = _starred(place.path)
            if star:
                groups.setdefault((place.source, before), []).append(place)
        return [
            g for g in groups.values()
            if len({p.fact.owner for p in g}) == len(g) > 1
            and len({(p.fact.unit, p.fact.name) for p in g}) == 1
        ]  # fmt: skip

    def name_of(self, place: Place) -> Place | None:
        """Return the name beside a value that owns it."""
        row = place.path.rpartition("/")[0]
        owners = {name for _, name in place.fact.owner}
        beside = (n for n in self.names if n.source == place.source)
        return next(
            (n for n in beside if n.path.rpartition("/")[0] == row and n.fact.value in owners), None
        )


def material(sources: Sources) -> Material:
    """Return what may be said of the results."""
    places = [p for name in sources.found for p in _walk(sources, name)][:_MOST]
    cut = {
        (name, f"/{key[2:]}")
        for name, source in sources.found.items()
        for key, n in source.content.items()
        if key.startswith("n_")
        and isinstance(n, int)
        and isinstance(shown := source.content.get(key[2:]), list)
        and n > len(shown)
    }
    return Material(
        tuple(p for p in places if p.fact.is_number),
        tuple(p for p in places if isinstance(p.fact.value, str)),
        tuple(p for p in places if isinstance(p.fact.value, bool)),
        tuple(p for p in places if isinstance(p.fact.value, list)),
        frozenset(cut),
    )


def starred(place: Place) -> str:
    """Return the path over all rows of the list a value stands in: r2#/rows/*/value."""
    return f"{place.source}#{_starred(place.path)[0]}"


def _starred(path: str) -> tuple[str, bool]:
    keys = path.split("/")
    at = next((i for i, k in enumerate(keys) if k.isdecimal()), None)
    if at is None or sum(k.isdecimal() for k in keys) > 1:
        return path, False
    return "/".join([*keys[:at], "*", *keys[at + 1 :]]), True


def _walk(sources: Sources, name: str) -> Iterator[Place]:
    for path in _paths(sources.found[name].content, "", 0):
        try:
            yield Place(name, path, sources.fact(name, path))
        except NoFactError:
            continue


def _paths(value: Json, path: str, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if path and not isinstance(value, Mapping):
        yield path
    if isinstance(value, Mapping):
        for key, inner in value.items():
            escaped = str(key).replace("~", "~0").replace("/", "~1")
            yield from _paths(inner, f"{path}/{escaped}", depth + 1)
    elif isinstance(value, list):
        for i, inner in enumerate(value[:6]):
            yield from _paths(inner, f"{path}/{i}", depth + 1)
