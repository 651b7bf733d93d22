"""Bad input, over the registry: a clear error or a finite answer, never a silent NaN."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.heads.registry import head_specs, make_head

CLASSIFIERS = sorted(s.name for s in head_specs("classify"))
FORECASTERS = sorted(s.name for s in head_specs("forecast"))
ON_TOKENS = sorted(s.name for s in head_specs() if s.task in {"retrieve", "anomaly"})
Y = ["accelerometer.y"]


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifier_does_not_depend_on_the_order_of_its_labels(name: str, exam: Any) -> None:
    """Labels may come in any order: the same windows give the same probabilities."""
    head: Any = make_head(name)
    order = np.random.default_rng(0).permutation(len(exam.tokens))
    shuffled = head.fit(exam.tokens.select(order), [exam.labels[i] for i in order])
    mixed = shuffled.predict_proba(exam.asked)
    plain = exam.fit(make_head(name)).predict_proba(exam.asked)
    assert list(shuffled.classes_) == sorted(set(exam.labels))
    assert (mixed.argmax(axis=1) == plain.argmax(axis=1)).mean() > 0.9


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifier_bears_a_class_that_only_one_fold_holds(name: str, exam: Any) -> None:
    """A class of a single session is missing from every other fold; the answer stays finite."""
    labels = ["rare" if i < 2 else exam.labels[i] for i in range(len(exam.tokens))]
    head: Any = make_head(name).fit(exam.tokens, labels)  # type: ignore[attr-defined]
    proba = head.predict_proba(exam.asked)
    assert "rare" in head.classes_
    assert np.isfinite(proba).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifier_bears_one_session_for_all_labels(name: str, exam: Any) -> None:
    """With one group nothing can be held out by group; windows are held out instead."""
    one = replace(exam.tokens, session_ids=("s",) * len(exam.tokens))
    head: Any = make_head(name).fit(one, exam.labels)  # type: ignore[attr-defined]
    assert np.isfinite(head.predict_proba(exam.asked)).all()


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifier_bears_windows_that_are_all_the_same(name: str, exam: Any) -> None:
    """Features that never vary tell nothing: probabilities are finite, not 0 / 0."""
    exam.tokens.values[:] = 1.0
    exam.tokens.context[:] = 0.0
    head: Any = exam.fit(make_head(name))
    assert np.isfinite(head.predict_proba(exam.tokens)).all()


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifier_refuses_groups_that_do_not_match(name: str, exam: Any) -> None:
    """One group a window."""
    with pytest.raises(DataError, match="One group a window"):
        make_head(name).fit(exam.tokens, exam.labels, groups=["a"])  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ON_TOKENS)
def test_head_bears_windows_that_are_all_the_same(name: str, exam: Any) -> None:
    """Nothing stands out and everything is alike: scores and distances are finite."""
    exam.tokens.values[:] = 1.0
    exam.tokens.context[:] = 0.0
    assert np.isfinite(exam.ask(exam.fit(make_head(name)), [0, 1, 2])).all()


@pytest.mark.parametrize("name", FORECASTERS)
def test_forecaster_bears_a_future_that_never_moves(
    name: str, make_batch: Callable[..., Any]
) -> None:
    """A constant target after a lively context is learnt like any other."""
    batch = make_batch()
    still = replace(batch, future=np.full_like(batch.future, 3.0))
    head: Any = make_head(name).fit(still, channels=Y)  # type: ignore[attr-defined]
    assert np.isfinite(head.predict(batch, 2.0).quantiles).all()


@pytest.mark.parametrize("name", FORECASTERS)
def test_forecaster_refuses_a_horizon_longer_than_the_data(
    name: str, make_batch: Callable[..., Any]
) -> None:
    """The error says how far the data reach."""
    head: Any = make_head(name).fit(make_batch(horizon_s=60.0), channels=Y)  # type: ignore[attr-defined]
    assert head.max_horizon_s == pytest.approx(8.0)
    with pytest.raises(DataError, match=r"\(0, 8\]"):
        head.predict(make_batch(seed=1), 60.0)


@pytest.mark.parametrize("name", FORECASTERS)
def test_forecaster_bears_a_single_window(name: str, make_batch: Callable[..., Any]) -> None:
    """One window with a future is little to learn from, yet no crash and no NaN."""
    batch = make_batch()
    head: Any = make_head(name).fit(batch.select(np.array([0])), channels=Y)  # type: ignore[attr-defined]
    assert np.isfinite(head.predict(make_batch(seed=1), 2.0).quantiles).all()


@pytest.mark.parametrize("state", ["last", "filtered"])
def test_latent_ssm_bears_missing_patches(state: str, make_batch: Callable[..., Any]) -> None:
    """A filter passes over patches without a token; the forecast stays finite and continues."""
    batch = make_batch()
    mask = batch.tokens.mask.copy()
    mask[::3, :, 1:3] = False
    gappy = replace(batch, tokens=replace(batch.tokens, mask=mask))
    head: Any = make_head("latent_ssm", state=state).fit(gappy, channels=Y)  # type: ignore[attr-defined]
    found = head.predict(gappy, 2.0).median
    truth = gappy.truth(Y, 20)
    known = np.isfinite(truth)
    assert np.isfinite(found).all()
    assert np.abs(found - truth)[known].mean() < 1.0


def test_filtered_state_widens_its_quantiles_with_the_horizon(
    make_batch: Callable[..., Any],
) -> None:
    """The filter's own covariance grows as it looks ahead, and covers what comes."""
    batch, asked = make_batch(), make_batch(seed=1)
    head: Any = make_head("latent_ssm", state="filtered").fit(batch, channels=Y)  # type: ignore[attr-defined]
    forecast = head.predict(asked, 3.2)
    width = (forecast.at(0.95) - forecast.at(0.05)).mean(axis=(0, 1))
    assert width[-8:].mean() >= width[:8].mean()
    truth = asked.truth(Y, 32)
    known = np.isfinite(truth)
    inside = (truth >= forecast.at(0.05)) & (truth <= forecast.at(0.95))
    assert inside[known].mean() > 0.75


def test_reconstruction_finds_one_odd_patch(exam: Any) -> None:
    """A single patch of a window that looks like no usual one makes the window the strangest."""
    head: Any = exam.fit(make_head("reconstruction", context=False))
    asked = exam.asked
    before = head.score(asked)
    asked.values[5, 1, 2] += np.random.default_rng(0).normal(0, 60.0, asked.values.shape[3])
    after = head.score(asked)
    assert after.argmax() == 5
    np.testing.assert_allclose(np.delete(after, 5), np.delete(before, 5))
    assert head.p_values(asked)[5] <= 2 / (1 + len(head.reference_))


def test_reconstruction_counts_a_level_that_tokens_do_not_show(exam: Any) -> None:
    """A jump of the mean alone, which the encoder takes away, is seen in the context."""
    exam.asked.context[3, 0, 0] = 40.0
    assert exam.fit(make_head("reconstruction")).score(exam.asked).argmax() == 3
    blind: Any = exam.fit(make_head("reconstruction", context=False))
    assert blind.score(exam.asked)[3] < 5.0
