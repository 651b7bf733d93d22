"""`tuom`: one line a command; what a command needs is imported only when it is called."""

from __future__ import annotations

import pkgutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import typer

from tool_use_om.data.values import Untyped


@dataclass(frozen=True)
class Entry:
    """A command's help line and where its typer app is: `file:attribute` of this folder."""

    help: str
    target: str


COMMANDS = {
    "demo": Entry(
        "The main job, offline: find, forecast, explain, report.",
        "ask:demo_app",
    ),
    "ask": Entry("Ask a question about a data set.", "ask:ask_app"),
    "data": Entry("List, show, import, convert and plot data sets.", "data:app"),
    "tokenizers": Entry(
        "List the frozen tokenizers and where their weights are.",
        "tokenizers:app",
    ),
    "pretrain": Entry(
        "Train a small MOMENT tokenizer on synthetic series.",
        "pretrain:app",
    ),
    "adapt": Entry(
        "Adapt a tokenizer to an extreme domain (LoRA beside the frozen weights).",
        "tokenizers:adapt_app",
    ),
    "reader": Entry("Train and try the reader of questions.", "reader:app"),
    "eval": Entry("Run an evaluation suite.", "evals:app"),
    "traces": Entry(
        "List and export the saved traces of runs.",
        "training:traces_app",
    ),
    "sft": Entry(
        "Fine-tune an orchestrator on exported traces (TRL + LoRA).",
        "training:sft_app",
    ),
    "docs": Entry("Write the generated parts of README.md and docs/.", "docs:app"),
    "bench": Entry("Measure the figures in docs/benchmarks.md.", "bench:app"),
}


def _index() -> typer.Typer:
    """Return an app that only knows the commands' names and help lines."""
    app = typer.Typer(
        name="tuom",
        help="Questions to time series, answered with numbers one can trace.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
    )

    def version(*, wanted: bool) -> None:
        if wanted:
            from importlib.metadata import version as installed

            typer.echo(f"tool-use-om {installed('tool-use-om')}")
            raise typer.Exit

    @app.callback()
    def options(
        *,
        _version: bool = typer.Option(
            False,
            "--version",
            callback=lambda value: version(wanted=value),
            is_eager=True,
            help="Print the version.",
        ),
    ) -> None:
        """Questions to time series, answered with numbers one can trace."""

    for name, entry in COMMANDS.items():
        app.command(name, help=entry.help)(lambda: None)
    return app


def _load(entry: Entry) -> Untyped:
    return pkgutil.resolve_name(f"tool_use_om.graphs.commands.{entry.target}")


def main(argv: Sequence[str] | None = None) -> None:
    """Run `tuom`; errors meant for a person are printed as one paragraph and exit with 2."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    entry = COMMANDS.get(arguments[0]) if arguments else None
    if entry is None:
        _index()(args=arguments, prog_name="tuom")
        return
    from tool_use_om.data.errors import TuomError
    from tool_use_om.data.plain import plain_text

    try:
        _load(entry)(args=arguments[1:], prog_name=f"tuom {arguments[0]}")
    except TuomError as error:
        typer.echo(f"error: {plain_text(str(error))}", err=True)
        raise SystemExit(2) from error
