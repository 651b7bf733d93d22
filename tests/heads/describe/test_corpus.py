"""The corpus tells the truth: every text read back gives the facts that were planted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from tool_use_om.heads.describe.facts import VALUES, Fact, facts_of
from tool_use_om.heads.describe.rereading import contradictions, read_back, same
from tool_use_om.heads.describe.resources import PATTERNS, ResourceCurveSynthesizer
from tool_use_om.heads.describe.sentences import FORMS, forms_of, sentence
from tool_use_om.heads.describe.tasks import Tasks, ahead

VALUED = {
    "level": 41.3, "low": 12.4, "high": 88.0, "first": 20.7, "last": 64.2, "n": 3.0, "top": 91.0,
    "at_s": 4520.0, "start_s": 600.0, "end_s": 7500.0, "period_s": 5400.0, "limit": 100.0,
    "share_frac": 0.34,
}  # fmt: skip
FALLING = {"first": 64.2, "last": 20.7}


def fact(kind: str, **other: float) -> Fact:
    """Return a fact of a kind whose numbers fit it."""
    values = {name: VALUED[name] for name in VALUES[kind]}
    values |= FALLING if kind == "fall" else {}
    return Fact(kind=kind, channel="cpu", unit="%", values=values | other)


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("n", [1.0, 3.0])
def test_every_form_of_a_kind_is_read_back_as_its_fact(kind: str, n: float) -> None:
    """No form says less, more or something else than its fact."""
    planted = fact(kind, n=n) if "n" in VALUES[kind] else fact(kind)
    for form in range(len(forms_of(kind, n))):
        text = sentence(planted, form)
        (found,) = read_back(text, {"cpu": "%", "memory": "GB"})
        assert found is not None, text
        assert same(found, planted), text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("cpu falls from 21 % to 64 %.", "the words fall, the numbers rise"),
        ("memory rises from 21 % to 64 %.", "another channel"),
        ("cpu rises from 21 % to 74 %.", "another number"),
        ("cpu rises.", "no numbers"),
        ("cpu rises and falls from 21 % to 64 %.", "both ways"),
        ("All is well.", "nothing"),
        ("", "nothing at all"),
    ],
)
def test_a_text_against_its_truth_is_a_contradiction(text: str, why: str) -> None:
    """The check itself can fail."""
    assert contradictions(text, [fact("rise")], {"cpu": "%", "memory": "GB"}), why


def test_no_text_of_the_corpus_contradicts_its_truth() -> None:
    """Descriptions are made of what was planted and of nothing else."""
    tasks = Tasks(11)
    for number in range(400):
        sample = tasks.sample(number, "A")
        units = {c.channel: c.unit for c in sample.curves.curves}
        assert not contradictions(sample.answer, sample.facts, units)


@pytest.mark.parametrize("kind", [k for k in PATTERNS if k not in ("leak", "saturated")])
def test_what_was_planted_is_found_by_measuring(kind: str) -> None:
    """The facts that a real signal is described by are right where the truth is known."""
    made = ResourceCurveSynthesizer(5)
    right = 0
    for number in range(20):
        curves = made.draw_pattern(number, "disk", kind)
        curve = curves.curves[0]
        found = facts_of(curves.time_s, curve.values, "disk", "MB/s", limit=curve.limit)
        right += kind in [f.kind for f in found]
    assert right >= 18


def test_a_fact_is_measured_in_seconds_and_in_the_units_of_the_channel() -> None:
    """A plateau of 7 V from 30 s to 60 s is told as that, not in samples."""
    time_s = np.arange(0, 100, 0.5)
    values = np.where((time_s >= 30) & (time_s <= 60), 7.0, 1.0)
    (found,) = facts_of(time_s, values, "v", "V")
    assert found.kind == "plateau"
    assert found.values == {"level": 7.0, "start_s": 30.0, "end_s": 60.0}


def test_noise_is_no_plateau() -> None:
    """What wanders less than it is noisy has no level of its own."""
    rng = np.random.default_rng(0)
    time_s = np.arange(100) / 10
    plateaus = 0
    for _ in range(40):
        found = facts_of(time_s, rng.normal(size=100) * 5, "v", "V")
        plateaus += "plateau" in [f.kind for f in found]
    assert plateaus <= 1


def test_a_unit_with_dots_ends_no_sentence() -> None:
    """Arbitrary units are written a.u., also at the end."""
    told = [
        Fact(kind="varies", channel="x", unit="a.u.", values={"low": 1.0, "high": 3.0}),
        Fact(kind="steady", channel="x", unit="a.u.", values={"level": 2.0}),
    ]
    text = " ".join(sentence(f) for f in told)
    assert text == "x varies between 1.0 a.u. and 3.0 a.u. x stays near 2.0 a.u."
    (found,) = read_back(sentence(told[0]), {"x": "a.u."})
    assert found is not None
    assert found.values == told[0].values


def test_missing_samples_change_no_fact_and_too_few_give_none() -> None:
    """NaN is skipped; nothing is said of next to nothing."""
    time_s = np.arange(100.0)
    values = 5 + 0.1 * time_s
    values[20:40] = np.nan
    (found,) = facts_of(time_s, values, "v", "V")
    assert found.kind == "rise"
    assert not facts_of(time_s, np.full(100, np.nan), "v", "V")
    assert not facts_of(time_s[:5], values[:5], "v", "V")


def test_a_sample_is_the_same_whenever_it_is_drawn_and_differs_by_seed() -> None:
    """A run can go on where it stopped, and held-out seeds are held out."""
    one, again, other = Tasks(1).sample(7), Tasks(1).sample(7), Tasks(2).sample(7)
    assert one.question == again.question
    assert np.array_equal(one.curves.curves[0].values, again.curves.curves[0].values)
    assert not np.array_equal(one.curves.curves[0].values, other.curves.curves[0].values)


def test_tasks_come_in_their_shares_and_answers_are_balanced() -> None:
    """The majority answer is no way to be right."""
    drawn = [Tasks(0).sample(i) for i in range(1500)]
    tasks = Counter(s.task for s in drawn)
    assert abs(tasks["A"] / 1500 - 0.4) < 0.06
    for task, options in (("B", 5), ("C", 2)):
        answers = Counter(s.answer for s in drawn if s.task == task)
        assert max(answers.values()) / tasks[task] < 1 / options + 0.1


def test_a_bottleneck_is_the_one_channel_at_its_limit() -> None:
    """`none` means that no channel is."""
    for number in range(60):
        sample = Tasks(3).sample(number, "B")
        full = [c.channel for c in sample.curves.curves if (c.values >= c.limit).mean() > 0.05]
        assert full == ([] if sample.answer == "none" else [sample.answer])


def test_whether_a_job_fits_follows_from_the_curve_and_not_from_the_question() -> None:
    """Need and answer are independent; the answer is what the curve leaves."""
    needs: dict[str, list[float]] = {"yes": [], "no": []}
    for number in range(800):
        sample = Tasks(4).sample(number, "C")
        need, minutes = sample.numbers
        curve = sample.curves.curves[0]
        left = (curve.limit - ahead(curve, 1800 * minutes)) / curve.limit
        assert (left > need) == (sample.answer == "yes")
        needs[sample.answer].append(need)
    assert abs(np.mean(needs["yes"]) - np.mean(needs["no"])) < 0.05


def test_growth_counts_against_a_job() -> None:
    """What a leak will take while the job runs is not free."""
    curve = ResourceCurveSynthesizer(0).draw_pattern(1, "memory", "rise").curves[0]
    assert ahead(curve, 600.0) > ahead(curve, 0.0)
    assert ahead(replace(curve, slope=-curve.slope), 600.0) == ahead(curve, 0.0)
