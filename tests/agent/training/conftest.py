"""A tiny orchestrator trained once for all tests of this folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tool_use_om.agent.training.sft import SftConfig, SftReport, train


def tool(name: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"a": {"type": "integer"}}}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TOOLS = [tool("show_stats"), tool("select_channels")]


def row(question: str, name: str, arguments: dict[str, Any], dataset: str) -> dict[str, Any]:
    """Return one TRL row: a question and the one call that answers it."""
    call = {"type": "function", "function": {"name": name, "arguments": arguments}}
    messages = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": "", "tool_calls": [call]},
    ]
    return {"messages": messages, "tools": TOOLS, "meta": {"dataset": dataset}}


ROWS = [
    row("how many?", "show_stats", {"a": 1}, "one"),
    row("use x", "select_channels", {"channels": ["x"]}, "two"),
    row("how many there?", "show_stats", {"a": 2}, "held"),
]


@pytest.fixture(scope="session")
def tiny_rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a JSONL file of three rows, one of them of the data set "held"."""
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in ROWS))
    return path


@pytest.fixture(scope="session")
def tiny_sft(tiny_rows: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SftReport]:
    """Return (folder, report) of a random-weight Llama overfitted on two rows, one held out."""
    out = tmp_path_factory.mktemp("sft") / "out"
    config = SftConfig(steps=70, learning_rate=1e-2, batch_size=2, hold_out=("dataset=held",))
    return out, train(tiny_rows, "random", out, config)
