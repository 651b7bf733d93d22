"""`tuom eval`, as typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from tool_use_om.data.errors import NotFoundError
from tool_use_om.evals.registry import SUITES, suite_class
from tool_use_om.evals.runner import command_of
from tool_use_om.evals.suites.questions import load
from tool_use_om.graphs.commands.evals import app, command

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


@pytest.mark.parametrize("name", sorted(SUITES))
def test_the_options_of_a_suite_are_its_settings(name: str) -> None:
    """Names, defaults and bounds come from the suite; nothing is stated a second time."""
    options = {p.name: p for p in get_command(command(name)).params}
    stated = suite_class(name).takes.stated()
    assert set(options) - {"help"} == {*stated, "out", "workspace"}
    for setting, field in stated.items():
        option = options[setting]
        assert option.required == field.is_required()
        assert option.help == field.description
        if not field.is_required():
            assert (option.default or None) == (field.default or None)


def test_eval_help_lists_every_suite_and_imports_none() -> None:
    """A listing must not pay for what it lists."""
    code = (
        "import sys; from typer.testing import CliRunner;"
        "from tool_use_om.graphs.commands.evals import app, command;"
        "print(CliRunner().invoke(app, ['--help']).output);"
        "print([m for m in sys.modules if m.startswith('tool_use_om.evals.suites')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(name in done.stdout for name in SUITES)
    assert done.stdout.rstrip().endswith("[]")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["forecast", "--every", "0"], "every"),
        (["tools", "--split", "tset"], "split"),
        (["anomaly"], "data"),
        (["heads", "--no-such"], "no-such"),
        (["haeds"], "haeds"),
    ],
)
def test_eval_refuses_what_a_suite_does_not_take(arguments: list[str], said: str) -> None:
    """Wrong values, missing ones and unknown names end with 2 and are named."""
    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 2
    assert said in shown.output


def test_eval_names_the_nearest_data_set(sample_workspace: Path) -> None:
    """What is not there is said before anything is run."""
    arguments = ["gate", "--data", "basic-motion", "--workspace", str(sample_workspace)]
    shown = CliRunner().invoke(app, arguments)
    assert isinstance(shown.exception, NotFoundError)
    assert "basic-motions" in str(shown.exception)
