"""The probe: saved and loaded the same, its sets hold what they should on voices left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tool_use_om.agent.offline.reader.probe import (
    Example,
    Probe,
    calibrated,
    fit_probe,
    letters_of,
    selected,
)
from tool_use_om.agent.offline.reader.slots import Slots
from tool_use_om.data.errors import DataError


def _examples(n: int = 120) -> tuple[list[Example], np.ndarray]:
    """Return questions of three forms whose vectors lie around three points."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(3, 8))
    forms = rng.integers(0, 3, n)
    vectors = (centres[forms] + rng.normal(0, 0.4, (n, 8))).astype(np.float32)
    examples = [
        Example(
            slots=Slots(text="q", masked=f"word{k} here"),
            form=f"form-{k}", language="en", voice=f"voice-{i % 10}",
        )
        for i, k in enumerate(forms)
    ]  # fmt: skip
    return examples, vectors


def test_a_saved_probe_sorts_the_same(tmp_path: Path) -> None:
    examples, vectors = _examples()
    probe, _ = fit_probe(examples, vectors, encoder="none")
    probe.save(tmp_path)
    again = Probe.load(tmp_path)
    for example, vector in zip(examples[:10], vectors, strict=False):
        a, b = (p.sort(vector, example.slots, "en") for p in (probe, again))
        assert a.forms == b.forms
        assert a.decided == b.decided


def test_each_phrasing_is_judged_by_a_probe_that_saw_none_of_its_voice() -> None:
    """With one voice a form, voices left out are never right."""
    examples, vectors = _examples(60)
    own = [Example(slots=Slots(text="", masked=""), form=e.form, language="en", voice=e.form)
           for e in examples]  # fmt: skip
    probe, apart = fit_probe(own, np.zeros_like(vectors), encoder="none", folds=3)
    right = [probe.forms[row.argmax()] == e.form for row, e in zip(apart, own, strict=True)]
    assert not any(right)


def test_sets_hold_the_wanted_share_of_true_forms() -> None:
    """Split-conformal: of new shares from the same source, at least the wanted share is inside."""
    rng = np.random.default_rng(0)
    shares = rng.beta(5, 1, 2000)
    least = calibrated(shares[:1000], ["en"] * 1000, 0.9)["en"]
    assert abs((shares[1000:] >= least).mean() - 0.9) < 0.03


def test_too_few_phrasings_leave_nothing_out() -> None:
    assert calibrated(np.array([0.4, 0.9]), ["zh", "zh"], 0.95)["zh"] == 0.0


def test_certain_is_where_so_many_are_right() -> None:
    shares, right = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, True, False, True])
    assert selected(shares, right, ["en"] * 4, precision=1.0)["en"] == 0.8
    assert selected(shares, ~right, ["en"] * 4, precision=1.0)["en"] > 1


def test_an_unknown_language_has_an_empty_set_and_nothing_is_decided() -> None:
    examples, vectors = _examples()
    probe, _ = fit_probe(examples, vectors, encoder="none")
    found = probe.sort(vectors[0], examples[0].slots, "nl")
    assert found.forms == ()
    assert not found.decided


def test_a_missing_probe_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="tuom reader train"):
        Probe.load(tmp_path)


def test_letters_are_the_same_in_every_run() -> None:
    """No hash that changes with the process."""
    assert letters_of("mean of channel") @ letters_of("mean of channel") == pytest.approx(1.0)
    assert int(np.abs(letters_of("mean")).argmax()) == int(np.abs(letters_of("MEAN")).argmax())
