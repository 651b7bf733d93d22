"""The laws of the synthetic corpus: deterministic, finite, scaled, never validated on training."""

from __future__ import annotations

import numpy as np
import pytest

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.tokenizers.pretrain.corpus import FAMILIES, SHARES, Corpus, draw, family


@pytest.mark.parametrize("name", FAMILIES)
def test_draw_is_finite_and_of_unit_scale(name: str) -> None:
    """Each family gives finite float32 rows of mean 0 and deviation 1 (or a constant 0)."""
    x = draw(name, np.random.default_rng(3), 16, 200)
    assert x.shape == (16, 200)
    assert x.dtype == np.float32
    assert np.isfinite(x).all()
    assert np.abs(x.mean(axis=1)).max() < 1e-3
    assert ((np.abs(x.std(axis=1) - 1) < 1e-3) | (x.std(axis=1) == 0)).all()


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("length", [8, 513])
def test_draw_works_when_length_is_short_or_odd(name: str, length: int) -> None:
    """Every family can be drawn at any allowed length."""
    x = draw(name, np.random.default_rng(0), 3, length)
    assert x.shape == (3, length)
    assert np.isfinite(x).all()


@pytest.mark.parametrize("name", FAMILIES)
def test_draw_rows_differ(name: str) -> None:
    """Rows of one draw are different series."""
    x = draw(name, np.random.default_rng(1), 8, 128)
    assert len({row.tobytes() for row in x}) == 8


def test_batch_is_determined_by_seed_and_index() -> None:
    """The same (seed, index) gives the same bytes; another index or seed gives others."""
    corpus = Corpus(seed=5, batch_samples=2048)
    first, owner = corpus.batch(7)
    again, owner_again = Corpus(seed=5, batch_samples=2048).batch(7)
    assert first.tobytes() == again.tobytes()
    assert owner.tolist() == owner_again.tolist()
    assert first.tobytes() != corpus.batch(8)[0].tobytes()
    assert first.tobytes() != Corpus(seed=6, batch_samples=2048).batch(7)[0].tobytes()


def test_batch_keeps_its_budget_of_samples() -> None:
    """A batch of length T has batch_samples // T rows, so memory does not depend on the length."""
    corpus = Corpus(batch_samples=2048, lengths=(64, 256))
    for index in range(6):
        series, owner = corpus.batch(index)
        assert series.shape[0] == 2048 // series.shape[1] == owner.size


def test_validation_shares_no_row_with_training() -> None:
    """Validation rows come from a stream that training never reads."""
    corpus = Corpus(batch_samples=4096, lengths=(64,))
    seen = {row.tobytes() for index in range(5) for row in corpus.batch(index)[0]}
    held = {row.tobytes() for name in FAMILIES for row in corpus.validation(name, 8, 64)}
    assert not seen & held


def test_recipe_hash_names_the_stream() -> None:
    """The hash is stable for one recipe and changes with the seed and the lengths."""
    assert Corpus().recipe_hash() == Corpus().recipe_hash()
    others = {Corpus(seed=1).recipe_hash(), Corpus(lengths=(64,)).recipe_hash()}
    assert Corpus().recipe_hash() not in others
    assert len(others) == 2
    assert set(SHARES) == set(FAMILIES)


def test_family_names_the_nearest_when_unknown() -> None:
    """An unknown family lists the nearest valid name."""
    with pytest.raises(NotFoundError, match="seasonality"):
        family("season")


def test_draw_refuses_a_length_it_cannot_make() -> None:
    """Lengths outside the documented range are refused with the rule and the value."""
    with pytest.raises(DataError, match="length=4"):
        draw("trend", np.random.default_rng(0), 1, 4)
