"""Three views of what is unusual: each is seen, and what one alone would miss is found."""

from __future__ import annotations

import numpy as np
import pytest

from tool_use_om.heads.registry import choose_head
from tool_use_om.heads.search.ensemble import Ensemble, Level
from tool_use_om.tokenizers.encode.extremes import with_extremes, without_extremes
from tool_use_om.tokenizers.tokens import Tokens
from tool_use_om.tokenizers.windows.windows import WindowBatch


def windows(values: np.ndarray) -> WindowBatch:
    """(B, T) samples as windows of one channel."""
    n = len(values)
    return WindowBatch(
        values=values[:, None].astype(np.float32),
        mask=np.ones((n, 1, values.shape[1]), dtype=bool),
        rate_hz=1.0,
        start_s=np.arange(n) * float(values.shape[1]),
        session_ids=("s",) * n,
        channels=("a.x",),
        units=("m",),
    )


def tokens(values: np.ndarray, *, marked: int | None = None) -> Tokens:
    """Tokens that say nothing but noise, the `marked` window's first patch excepted."""
    batch = windows(values)
    rng = np.random.default_rng(1)
    made = rng.normal(size=(len(values), 1, 2, 6)).astype(np.float32)
    if marked is not None:
        made[marked, 0, 0] += 40.0
    context = np.stack([values.mean(1), values.std(1)], axis=-1)[:, None].astype(np.float32)
    plain = Tokens(
        values=made,
        mask=np.ones(made.shape[:3], dtype=bool),
        start_s=batch.start_s[:, None] + np.arange(2) * values.shape[1] / 2,
        patch_s=values.shape[1] / 2,
        channels=batch.channels,
        session_ids=batch.session_ids,
        window_start_s=batch.start_s,
        window_s=float(values.shape[1]),
        context=context,
        context_names=("mean", "std"),
    )
    return with_extremes(plain, batch)


@pytest.fixture
def usual() -> np.ndarray:
    return np.random.default_rng(0).normal(5.0, 1.0, (60, 16))


def test_ensemble_finds_a_level_and_an_odd_patch(usual: np.ndarray) -> None:
    """A level that tokens do not hold, and a patch that no level shows, both stand out."""
    head = Ensemble().fit(tokens(usual))
    asked = np.random.default_rng(2).normal(5.0, 1.0, (10, 16))
    asked[3] += 20.0
    found = head.score(tokens(asked, marked=7))
    assert set(np.argsort(-found)[:2]) == {3, 7}
    parts = head.parts(tokens(asked, marked=7))
    assert list(parts) == ["deviation", "discord", "reconstruction"]
    assert parts["deviation"].argmax() == 3
    assert parts["reconstruction"][7] > 20.0 > 5.0 > parts["deviation"][7]
    np.testing.assert_allclose(np.mean(list(parts.values()), axis=0), found)


def test_level_reaches_as_far_as_the_furthest_sample(usual: np.ndarray) -> None:
    """A single sample counts by its own distance from the usual mean, not by its window's mean."""
    level = Level.of(tokens(usual))
    assert level is not None
    assert level.mean[0] == pytest.approx(usual.mean(), abs=1e-5)
    assert level.spread[0] == pytest.approx(usual.std(), rel=1e-4)
    asked = np.full((1, 16), 5.0)
    asked[0, 4] = 25.0
    found = level.reach(tokens(asked))[0]
    assert found == pytest.approx((25.0 - usual.mean()) / usual.std(), rel=1e-3)


def test_extremes_are_added_behind_and_taken_off(usual: np.ndarray) -> None:
    """What was added is the least and the greatest sample; without it the tokens are as before."""
    both = tokens(usual)
    assert both.context_names == ("mean", "std", "low", "high")
    np.testing.assert_allclose(both.context[:, 0, 2], usual.min(axis=1), rtol=1e-6)
    np.testing.assert_allclose(both.context[:, 0, 3], usual.max(axis=1), rtol=1e-6)
    bare = without_extremes(both)
    assert bare.context_names == ("mean", "std")
    np.testing.assert_array_equal(bare.context, both.context[..., :2])


def test_the_rule_takes_the_ensemble_where_nobody_names_a_head() -> None:
    """A plain question about the unusual is answered by all three."""
    assert choose_head("anomaly").name == "ensemble"
