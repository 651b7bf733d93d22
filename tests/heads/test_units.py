"""A head fitted in one unit does not answer in another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.heads.registry import head_from_state, make_head


@pytest.mark.parametrize("loaded", [False, True])
def test_a_head_refuses_another_unit_than_it_was_fitted_in(
    make_tokens: Callable[..., Any], *, loaded: bool
) -> None:
    """m/s^2 and g are told apart, saved or not; unknown units and other windows pass."""
    labels = ["a", "b"] * 12
    tokens = replace(make_tokens(labels), units=("m/s^2", "m/s^2"))
    head: Any = make_head("prototypes")
    head.fit(tokens, labels)
    if loaded:
        head = head_from_state(head.to_state())
    with pytest.raises(DataError, match=r"Fitted on accelerometer.y in m/s\^2; got it in g"):
        head.predict(replace(tokens, units=("m/s^2", "g")))
    assert head.predict(replace(tokens, units=())).tolist() == head.predict(tokens).tolist()
