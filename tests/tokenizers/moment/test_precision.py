"""The precision is chosen by measurement, said, and part of what cached tokens follow from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.workspace import Workspace
from tool_use_om.tokenizers.cache.cache import TokenCache
from tool_use_om.tokenizers.moment import precision
from tool_use_om.tokenizers.moment.model import Moment
from tool_use_om.tokenizers.moment.precision import choose, measured
from tool_use_om.tokenizers.registry import load_tokenizer
from tool_use_om.tokenizers.spec import TokenizerSpec
from tool_use_om.tokenizers.tokenizer import Tokenizer
from tool_use_om.tokenizers.windows.config import TokenizerConfig


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> dict[torch.dtype, float]:
    """Seconds of a product in each precision, in place of measuring."""
    seconds = {torch.float32: 1.0, torch.bfloat16: 1.0}
    monkeypatch.setattr(precision, "_product_s", lambda dtype: seconds[dtype])
    measured.cache_clear()
    monkeypatch.setattr(precision, "measured", measured.__wrapped__)
    return seconds


@pytest.mark.parametrize(
    ("ratio", "expected"), [(0.01, "float32"), (1.4, "float32"), (5, "bfloat16")]
)
def test_choose_takes_what_is_clearly_faster_here(
    rates: dict[torch.dtype, float], ratio: float, expected: str
) -> None:
    """bfloat16 from one and a half times the speed of float32, and the ratio is said."""
    rates[torch.bfloat16] = 1 / ratio
    chosen = choose("auto")
    assert chosen.name == expected
    assert f"{ratio:.2g} times" in chosen.why


def test_choose_does_as_asked_and_lists_the_names() -> None:
    """A named precision is taken; an unknown one lists the valid ones."""
    assert choose("int8").name == "int8"
    with pytest.raises(NotFoundError, match="bfloat16"):
        choose("bfloat")  # type: ignore[arg-type]  # the wrong name is the point


def test_load_says_what_it_chose() -> None:
    """The default is the measured one; repr and attributes say which and why."""
    tokenizer = load_tokenizer("moment-tiny")
    assert tokenizer.precision == measured().name
    assert "the speed of float32 here" in tokenizer.precision_why
    assert f"precision='{tokenizer.precision}'" in repr(tokenizer)
    assert load_tokenizer("moment-tiny", precision="int8").precision == "int8"


def test_tokenizer_refuses_a_precision_its_encoder_has_not(small_spec: TokenizerSpec) -> None:
    """Only our own encoder has others than float32; "auto" leaves the rest at that."""
    other = torch.nn.Identity()
    assert Tokenizer(small_spec, other, precision="auto").precision == "float32"
    with pytest.raises(DataError, match="calculates in float32"):
        Tokenizer(small_spec, other, precision="int8")


def test_cache_keeps_precisions_apart(
    make_dataset: Callable[..., DataSet],
    even: Callable[..., tuple[np.ndarray, np.ndarray]],
    small_spec: TokenizerSpec,
    small_moment: Moment,
    tmp_path: Path,
) -> None:
    """Tokens of one precision are never taken for another's."""
    dataset = make_dataset({"a": {"accelerometer": even(16.0, 8.0, 2)}})
    cache, cut = TokenCache(Workspace.at(tmp_path / "w")), TokenizerConfig(window_s=4.0)
    plain = Tokenizer(small_spec, small_moment)
    few = plain.at_precision("int8")
    first = cache.encode(plain, dataset, ["a"], "all", cut)
    second = cache.encode(few, dataset, ["a"], "all", cut)
    assert (cache.hits, cache.misses) == (0, 2)
    assert not np.array_equal(first.values, second.values)
    assert few.weights_hash == plain.weights_hash
