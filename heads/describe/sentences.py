"""Words for facts: several forms a kind, numbers at two digits, nothing that is not in the fact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tool_use_om.heads.describe.facts import VALUES, Fact, Kind

DAY_S = 86_400.0
_NEAR_DAY = 0.03
_TIMES = ((1.0, 120.0, "s"), (60.0, 7200.0, "min"), (3600.0, 172_800.0, "h"), (DAY_S, np.inf, "d"))

# the first form of each kind is the plain one, which answers use
FORMS: Mapping[Kind, tuple[str, ...]] = {
    "steady": (
        "{channel} stays near {level}.",
        "{channel} holds steady around {level}.",
        "There is little change in {channel}: it stays at about {level}.",
        "{channel} is stable, near {level} throughout.",
    ),
    "varies": (
        "{channel} varies between {low} and {high}.",
        "{channel} wanders between {low} and {high}.",
        "There is no clear pattern in {channel}: it varies between {low} and {high}.",
        "Without a pattern, {channel} is anywhere between {low} and {high}.",
    ),
    "rise": (
        "{channel} rises from {first} to {last}.",
        "{channel} climbs from {first} up to {last}.",
        "There is an upward trend in {channel}, from {first} to {last}.",
        "{channel} increases steadily, from {first} at the start to {last} at the end.",
    ),
    "fall": (
        "{channel} falls from {first} to {last}.",
        "{channel} declines from {first} down to {last}.",
        "There is a downward trend in {channel}, from {first} to {last}.",
        "{channel} decreases steadily, from {first} at the start to {last} at the end.",
    ),
    "leak": (
        "{channel} grows from {first} to {last} and never gives anything back.",
        "{channel} leaks: it goes from {first} to {last} in small steps.",
        "There is a leak in {channel}, from {first} to {last}.",
        "Step by step {channel} takes more and releases nothing, from {first} to {last}.",
    ),
    "spike": (
        "{channel} has {n} spikes, the highest of {top} at {at_s}.",
        "{channel} spikes {n} times, up to {top} at {at_s}.",
        "There are {n} short bursts in {channel}; the largest reaches {top} at {at_s}.",
        "{n} bursts stand out in {channel}, the greatest of {top} at {at_s}.",
    ),
    "dip": (
        "{channel} has {n} dips, the lowest of {top} at {at_s}.",
        "{channel} dips {n} times, down to {top} at {at_s}.",
        "There are {n} short dips in {channel}; the deepest reaches {top} at {at_s}.",
        "{n} dips stand out in {channel}, the deepest of {top} at {at_s}.",
    ),
    "plateau": (
        "{channel} is on a plateau of {level} from {start_s} to {end_s}.",
        "From {start_s} to {end_s} {channel} sits on a plateau of {level}.",
        "There is a plateau in {channel}: {level} from {start_s} to {end_s}.",
        "{channel} goes up to a plateau of {level} at {start_s} and leaves it at {end_s}.",
    ),
    "saw": (
        "{channel} builds up from {low} to {high} and drops at once, every {period_s}.",
        "{channel} follows a saw-tooth between {low} and {high}, every {period_s}.",
        "There is a saw-tooth in {channel}, every {period_s}, between {low} and {high}.",
        "Every {period_s} {channel} builds up from {low} to {high} and drops at once.",
    ),
    "cycle": (
        "{channel} swings between {low} and {high} every {period_s}.",
        "{channel} has a cycle of {period_s}, between {low} and {high}.",
        "There is a cycle in {channel}: every {period_s} it goes between {low} and {high}.",
        "Every {period_s} {channel} repeats, between {low} and {high}.",
    ),
    "saturated": (
        "{channel} is at its limit of {limit} for {share_frac} of the time.",
        "For {share_frac} of the time {channel} is at its limit of {limit}.",
        "{channel} is saturated: at {limit} for {share_frac} of the time.",
        "There is saturation in {channel}, at {limit} for {share_frac} of the time.",
    ),
}  # fmt: skip
_ONCE: Mapping[Kind, tuple[str, ...]] = {
    "spike": (
        "{channel} has one spike, of {top} at {at_s}.",
        "{channel} spikes once, up to {top} at {at_s}.",
        "There is one short burst in {channel}, which reaches {top} at {at_s}.",
        "One burst stands out in {channel}, of {top} at {at_s}.",
    ),
    "dip": (
        "{channel} has one dip, to {top} at {at_s}.",
        "{channel} dips once, down to {top} at {at_s}.",
        "There is one short dip in {channel}, which reaches {top} at {at_s}.",
        "One dip stands out in {channel}, to {top} at {at_s}.",
    ),
}


def forms_of(kind: str, n: float | None = None) -> tuple[str, ...]:
    """Return the templates of a kind; their places are the names of `facts.VALUES` and channel."""
    meant: Kind = next(k for k in FORMS if k == kind)
    return _ONCE[meant] if n == 1 and meant in _ONCE else FORMS[meant]


def every_form(channels: Sequence[str]) -> list[str]:
    """Return every form of every kind for some channels, with numbers of all sizes and units."""
    texts = []
    for kind in FORMS:
        for n in (1.0, 2.0):
            for form in range(len(forms_of(kind, n))):
                for channel in channels:
                    for unit, seconds, size in _SIZES:
                        values = {k: seconds if k[-2:] == "_s" else size for k in VALUES[kind]}
                        values |= {k: v for k, v in (("n", n), ("share_frac", 0.5)) if k in values}
                        fact = Fact(kind=kind, channel=channel, unit=unit, values=values)
                        texts.append(sentence(fact, form))
    return texts


_SIZES = (("%", 45.0, 12.0), ("GB", 700.0, 0.5), ("MB/s", 9000.0, 340.0), ("GB", 300_000.0, 5.5))


class TextDescriptionGenerator:
    """Turns facts into text; each draws its form at random from all there are.

    Parameters
    ----------
    seed : int, of the choice of forms
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def text(self, facts: Sequence[Fact], number: int = 0) -> str:
        """Return one sentence a fact, in their order; `number` is which text of the corpus."""
        rng = np.random.default_rng([self.seed, number])
        said = []
        for fact in facts:
            forms = forms_of(fact.kind, fact.values.get("n"))
            said.append(sentence(fact, int(rng.integers(len(forms)))))
        return " ".join(said)


def sentence(fact: Fact, form: int = 0) -> str:
    """Return a fact in one of its forms, the plain one by default."""
    template = forms_of(fact.kind, fact.values.get("n"))[form]
    shown = {name: told(name, value, fact.unit) for name, value in fact.values.items()}
    text = template.format(channel=fact.channel, **shown)
    text = text.removesuffix("..") + "." if text.endswith("..") else text  # "a.u." at the end
    return text[0].upper() + text[1:] if template[0] != "{" else text


def told(name: str, value: float, unit: str) -> str:
    """Return a value at two digits with its unit, as its name says what it is."""
    if name == "n":
        return f"{value:.0f}"
    if name == "share_frac":
        return f"{round(100 * value):d} %"
    if name.endswith("_s"):
        return duration(value)
    return f"{two_digits(value)} {unit}".removesuffix(" 1")


def duration(seconds: float) -> str:
    """Return seconds in the unit people would use, at two digits."""
    size, _, unit = next(row for row in _TIMES if abs(seconds) < row[1])
    return f"{two_digits(seconds / size)} {unit}"


def two_digits(value: float) -> str:
    """Return a number rounded to two significant digits, written without an exponent."""
    if value == 0 or not np.isfinite(value):
        return "0"
    places = 1 - int(np.floor(np.log10(abs(value))))
    return f"{round(value, places):.{max(places, 0)}f}"
