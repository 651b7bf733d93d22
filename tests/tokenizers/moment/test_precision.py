"""The precision is asked for, said, and part of what cached tokens follow from."""

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
from tool_use_om.tokenizers.moment.model import Moment
from tool_use_om.tokenizers.registry import load_tokenizer
from tool_use_om.tokenizers.spec import TokenizerSpec
from tool_use_om.tokenizers.tokenizer import Tokenizer
from tool_use_om.tokenizers.windows.config import TokenizerConfig


def test_load_calculates_in_float32_unless_asked() -> None:
    """No timing decides: what a tokenizer calculates in is asked for, and said."""
    tokenizer = load_tokenizer("moment-tiny")
    assert tokenizer.precision == "float32"
    assert "precision='float32'" in repr(tokenizer)
    assert load_tokenizer("moment-tiny", precision="int8").precision == "int8"
    with pytest.raises(NotFoundError, match="bfloat16"):
        load_tokenizer("moment-tiny", precision="bfloat")  # type: ignore[arg-type]  # the wrong name is the point


def test_tokenizer_refuses_a_precision_its_encoder_has_not(small_spec: TokenizerSpec) -> None:
    """Only our own encoder has others than float32."""
    other = torch.nn.Identity()
    assert Tokenizer(small_spec, other).precision == "float32"
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
