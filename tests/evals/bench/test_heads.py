"""What fitting costs is measured on windows every head can be fitted on."""

from __future__ import annotations

import json

import pytest

from tool_use_om.evals.bench.heads import child, render
from tool_use_om.heads.registry import HEADS


@pytest.mark.parametrize("name", HEADS)
def test_heads_bench_measures_every_registered_head(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each head is fitted, and says its seconds and memory in a row of the table."""
    child(name, 200)
    row = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert row["head"] == name
    assert float(row["fit, s"]) >= 0
    assert f"| {name} | {row['task']} |" in render([row], 200, "tuom bench heads")
