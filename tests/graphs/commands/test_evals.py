"""`tuom eval`, as typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tool_use_om.evals.runner import command_of
from tool_use_om.evals.suites.questions import load
from tool_use_om.graphs.commands.evals import app

QUESTION = {
    "id": "q",
    "question": "How many sessions are there?",
    "dataset": "basic-motions",
    "phase": "eda",
    "template": "t",
    "split": "dev",
    "expect": [{"tool": "show_session_stats", "args": {}}],
}


def test_eval_tools_prints_and_keeps_a_report_with_its_command(
    sample_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The offline model is judged; the report is printed, kept, and says how to get it again."""

    def questions(split: str | None = None) -> list[dict[str, Any]]:
        return [QUESTION] if split in {None, "dev"} else []

    monkeypatch.setattr(load, "load_questions", questions)
    out = tmp_path / "out"
    arguments = ["tools", "--model", "offline", "--split", "dev", "--out", str(out)]
    shown = CliRunner().invoke(app, [*arguments, "--workspace", str(sample_workspace)])
    assert shown.exit_code == 0, shown.output
    assert "`tuom eval tools --model offline --split dev --seed 0`" in shown.output
    assert "| eda | dev | 1 |" in shown.output
    kept = json.loads((out / "items.jsonl").read_text())
    assert [c["tool"] for c in kept["row"]["calls"]] == ["show_session_stats"]


def test_command_of_repeats_lists_and_leaves_out_defaults() -> None:
    """The printed command can be pasted into a shell."""
    asked = {"data": ["a", "b c"], "tokenizer": None, "raw": False, "seed": 0}
    assert command_of("heads", **asked) == (
        "tuom eval heads --data a --data 'b c' --no-raw --seed 0"
    )
