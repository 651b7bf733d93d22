"""The raw-space classifiers keep a head's contract on windows of samples."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import DataError, NotFittedError, NotFoundError
from tool_use_om.heads.samples.base import RawClassifier, raw_class, raw_classifier, raw_names
from tool_use_om.tokenizers.windows.windows import WindowBatch

NAMES = ("a", "b", "c")
pytest.importorskip("aeon")


def _batch(n_each: int, seed: int) -> tuple[WindowBatch, list[str]]:
    """Windows of 24 samples whose two channels run at one of three rhythms."""
    rng = np.random.default_rng(seed)
    time = np.arange(24)
    y = [name for name in NAMES for _ in range(n_each)]
    period = {"a": 4.0, "b": 7.0, "c": 12.0}
    phase = rng.uniform(0, 6.28, (len(y), 2, 1))
    turn = 2 * np.pi * time / np.array([period[k] for k in y])[:, None, None]
    values = np.sin(turn + phase) + rng.normal(0, 0.2, (len(y), 2, 24))
    windows = WindowBatch(
        values=values.astype(np.float32),
        mask=np.ones(values.shape, dtype=bool),
        rate_hz=10.0,
        start_s=np.zeros(len(y)),
        session_ids=tuple(f"s{seed}-{i}" for i in range(len(y))),
        channels=("a.x", "a.y"),
        units=("g", "g"),
    )
    return windows, y


@pytest.fixture(scope="module", params=["minirocket", "hydra"])
def fitted(request: pytest.FixtureRequest) -> RawClassifier:
    return raw_classifier(request.param).fit(*_batch(10, 0))


def test_raw_classifier_tells_rhythms_apart(fitted: RawClassifier) -> None:
    """Probabilities are a distribution, and the likeliest label of new windows is right."""
    asked, y = _batch(6, 1)
    proba = fitted.predict_proba(asked)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    assert (fitted.predict(asked) == np.array(y)).mean() > 0.9
    assert fitted.memory_mb > 0


def test_raw_classifier_answers_each_window_by_itself(fitted: RawClassifier) -> None:
    """The answer for a window does not depend on the others, and the input stays as it is."""
    asked, _ = _batch(3, 2)
    before = asked.values.copy()
    whole = fitted.predict_proba(asked)
    np.testing.assert_allclose(fitted.predict_proba(asked.select([4, 1])), whole[[4, 1]], atol=1e-6)
    np.testing.assert_array_equal(asked.values, before)


def test_raw_classifier_refuses_what_it_cannot_read(fitted: RawClassifier) -> None:
    """Other windows than fitted on, windows that are too short, one class, no fit."""
    asked, y = _batch(3, 3)
    short: Any = replace(asked, values=asked.values[..., :8], mask=asked.mask[..., :8])
    with pytest.raises(DataError, match="Fitted on windows of 24 samples"):
        fitted.predict_proba(short)
    with pytest.raises(DataError, match="at least 9 samples"):
        raw_classifier(fitted.name).fit(short, y)
    with pytest.raises(DataError, match="two classes"):
        raw_classifier(fitted.name).fit(asked, ["a"] * len(y))
    with pytest.raises(NotFittedError):
        raw_classifier(fitted.name).predict(asked)


def test_raw_fallbacks_are_listed_by_task() -> None:
    """Each listed fallback says what it is; a strange name is told the nearest."""
    names = raw_names("classify")
    assert [raw_class("classify", name).spec.name for name in names] == list(names)
    assert raw_names("retrieve") == ()
    with pytest.raises(NotFoundError, match="minirocket"):
        raw_classifier("minirockets")
