"""Every model of events by name: fits, says probabilities, repeats itself, changes no input."""

from __future__ import annotations

import numpy as np
import pytest
from tests.heads.events.made import made_set

from tool_use_om.data.errors import DataError, NotFittedError, NotFoundError
from tool_use_om.heads.events.foundation.paths import chance_of_reaching
from tool_use_om.heads.events.registry import EVENT_MODELS, event_model, event_specs
from tool_use_om.heads.events.windows import EventData, event_data

SMALL = 30_000
NEEDS = {"study": "neuralforecast", "raw": "aeon"}


@pytest.fixture(scope="module")
def data() -> EventData:
    """Return windows of an autoregressive level: what it was says where it will be."""
    return event_data(made_set(1000), "level > 0.8 in 3 s", context=32)


@pytest.mark.slow
@pytest.mark.parametrize("name", EVENT_MODELS)
def test_model_keeps_the_contract(name: str, data: EventData) -> None:
    model = event_model(name, seed=1, parameters=SMALL)
    if model.spec.not_run:
        pytest.skip(model.spec.not_run)
    if model.spec.needs:
        pytest.importorskip("fracast" if name == "fracast" else NEEDS[model.spec.needs])
    with pytest.raises(NotFittedError):
        model.predict_proba(data.test.windows)
    before = data.train.windows.samples.copy()
    random = np.random.get_state()[1].copy()  # noqa: NPY002
    model.fit(data.train.windows, data.train.y, data.validation)
    said = model.predict_proba(data.test.windows)
    assert said.shape == data.test.y.shape
    assert ((said >= 0) & (said <= 1)).all()
    again = event_model(name, seed=1, parameters=SMALL)
    again.fit(data.train.windows, data.train.y, data.validation)
    np.testing.assert_array_equal(again.predict_proba(data.test.windows), said)
    np.testing.assert_array_equal(data.train.windows.samples, before)
    if name != "minirocket":  # whose library seeds numpy's own generator
        np.testing.assert_array_equal(np.random.get_state()[1], random)  # noqa: NPY002
    assert model.spec.name == name
    few = data.test.windows.select(np.arange(5))
    np.testing.assert_allclose(model.predict_proba(few), said[:5], atol=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["last_day", "boosting", "fracast"])
def test_model_ranks_what_can_be_ranked(name: str, data: EventData) -> None:
    """A level above 0.8 is likelier from above: what learns or forecasts at all sees it."""
    from sklearn.metrics import roc_auc_score

    if name == "fracast":
        pytest.importorskip("fracast")
    model = event_model(name).fit(data.train.windows, data.train.y, data.validation)
    least = 0.6 if name == "fracast" else 0.7  # it forecasts, and learns nothing of this level
    assert roc_auc_score(data.test.y, model.predict_proba(data.test.windows)) > least


def test_base_rate_says_the_training_share(data: EventData) -> None:
    model = event_model("base_rate").fit(data.train.windows, data.train.y)
    said = model.predict_proba(data.test.windows)
    late = int(len(data.train.y) * 0.8)  # without a split to check on, the last fifth is held back
    assert said[0] == pytest.approx(data.train.y[: late - 3].mean())


def test_bad_input_is_refused(data: EventData) -> None:
    model = event_model("base_rate")
    with pytest.raises(DataError, match="one each"):
        model.fit(data.train.windows, data.train.y[:-1])
    with pytest.raises(DataError, match="with and without"):
        model.fit(data.train.windows, np.zeros(len(data.train.y)))
    model.fit(data.train.windows, data.train.y)
    other = event_data(made_set(1000), "level > 0.8 in 3 s", context=20)
    with pytest.raises(DataError, match="fitted on windows of 32"):
        model.predict_proba(other.test.windows)
    with pytest.raises(NotFoundError, match="patchtst"):
        event_model("patchts")


def test_every_model_says_whose_it_is() -> None:
    assert [spec.name for spec in event_specs()] == list(EVENT_MODELS)
    assert all(spec.source and spec.summary for spec in event_specs())


def test_chance_of_one_step_is_the_quantile_function_backwards() -> None:
    at = np.arange(1, 10) / 10
    quantiles = (5.0 + 2.0 * _scores(at))[None, None, :]  # normal, mean 5, deviation 2
    for level, chance in ((5.0, 0.5), (7.0, 0.158655), (1.0, 0.977250), (11.0, 0.001350)):
        up = chance_of_reaching(quantiles, at, np.array([level]), "above")
        down = chance_of_reaching(quantiles, at, np.array([level]), "below")
        assert up[0] == pytest.approx(chance, abs=1e-5)
        assert up[0] + down[0] == pytest.approx(1.0)


def test_chance_over_a_path_is_that_of_a_random_walks_maximum() -> None:
    """The quantiles of a random walk's steps give the chance that the walk itself is so high."""
    at, steps, level = np.arange(1, 10) / 10, 12, 4.0
    spread = np.sqrt(np.arange(1, steps + 1))
    quantiles = (spread[:, None] * _scores(at))[None]
    walks = np.random.default_rng(1).standard_normal((40_000, steps)).cumsum(axis=1)
    known = float((walks.max(axis=1) >= level).mean())
    said = chance_of_reaching(quantiles, at, np.array([level]), "above")[0]
    last_alone = float((walks[:, -1] >= level).mean())
    assert said == pytest.approx(known, abs=0.03)
    assert known > 1.5 * last_alone  # the maximum, not the end


def _scores(at: np.ndarray) -> np.ndarray:
    from scipy.special import ndtri

    return np.asarray(ndtri(at))
