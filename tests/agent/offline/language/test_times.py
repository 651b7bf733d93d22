"""Numbers, durations and times: however written, the same seconds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_use_om.agent.offline.language.grammar import Node, rewrite
from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.language.parse import parse
from tool_use_om.agent.offline.language.tags import tag
from tool_use_om.agent.offline.language.times import NUMBERS, TIMES, Duration, Span

ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def in_words(number: int) -> str:
    """Write 1 to 999 in words."""
    if number >= 100:
        rest = f" and {in_words(number % 100)}" if number % 100 else ""
        return f"{ONES[number // 100]} hundred{rest}"
    if number < 20:
        return ONES[number]
    return TENS[number // 10] + (f"-{ONES[number % 10]}" if number % 10 else "")


def nodes_of(text: str) -> list[Node]:
    return rewrite(tag(text, Names()), (*NUMBERS, *TIMES))


def seconds_of(text: str) -> float:
    (duration,) = (n.value for n in nodes_of(text) if n.tag == "DUR")
    assert isinstance(duration, Duration)
    return duration.seconds


def span_of(text: str) -> Span:
    (span,) = (n.value for n in nodes_of(text) if n.tag == "RANGE")
    assert isinstance(span, Span)
    return span


@given(st.integers(1, 999), st.sampled_from([("seconds", 1), ("minutes", 60), ("hours", 3600)]))
def test_durations_in_words_and_digits_agree(number: int, unit: tuple[str, int]) -> None:
    """A count written in words and in digits gives the same seconds."""
    name, factor = unit
    assert seconds_of(f"{in_words(number)} {name}") == number * factor
    assert seconds_of(f"{number} {name}") == number * factor


@given(st.integers(0, 59), st.integers(1, 59))
def test_durations_in_parts_add_up(minutes: int, seconds: int) -> None:
    """Minutes and seconds said together add, in every common spelling."""
    total = minutes * 60 + seconds
    if minutes:
        for text in (
            f"{minutes}m{seconds}s",
            f"{minutes} min {seconds} s",
            f"{minutes} minutes and {seconds} seconds",
        ):
            assert seconds_of(text) == total
    assert span_of(f"from 0 s to {minutes}:{seconds:02d}") == Span(0.0, total)


@given(st.integers(0, 500), st.integers(1, 500))
def test_ranges_read_the_same_however_written(start: int, length: int) -> None:
    """All ways to write a stretch give the same ends."""
    end = start + length
    for text in (
        f"between {start} and {end} s",
        f"from {start}s to {end}s",
        f"seconds {start} to {end}",
        f"seconds {start}-{end}",
        f"{start} to {end} seconds",
        f"{start}–{end} s",
        f"from second {start} until second {end}",
    ):
        assert span_of(text) == Span(float(start), float(end)), text


@given(st.floats(0.01, 5000, allow_nan=False).map(lambda x: round(x, 3)))
def test_durations_keep_their_decimals(value: float) -> None:
    """Decimals survive."""
    assert seconds_of(f"{value} s") == pytest.approx(value)
    assert seconds_of(f"{value} ms") == pytest.approx(value / 1000)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("half a minute", 30),
        ("half an hour", 1800),
        ("a quarter of an hour", 900),
        ("three quarters of an hour", 2700),
        ("a minute and a half", 90),
        ("one and a half minutes", 90),
        ("two and a half minutes", 150),
        ("a couple of minutes", 120),
        ("a five-second", 5),
        ("an hour", 3600),
        ("1h30min", 5400),
        ("1,000 ms", 1),
    ],
)
def test_durations_understand_idiom(text: str, seconds: float) -> None:
    """Fractions and idioms are read as people mean them."""
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("the first two minutes", Span(0, 120)),
        ("the first minute", Span(0, 60)),
        ("the last 10 s", Span(10, None, tail=True)),
        ("the second minute", Span(60, 120)),
        ("after the first minute", Span(60, None)),
        ("after 30 s", Span(30, None)),
        ("until 8 s", Span(None, 8)),
        ("1:30 to 2:00", Span(90, 120)),
        ("between a minute and a half and two minutes", Span(90, 120)),
        ("between 3 and 5 min", Span(180, 300)),
        ("between 500 ms and 2 s", Span(0.5, 2)),
    ],
)
def test_stretches_understand_idiom(text: str, span: Span) -> None:
    """Stretches of a session, with open ends and counted from the end."""
    assert span_of(text) == span


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("longer than 30 seconds", 30, None),
        ("at least half a minute", 30, None),
        ("over 30 s", 30, None),
        ("no shorter than 30 s", 30, None),
        ("30 s or longer", 30, None),
        ("shorter than two minutes", None, 120),
        ("at most 20 s", None, 20),
        ("no more than 20 s", None, 20),
        ("not longer than 20 s", None, 20),
        ("longer than 5 s but shorter than 20 s", 5, 20),
        ("between 5 and 20 seconds long", 5, 20),
        (">= 5 s", 5, None),
        ("< 5 s", None, 5),
    ],
)
def test_limits_understand_comparisons(text: str, low: float | None, high: float | None) -> None:
    """Comparisons, negated ones too, become limits on durations."""
    (ask,) = parse(f"How many sessions are {text}?").asks
    assert (ask.min_s, ask.max_s) == (low, high)


@pytest.mark.parametrize(
    "text",
    [
        "Predict the next 30 seconds",
        "Forecast half a minute ahead",
        "predict the next thirty seconds",
        "Predict 30 s",
        "forecast the following 0.5 min",
    ],
)
def test_horizons_read_the_same_however_written(text: str) -> None:
    """All ways to say how far ahead give the same horizon."""
    (ask,) = parse(text).asks
    assert (ask.kind, ask.horizon_s) == ("forecast", 30)


@pytest.mark.parametrize("text", ["the next -5 seconds", "the next -5 s"])
def test_horizons_keep_their_sign(text: str) -> None:
    """A minus right before the number is its sign, so that a horizon in the past is refused."""
    (ask,) = parse(f"Predict {text}").asks
    assert (ask.kind, ask.horizon_s) == ("forecast", -5)
