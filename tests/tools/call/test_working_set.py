from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from tool_use_om.tools.call.working_set import WorkingSet


def test_working_set_survives_the_graph_state() -> None:
    """Builtins out, the same working set in."""
    one = WorkingSet().but(
        channels=("a.x",), tokenizer_config={"window_s": 4.0, "stride_s": 2.0}, head_params={"k": 3}
    )
    assert WorkingSet.of(json.loads(json.dumps(one.to_state()))) == one


def test_working_set_refuses_unknown_fields() -> None:
    """A field that does not exist is an error at once."""
    with pytest.raises(ValidationError, match="chanels"):
        WorkingSet().but(chanels=("a",))
