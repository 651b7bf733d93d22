from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from tool_use_om.tools.call.working_set import WorkingSet, merge_working_sets


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


def test_merge_keeps_both_of_two_parallel_calls() -> None:
    """Two calls that start from the same state both keep what they changed, in any order."""
    base = WorkingSet(dataset="d")
    a = base.fresh().but(channels=("a.x",)).to_state()
    b = base.fresh().but(task="classify").to_state()
    for first, second in ((a, b), (b, a)):
        merged = merge_working_sets(merge_working_sets(base.to_state(), first), second)
        assert (merged["dataset"], merged["channels"], merged["task"]) == ("d", ["a.x"], "classify")


def test_merge_takes_a_plain_mapping_whole() -> None:
    """A state given from outside, without a note of changes, replaces the old one."""
    assert merge_working_sets({"dataset": "a"}, {"dataset": "b"}) == {"dataset": "b"}
    assert merge_working_sets(None, {"dataset": "b"}) == {"dataset": "b"}
