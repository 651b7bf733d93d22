"""One question, one answer: what the encoder calculates in is never left to the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tool_use_om.data.workspace import Workspace
from tool_use_om.tokenizers.registry import TOKENIZERS
from tool_use_om.tokenizers.spec import LARGE
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.tools import _faster
from tool_use_om.tools.registry import run_tool


def answer(root: Path, **tokenizer: Any) -> ToolOutcome:
    """Classify one channel in a workspace of its own."""
    ctx, chosen = ToolContext(workspace=Workspace.at(root)), WorkingSet(dataset="basic-motions")
    calls: list[tuple[str, dict[str, object]]] = [
        ("select_tokenizer", tokenizer),
        ("select_channels", {"channels": "gyroscope.x"}),
        ("filter_by_time", {"end_s": 4}),
        ("select_task_head", {"task": "classify", "head": "prototypes"}),
        ("run_task", {}),
    ]
    for name, args in calls:
        outcome = run_tool(name, args, ctx, chosen)
        chosen = outcome.working_set
    return outcome


@pytest.mark.slow
def test_four_runs_give_one_answer(tmp_path: Path) -> None:
    """Nothing cached, nothing measured: the same question has the same result id each time."""
    outcomes = [answer(tmp_path / str(k)) for k in range(4)]
    assert len({o.result.id for o in outcomes}) == 1
    assert outcomes[0].result.data["detail"]["encoding"]["precision"] == "float32"


@pytest.mark.slow
def test_another_precision_is_asked_for_and_recorded(tmp_path: Path) -> None:
    """A run in int8 says so, and is another result than one in float32."""
    plain, few = answer(tmp_path), answer(tmp_path, precision="int8")
    assert few.result.data["detail"]["encoding"]["precision"] == "int8"
    assert few.result.id != plain.result.id


@pytest.mark.parametrize("name", list(TOKENIZERS))
def test_a_faster_precision_is_proposed_by_size_and_not_taken(name: str) -> None:
    """From 50 million parameters of an encoder that has others; nothing once one was asked for."""
    spec = TOKENIZERS[name]
    large = spec.family == "moment" and spec.parameters >= LARGE
    assert ("precision='bfloat16'" in _faster(spec, "float32")) is large
    assert not _faster(spec, "bfloat16")
