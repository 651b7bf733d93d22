"""The seam between answers and results: what stands at a path, in which unit, and whose it is.

Only results of successful calls of this run are sources. Everything an answer says goes through
`Sources.fact`: the value, its unit, its name and its owner come from the result, never from the
model that refers to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from tool_use_om.agent.verify.asked import echoes, names_of_card, texts_of
from tool_use_om.agent.verify.owners import owner_of
from tool_use_om.agent.verify.spelling import (
    COUNTS,
    HIDDEN,
    NAMES,
    PER,
    is_share,
    name_of,
    owner_by_keys,
    texts_under,
)
from tool_use_om.data.units import unit_of_key
from tool_use_om.data.values import Json
from tool_use_om.tools.call.content import Slot, Step, fit, steps_to, texts_in, with_unit
from tool_use_om.tools.results import result_model

_PLAIN_NAMES = {
    "mae": "mean absolute error (MAE)", "mase": "scaled error (MASE)", "std": "standard deviation",
    "crps": "interval error (CRPS)", "rms": "root mean square", "p_value": "p-value",
    "max": "maximum", "min": "minimum", "lower": "lower end", "upper": "upper end",
    "macro_f1": "macro-F", "rmse": "root mean square error (RMSE)",
}  # fmt: skip


_DATES = {"from": "first date", "to": "last date"}


@dataclass(frozen=True)
class Fact:
    """What a result says at one path.

    Attributes
    ----------
    value : a number, a name, a verdict (bool), or a list
    unit : as the result writes it, None for a plain number
    name : what it is, in words: "accuracy, lower end"
    owner : whose it is, as (kind, name) pairs: (("channel", "gyroscope.y"), ("label", "walking"))
    words : the words that may be said of it: those of its name, its path and its owner's kinds
    share : a number from nought to one that is shown as a percentage
    in_list : it stands in a row of several, so that its name alone says nothing about it
    named : of a text, what it is the name of; "" = a remark
    place : the result's name and the path there
    whole : how many a list has in all, where the result shows some of them only
    """

    value: Any
    unit: str | None
    name: str
    owner: tuple[tuple[str, str], ...] = ()
    words: frozenset[str] = frozenset()
    share: bool = False
    in_list: bool = False
    named: str = ""
    place: tuple[str, str] = ("", "")
    whole: int | None = None

    @property
    def row(self) -> tuple[str, str]:
        """The result and the path of the row that it stands in."""
        return self.place[0], self.place[1].rpartition("/")[0]

    @property
    def is_number(self) -> bool:
        """Whether the value is a number; a verdict is none."""
        return isinstance(self.value, int | float) and not isinstance(self.value, bool)


@dataclass(frozen=True)
class Source:
    """A successful call's result as answers may refer to it; `name` is "r1", "r2" and so on."""

    name: str
    result_id: str | None
    tool: str
    args: Mapping[str, Any]
    content: Mapping[str, Any]
    time: tuple[tuple[str, str], ...] = ()  # the stretch of time that an earlier call chose


class NoFactError(LookupError):
    """A path that leads to nothing an answer may say; the text says why."""


def is_source(result: Mapping[str, Any]) -> bool:
    """Tell whether a call of the interpret prompt succeeded, so that it may be referred to."""
    content = result.get("content")
    return isinstance(content, Mapping) and "error" not in content and bool(content)


@dataclass(frozen=True)
class Sources:
    """The results an answer may refer to, by name, and the names that are known in the data."""

    found: Mapping[str, Source] = field(default_factory=dict)
    known: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, results: Sequence[Mapping[str, Any]], cards: Sequence[Mapping[str, Any]] = ()
    ) -> Sources:
        """Name the results of successful calls in their order.

        Parameters
        ----------
        results : as `nodes.results_of` gives them
        cards : the data sets offered; their names may be referred to though a call echoes them
        """
        found: dict[str, Source] = {}
        time: tuple[tuple[str, str], ...] = ()
        for result in filter(is_source, results):
            name = f"r{len(found) + 1}"
            args, content = dict(result.get("args") or {}), result["content"]
            if result.get("tool") == "filter_by_time":
                time = _chosen(args, content)
            found[name] = Source(
                name, result.get("result_id"), str(result.get("tool")), args, content, time
            )
        known = {text for card in cards for text in names_of_card(card)}
        return cls(found, frozenset(known))

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name of a session, channel, label, head … in cards and results, folded."""
        kinds = {"channel", "session", "label", "subject", "data set", "group"}
        found = {
            text.casefold()
            for source in self.found.values()
            for kind, text in _texts_of(source)
            if kind in kinds
        }
        return frozenset(found | {text.casefold() for text in self.known})

    @cached_property
    def several_sets(self) -> bool:
        """Whether results are about more than one data set, so that a number must say which."""
        sets = {str(s.content["dataset"]) for s in self.found.values() if "dataset" in s.content}
        return len(sets) > 1

    def fact(self, name: str, path: str) -> Fact:
        """Return what stands at a JSON pointer of a result.

        Raises
        ------
        NoFactError : no such result or path, or what no answer may say: a call's own arguments,
            free text, what depends on the machine
        """
        source = self.found.get(name)
        if source is None:
            known = ", ".join(self.found) or "no call succeeded"
            raise NoFactError(f"{name[:20]!r} is no result of this run ({known})")
        keys = keys_of(path)
        if not keys or keys[0] in HIDDEN:
            raise NoFactError(f"{path[:60]!r} is not what a result found")
        found = _listed(source, keys) if "*" in keys else fact(source, path)
        if (
            isinstance(found.value, list)
            and keys == ["labels"]
            and "sessions" not in source.content
        ):
            raise NoFactError("these are only what the result was limited to")
        self._refuse_text(source, found)
        if echoes(source.args, keys, found.value):
            raise NoFactError(f"{path[:60]!r} only echoes what the call was asked")
        for kind, said in found.owner:
            if kind != "time":
                self._refuse_echo(source, said)
        owner = (*found.owner, *(source.time if source.tool == "show_channel_stats" else ()))
        if self.several_sets and "dataset" in source.content:
            owner = (*owner, ("data set", str(source.content["dataset"])))
        return replace(found, owner=owner, place=(name, path))

    def _refuse_text(self, source: Source, found: Fact) -> None:
        if found.value is None:
            raise NoFactError("there is no value there")
        texts = found.value if isinstance(found.value, list) else [found.value]
        texts = [text for text in texts if isinstance(text, str)]
        if texts and not found.named:
            raise NoFactError("the text there is a remark, not something a tool measured")
        for text in texts:
            self._refuse_echo(source, text)

    def _refuse_echo(self, source: Source, name: str) -> None:
        """Refuse a name that only the call itself brought up; the data's own names are fine."""
        if name in self.known or name not in set(texts_of(source.args)):
            return
        if name.casefold() not in self._elsewhere(source):
            raise NoFactError("the name there only echoes what the call was asked")

    def _elsewhere(self, source: Source) -> set[str]:
        """Return the names that other results give, which a call cannot have made up."""
        others = (s for s in self.found.values() if s is not source)
        return {text.casefold() for s in others for _, text in _texts_of(s)}


def fact(source: Source, path: str) -> Fact:
    """Return what a result says at a JSON pointer: value, unit, name and owner.

    Raises
    ------
    NoFactError : the path leads nowhere
    """
    try:
        value, unit = fact_at(source.content, path)
    except LookupError as error:
        raise NoFactError(str(error)) from error
    keys = keys_of(path)
    steps = _steps(source.tool, source.content, path)
    found = _spelt(source, keys, unit) if steps is None else _typed(source, steps)
    name = _name(source.content, keys)
    words = {w for text in (name, *keys) for w in _split(text)} | {
        w for kind, _ in found.owner for w in _split(kind)
    }
    number = isinstance(value, int | float) and not isinstance(value, bool)
    share = found.share and number and -1 <= value <= 1
    in_list = any(k.isdecimal() for k in keys)
    whole = _whole(source, keys, value)
    return replace(
        found, value=value, name=name, words=frozenset(words), share=share, in_list=in_list,
        whole=whole,
    )  # fmt: skip


def _whole(source: Source, keys: Sequence[str], rows: object) -> int | None:
    told = source.content.get(f"n_{keys[-1]}") if keys and isinstance(rows, list) else None
    return told if isinstance(told, int) and told > len(rows) else None  # type: ignore[arg-type]


def _listed(source: Source, keys: Sequence[str]) -> Fact:
    """Return the names that a path with one ``*`` gives, all rows of a list together.

    Raises
    ------
    NoFactError : it leads to no list, or to what is no name
    """
    at = keys.index("*")
    before, behind = (
        "".join(f"/{escaped(k)}" for k in part) for part in (keys[:at], keys[at + 1 :])
    )
    rows = fact(source, before).value if before else source.content
    if not isinstance(rows, list) or not rows or "*" in keys[at + 1 :]:
        raise NoFactError("one `*` stands for the rows of a list")
    found = [fact(source, f"{before}/{i}{behind}") for i in range(len(rows))]
    if not all(isinstance(one.value, str) for one in found):
        raise NoFactError("`*` lists names; for numbers write a claim over them")
    name = _name(source.content, keys[:at])
    return Fact(
        [one.value for one in found], None, name, words=frozenset(_split(name)),
        named=found[0].named, whole=_whole(source, keys[:at], rows),
    )  # fmt: skip


def unit_in(tool: str, content: Mapping[str, Any], pointer: str) -> str | None:
    """Return the unit that a value of a tool's result stands in; None for a plain one.

    Raises
    ------
    LookupError : the pointer leads nowhere
    """
    unit = fact_at(content, pointer)[1]
    steps = _steps(tool, content, pointer)
    return unit if steps is None else _unit_of(steps[-1])


def _steps(tool: str, content: Mapping[str, Any], pointer: str) -> list[Step] | None:
    model = result_model(tool, content)
    return None if model is None else steps_to(model, pointer, content)


def _unit_of(step_: Step) -> str | None:
    meaning = with_unit(step_.slot.meaning, step_.held)
    return None if meaning is None else meaning.unit


def _typed(source: Source, steps: Sequence[Step]) -> Fact:
    """Return what a result's type says of a value."""
    slot = steps[-1].slot
    meaning = slot.meaning or (fit(slot.kind, []).below("0", "") or slot).meaning
    named = meaning.of if meaning and meaning.kind == "name" else ""
    share = slot.meaning is not None and slot.meaning.kind == "share"
    owner = owner_of(source.content, steps)
    return Fact(None, _unit_of(steps[-1]), "", owner, share=share, named=named)


def _spelt(source: Source, keys: Sequence[str], unit: str | None) -> Fact:
    """Return what the keys of a result without a model say of a value."""
    owner = owner_by_keys(source.content, keys)
    return Fact(None, unit, "", owner, share=is_share(keys, unit), named=name_of(keys))


def _texts_of(source: Source) -> Iterator[tuple[str, str]]:
    """Yield every text of a result with what it is the name of, "" for what is no name."""
    model = result_model(source.tool, source.content)
    if model is None:
        yield from ((NAMES.get(key, ""), text) for key, text in texts_under(source.content))
        return
    for meaning, text in texts_in(Slot(model), source.content):
        yield (meaning.of if meaning and meaning.kind == "name" else ""), text


def fact_at(content: Json, pointer: str) -> tuple[Any, str | None]:
    """Return the value a JSON pointer names and the unit it stands in (None: a plain value).

    Raises
    ------
    LookupError : the pointer leads nowhere
    """
    if pointer and not pointer.startswith("/"):
        raise LookupError(f"a pointer starts with '/', got {pointer[:60]!r}")
    value, unit = content, None
    for key in keys_of(pointer):
        unit = _unit_below(value, key, unit)
        value = step(value, key)
    return value, unit


def keys_of(pointer: str) -> list[str]:
    """Return the keys of a JSON pointer (RFC 6901), unescaped."""
    return [raw.replace("~1", "/").replace("~0", "~") for raw in pointer.split("/")[1:]]


def escaped(key: str) -> str:
    """Return a key as a JSON pointer holds it (RFC 6901)."""
    return str(key).replace("~", "~0").replace("/", "~1")


def step(value: Json, key: str) -> Json:
    """Return what stands under a key or an index; LookupError if nothing does."""
    if isinstance(value, Mapping) and key in value:
        return value[key]
    index = int(key) if len(key) < 10 and key.isascii() and key.isdigit() else -1
    if isinstance(value, list | tuple) and 0 <= index < len(value):
        return value[index]
    raise LookupError(f"there is no {key[:40]!r}")


def rounds_to(shown: float, decimals: int, value: float) -> bool:
    """Tell whether `value` rounded to `decimals` digits is `shown`, at most a tenth away."""
    away = abs(shown - value)
    near = away <= 0.5 * 10.0**-decimals * (1 + 1e-9) + 1e-12
    return near and (away <= 0.1 * abs(value) or away <= 1e-9)


def _unit_below(parent: Json, key: str, inherited: str | None) -> str | None:
    if not isinstance(parent, Mapping):
        return inherited
    if key in COUNTS or key.startswith("n_"):
        return None
    if own := unit_of_key(key):
        return own
    beside = parent.get("unit")
    return beside if isinstance(beside, str) else inherited


def _chosen(args: Mapping[str, Any], content: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return what a filter has narrowed the data to: the stretch of time, the calendar, whom."""
    found = []
    if {"start_s", "end_s"} & args.keys():
        found.append(("time", f"{content.get('start_s')} s to {content.get('end_s')} s"))
    for key, given in args.items():
        if key in {"start_s", "end_s", "dataset", "labels"} or given in (None, []):
            continue
        listed = ", ".join(map(str, given)) if isinstance(given, list) else str(given)
        found.append(("time", f"{key.replace('_', ' ')} {listed}"))
    return tuple(found)


def _name(content: Mapping[str, Any], keys: Sequence[str]) -> str:
    """Return what a value is called: the words of its path, without places and identities."""
    parts: list[str] = []
    for depth, key in enumerate(keys):
        if key.isdecimal() or (depth and keys[depth - 1] in PER):
            continue
        last = depth == len(keys) - 1
        if keys == ["length_s"] or (keys[0] == "dates" and key in _DATES):
            parts = [_DATES.get(key, "pattern length")]  # of what a search looks for, no session's
            continue
        if key in {"rows", "metrics"} and not last:
            continue
        if key == "value" and last:
            statistic = content.get("statistic")
            if isinstance(statistic, str) and keys[0] == "rows":
                parts.append(_PLAIN_NAMES.get(statistic, statistic))
            continue
        if key in {"highest", "lowest"} and isinstance(statistic := content.get("statistic"), str):
            parts.append(f"{key} {_PLAIN_NAMES.get(statistic, statistic)}")
            continue
        parts.append(_in_words(key, last=last))
    return ", ".join(parts) or "value"


def _in_words(key: str, *, last: bool) -> str:
    if key in _PLAIN_NAMES:
        return _PLAIN_NAMES[key]
    if key.startswith("n_"):
        return "number of " + key[2:].replace("_", " ")
    for end in ("_s", "_hz", "_frac", "_pct", "_ms", "_mb"):
        key = key.removesuffix(end)
    if key == "n":
        return "number"
    spaced = key.replace("_", " ")
    return spaced if last or not spaced.endswith("s") or spaced.endswith("ss") else spaced[:-1]


def _split(text: str) -> list[str]:
    bare = "".join(c if c.isalpha() else " " for c in text.casefold())
    return bare.split()
