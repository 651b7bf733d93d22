"""The laws of the two views that a contrast compares, and of what makes a batch hard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.tokenizers.moment.checkpoint import save_moment, weights_hash
from tool_use_om.tokenizers.moment.model import Moment
from tool_use_om.tokenizers.pretrain.loss import (
    BEND,
    GROUP,
    SHIFT,
    interpolated,
    kin,
    read_real,
    stretched,
    warps,
    with_real,
)
from tool_use_om.tokenizers.pretrain.run import Learner, PretrainConfig, Run, learning_rate

TINY = {
    "d_model": 16,
    "d_ff": 16,
    "n_layers": 1,
    "n_heads": 2,
    "batch_samples": 1024,
    "lengths": (64, 96),
}


def rng() -> np.random.Generator:
    """Seeded."""
    return np.random.default_rng(0)


def test_interpolated_is_that_of_numpy() -> None:
    """Rows are read at fractional places as numpy reads them, the ends held."""
    series = rng().standard_normal((3, 20)).astype(np.float32)
    at = np.sort(rng().uniform(-2, 22, (3, 50)), axis=1)
    want = [np.interp(a, np.arange(20), row) for a, row in zip(at, series, strict=True)]
    np.testing.assert_allclose(interpolated(series, at), want, atol=1e-6)


def test_stretched_keeps_the_ends() -> None:
    """A longer series begins and ends where the shorter one does."""
    series = rng().standard_normal((3, 20)).astype(np.float32)
    longer = stretched(series, 58)
    np.testing.assert_allclose(longer[:, [0, -1]], series[:, [0, -1]], atol=1e-6)
    np.testing.assert_allclose(longer[:, ::3], series, atol=1e-5)


def test_warps_keep_the_place_of_a_bump() -> None:
    """Both views of a row have its bump within a few hundredths of the window of its place."""
    places = np.linspace(40, 110, 16)
    series = np.exp(-(((np.arange(150) - places[:, None]) / 6) ** 2)).astype(np.float32)
    views = warps(np.concatenate([series, series]), rng())
    assert views.shape == (32, 100)
    smooth = np.apply_along_axis(np.convolve, 1, views, np.ones(9) / 9, mode="same")
    moved = smooth.argmax(axis=1) - (np.tile(places, 2) - 25)
    assert np.abs(moved).max() < 100 * (SHIFT + 3 * BEND) + 5


def test_kin_share_the_shape_of_their_first() -> None:
    """Rows of a group are like its first row, less like other groups', and not the same."""
    mixed = kin(rng().standard_normal((4 * GROUP, 500)).astype(np.float32), rng())
    alike = np.corrcoef(mixed)
    group = np.arange(len(mixed)) // GROUP
    first = np.arange(0, len(mixed), GROUP)
    own = alike[first[group], np.arange(len(mixed))]
    assert (own > 0.6).all()
    assert (np.delete(own, first) < 0.999).all()
    assert np.abs(alike[group[:, None] != group[None]]).max() < 0.3


@pytest.mark.parametrize(
    "options",
    [
        {"views": "warps"},
        {"views": "both", "kin": 0.5},
        {"forecast": 1.0, "segments": 0.5},
        {"coarse": 1.0, "contrast": 0.0},
    ],
)
def test_run_steps_with_each_option_are_functions_of_seed_and_step(
    options: dict[str, object], tmp_path: Path
) -> None:
    """Two runs with the same options take the same steps, and all losses are finite."""
    config = PretrainConfig(steps=3, **TINY, **options)
    runs = [Run(config, tmp_path / name) for name in "ab"]
    for _ in range(2):
        first, second = (run.step() for run in runs)
        keys = ("loss", "contrast", "summary", "segments")
        assert [first[k] for k in keys] == [second[k] for k in keys]
        assert np.isfinite([first[k] for k in keys]).all()


def test_run_with_forecast_hides_the_end(tmp_path: Path) -> None:
    """Where a step forecasts, exactly the last patches are hidden."""
    run = Run(PretrainConfig(steps=1, forecast=1.0, **TINY), tmp_path)
    hidden = run._hidden(rng(), 4, 8).numpy()
    assert hidden.any(axis=1).all()
    assert (np.diff(hidden.astype(int), axis=1) >= 0).all()


def test_learner_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    """`start_from` gives the weights of that checkpoint."""
    config = PretrainConfig(steps=1, seed=5, **TINY)
    there = Moment(config.moment(), seed=5)
    save_moment(there, tmp_path)
    again = PretrainConfig(steps=1, start_from=str(tmp_path), **TINY)
    assert weights_hash(Learner(again).moment) == weights_hash(there)
    assert learning_rate(again, 0.5) < again.learning_rate


def test_with_real_puts_real_stretches_in_a_third_of_the_rows(tmp_path: Path) -> None:
    """About a third of the rows change, and each of those is a stretch of a real series."""
    np.save(tmp_path / "real.npy", np.sin(np.linspace(0, 40, 600))[None].repeat(3, axis=0))
    mixed = with_real(np.zeros((300, 64), np.float32), read_real(tmp_path / "real.npy"), rng())
    changed = mixed.any(axis=1)
    assert 70 < changed.sum() < 130
    np.testing.assert_allclose(mixed[changed].std(axis=1), 1, atol=1e-3)


@pytest.mark.parametrize("bad", [np.zeros(9), np.zeros((2, 9)), np.full((2, 99), np.nan)])
def test_read_real_refuses_other_arrays(bad: np.ndarray, tmp_path: Path) -> None:
    """Rows must be long enough and finite."""
    np.save(tmp_path / "bad.npy", bad)
    with pytest.raises(DataError, match="finite"):
        read_real(tmp_path / "bad.npy")
