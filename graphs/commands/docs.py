"""`tuom docs`: write again what README.md and docs/ show, from the registries and a real run.

Generated text stands between `<!-- generated: NAME -->` and `<!-- end -->`; the rest of a page is
left as it is. Nothing here states a figure that the run did not give.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from tool_use_om.data.errors import DataError
from tool_use_om.data.show.figure import ENDING, read_figure
from tool_use_om.data.show.markdown import table
from tool_use_om.data.show.static import png
from tool_use_om.data.workspace import Workspace, atomic_file

app = typer.Typer(add_completion=False)


_ROOT = typer.Option(Path(), "--root", help="The repository's root.")
_DEMO = typer.Option(True, help="Run the demo for README's answer and figures.")


@app.command()
def docs(root: Path = _ROOT, *, demo: bool = _DEMO) -> None:
    """Write the generated parts of README.md and docs/ again."""
    if not (root / "pyproject.toml").is_file():
        raise DataError(f"{root.resolve()} is no checkout of this repository. Give --root.")
    reference = {
        "commands": _commands(),
        "tools": _tools(),
        "heads": _heads(),
        "tokenizers": _tokenizers(),
        "data": _data(),
        "suites": _suites(),
    }
    fill(root / "docs" / "reference.md", reference)
    if demo:
        fill(root / "README.md", {"demo-answer": _demo(root)})


def fill(page: Path, blocks: dict[str, str]) -> None:
    """Replace the named generated blocks of a page; raise DataError where a mark is missing."""
    text = page.read_text(encoding="utf-8")
    for name, body in blocks.items():
        begin, end = f"<!-- generated: {name} -->\n", "<!-- end -->"
        if text.count(begin) != 1 or end not in text.partition(begin)[2]:
            raise DataError(f"{page} must hold {begin.strip()} once, and {end} after it.")
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}{body.strip()}\n{end}{rest.partition(end)[2]}"
    with atomic_file(page) as partial:
        partial.write_text(text, encoding="utf-8")


def _commands() -> str:
    from tool_use_om.graphs.commands.main import COMMANDS

    return table(
        ["command", "what it does"], [[f"`tuom {k}`", v.help] for k, v in COMMANDS.items()]
    )


def _tools() -> str:
    from tool_use_om.tools.registry import TOOLS

    rows = [
        [
            tool.phase,
            f"`{tool.name}`",
            ", ".join(
                f"`{name}`" + ("" if not field.is_required() else " (required)")
                for name, field in tool.args_model.model_fields.items()
            )
            or "none",
            tool.description,
        ]
        for tool in TOOLS.values()
    ]
    return table(["phase", "tool", "arguments", "what it does"], rows)


def _heads() -> str:
    from tool_use_om.heads.registry import head_specs

    rows = [
        [s.task, f"`{s.name}`", ", ".join(f"`{p.name}`" for p in s.params), s.good_at, s.bad_at]
        for s in head_specs()
    ]
    return table(["task", "head", "settings", "good at", "bad at"], rows)


def _tokenizers() -> str:
    from tool_use_om.tokenizers.registry import specs

    rows = [
        [f"`{s.name}`", f"{s.parameters:,}", s.d_model, f"{s.size_mb:g} MB", s.licence, s.good_at]
        for s in specs()
    ]
    head = ["tokenizer", "parameters", "d_model", "weights", "licence", "good at"]
    return table(head, rows)


def _data() -> str:
    from tool_use_om.data.catalog import CONVERTERS, SAMPLES

    rows = [[f"`{name}`", "sample, built on first use", path] for name, path in SAMPLES.items()]
    rows += [[f"`{name}`", "converter", path] for name, path in CONVERTERS.items()]
    return table(["name", "kind", "where"], [[a, b, f"`{c}`"] for a, b, c in rows])


def _suites() -> str:
    from tool_use_om.evals.registry import SUITES

    rows = [[f"`{name}`", entry.help, f"`{entry.path}`"] for name, entry in SUITES.items()]
    return table(["suite", "what it measures", "where"], rows)


def _demo(root: Path) -> str:
    """Run the demo in a workspace of its own; copy its figures; return the answer as Markdown."""
    from tool_use_om.agent.context import AgentContext
    from tool_use_om.graphs.commands.ask import DEMO_QUESTION
    from tool_use_om.graphs.runner import run_question

    with tempfile.TemporaryDirectory() as folder:
        place = Workspace.at(folder)
        state = run_question(
            DEMO_QUESTION,
            AgentContext(workspace=str(place.root)),
            thread_id="docs",
            saver_path=place.root / "checkpoints.sqlite",
        )
        _copy_figures(place, state["result_ids"], root / "docs" / "figures")
    quoted = "\n".join(f"> {line}".rstrip() for line in str(state["answer"]).splitlines())
    return f"> **{DEMO_QUESTION}**\n>\n{quoted}"


def _copy_figures(place: Workspace, result_ids: Sequence[str], target: Path) -> None:
    """Copy the figures that README.md shows, named `demo-<task>-<figure>.png` there."""
    target.mkdir(parents=True, exist_ok=True)
    shown = (target.parents[1] / "README.md").read_text(encoding="utf-8")
    for result_id in result_ids:
        folder = place.path("results", result_id)
        data: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
        if data.get("kind") == "run_task":
            for path in sorted(folder.glob(f"*{ENDING}")):
                name = f"demo-{data['task']}-{path.name.removesuffix(ENDING)}.png"
                if name in shown:
                    (target / name).write_bytes(png(read_figure(path)))
