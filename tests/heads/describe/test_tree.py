"""Search: soft values by hand, a budget that is kept, caches that change nothing, no truth."""

from __future__ import annotations

import inspect
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from tool_use_om.data.errors import DataError
from tool_use_om.heads.describe import tree
from tool_use_om.heads.describe.spans import Spans
from tool_use_om.heads.describe.tree import (
    Found,
    SearchSettings,
    search,
    soft_value,
    spectral_distance,
)

LETTERS = "abcdefghijklmnopqrstuvwxyz \n"
SETTINGS = SearchSettings(budget=120, most=12, span=3, branches=3)


class Letters:
    """A text tokenizer of letters: 1 begins, 0 is the end of all."""

    bos_token_id, eos_token_id = 1, 0

    def __call__(self, text: str, **_: Any) -> dict[str, list[int]]:
        return {"input_ids": [LETTERS.index(c) + 2 for c in text]}

    def decode(self, ids: list[int], **_: Any) -> str:
        return "".join(LETTERS[i - 2] for i in ids if i >= 2)


@pytest.fixture(scope="module")
def network() -> Any:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(LETTERS) + 2, hidden_size=16, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval().requires_grad_(False)


@pytest.fixture
def model(network: Any) -> Spans:
    return Spans(network, Letters(), seed=3)


def liked(text: str) -> tuple[float, str]:
    """Return the share of vowels, and whether they are many."""
    share = sum(c in "aeiou" for c in text) / max(1, len(text))
    return share, "many" if share > 0.3 else "few"


def searched(model: Spans, settings: SearchSettings) -> Found:
    return search(model, model.start("go "), liked, settings)


def test_a_soft_value_is_weighted() -> None:
    """Two leaves of 1.0 and 0.5 at λ = 0.1 give 0.753; an unweighted sum would give 7.68."""
    assert soft_value([0.5, 0.5], [1.0, 0.5], 0.1) == pytest.approx(0.753, abs=5e-4)
    unweighted = math.log(math.exp(0.1) + math.exp(0.05)) / 0.1
    assert unweighted == pytest.approx(7.68, abs=5e-3)


@pytest.mark.parametrize("scale", [1e-4, 0.1, 1.0, 10.0, 1000.0])
def test_a_soft_value_is_between_mean_and_maximum_whatever_the_number_of_leaves(
    scale: float,
) -> None:
    """Many equal leaves are worth what one is."""
    values = [0.2, 0.9, 0.4]
    assert np.mean(values) - 1e-9 <= soft_value([1, 1, 1], values, scale) <= 0.9
    assert soft_value([1.0] * 50, [0.7] * 50, scale) == pytest.approx(0.7)
    assert soft_value([1e-9, 1.0], [1.0, 0.0], 1.0) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(("shares", "values", "scale"), [([], [], 1), ([1], [1], 0), ([0], [1], 1)])
def test_a_soft_value_of_nothing_is_an_error(shares: Any, values: Any, scale: float) -> None:
    with pytest.raises(DataError, match="soft value"):
        soft_value(shares, values, scale)


def test_spectra_tell_a_continuation_in_kind_from_one_that_is_not() -> None:
    """The same wave is near, noise and another wave are far."""
    time = np.arange(256)
    rng = np.random.default_rng(0)
    wave = np.sin(time / 4) + 0.01 * rng.normal(size=256)
    context, same = wave[:192], wave[192:]
    assert spectral_distance(same, context) < spectral_distance(rng.normal(size=64), context)
    assert spectral_distance(same, context) < spectral_distance(np.sin(time[:64]), context)


def test_kept_keys_and_values_change_nothing(network: Any, model: Spans) -> None:
    """What follows a place that was gone on to is what follows the whole text."""
    stepped = model.go_on(model.go_on(model.start("hello "), model.ids_of("you ")), [5, 6])
    whole = network(input_ids=torch.tensor([stepped.ids])).logits[0, -1]
    assert torch.allclose(stepped.logits, whole, atol=1e-5)
    first = model.start("hello ")
    before = first.logits.clone()
    one = model.draw(first, 4, 6)
    model.go_on(first, [7, 8, 9])
    again = Spans(network, Letters(), seed=3).draw(first, 4, 6)
    assert [c.ids for c in one] == [c.ids for c in again]
    assert torch.equal(first.logits, before)


def test_the_probability_of_a_drawn_text_is_the_models(network: Any, model: Spans) -> None:
    """By hand from the logits of the whole text."""
    place = model.start("ab")
    for drawn in model.draw(place, 3, 5):
        ids = [*place.ids, *drawn.ids]
        logs = torch.log_softmax(network(input_ids=torch.tensor([ids])).logits[0], dim=-1)
        own = sum(float(logs[i - 1, ids[i]]) for i in range(len(place.ids), len(ids)))
        assert drawn.log_prob == pytest.approx(own, abs=1e-3)


def test_a_wide_beam_finds_no_less_likely_text_than_greedy(model: Spans) -> None:
    place = model.start("abc")
    assert model.beam(place, 6, 1).log_prob >= model.greedy(place, 1).log_prob - 1e-6
    one, other = model.beam(place, 1, 8), model.greedy(place, 8)
    assert one.ids == other.ids


@pytest.mark.parametrize("select", ["boltzmann", "uct"])
def test_a_search_keeps_its_budget_and_returns_the_best_it_saw(network: Any, select: Any) -> None:
    """Tokens are counted; the answer is of the highest reward; one seed, one tree."""
    found = [
        searched(Spans(network, Letters(), seed=3), replace(SETTINGS, select=select))
        for _ in range(2)
    ]
    assert found[0] == found[1]
    assert found[0].written <= SETTINGS.budget
    assert found[0].n_nodes > 4
    assert (found[0].reward, found[0].answer) == liked(found[0].text)
    assert 0 <= found[0].entropy <= 1


def test_a_search_finds_more_of_what_is_rewarded_than_one_text_has(network: Any) -> None:
    one = liked(Spans(network, Letters(), seed=3).draw(
        Spans(network, Letters()).start("go "), 1, 12)[0].text)[0]  # fmt: skip
    assert searched(Spans(network, Letters(), seed=3), SETTINGS).reward > one


def test_a_budget_below_one_text_is_an_error(model: Spans) -> None:
    with pytest.raises(DataError, match="less than one reasoning"):
        searched(model, replace(SETTINGS, budget=5))


def test_no_reward_can_see_the_truth() -> None:
    """A reward is given a text and nothing else; what searches knows no right answer."""
    said = inspect.getsource(tree)
    assert "Callable[[str], tuple[float, str]]" in said
    assert not [word for word in ("letter", "truth:", ".answer ==") if word in said]
