"""`tuom`: one line a command; what a command needs is imported only when it is called."""

from __future__ import annotations

import errno
import os
import pkgutil
import sqlite3
import sys
import warnings
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
    "chat": Entry("Hold a conversation about a data set.", "chat:app"),
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

    warnings.showwarning = _show_warning
    try:
        _load(entry)(args=arguments[1:], prog_name=f"tuom {arguments[0]}")
    except TuomError as error:
        typer.echo(f"error: {plain_text(str(error))}", err=True)
        raise SystemExit(2) from error
    except (OSError, sqlite3.Error, MemoryError) as error:
        if os.environ.get("TUOM_TRACEBACK"):
            raise
        typer.echo(f"error: {plain_text(outside(error))}", err=True)
        raise SystemExit(2) from error


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def outside(error: BaseException) -> str:
    """Return in one line what the machine refused, and what to do about it."""
    where = getattr(error, "filename", None) or "the workspace"
    code, text = getattr(error, "errno", None), str(error).casefold()
    if isinstance(error, MemoryError):
        told = "The memory of this machine does not suffice. Select fewer sessions or channels."
    elif code in _FULL or "disk is full" in text:
        told = f"There is no room left to write {where}. Free some, or choose another --workspace."
    elif code in _FORBIDDEN or "readonly database" in text or "unable to open database" in text:
        told = (
            f"{where} must not be written here (read-only, or not yours). Choose a folder of yours "
            "with --workspace or $TUOM_WORKSPACE."
        )
    elif isinstance(error, sqlite3.DatabaseError):
        told = (
            f"The saved runs of the workspace are damaged ({error}). Move checkpoints.sqlite out "
            "of the workspace; data sets and results stay."
        )
    elif isinstance(error, NotADirectoryError | IsADirectoryError | FileExistsError):
        told = f"{where} is in the way: a file stands where a folder is needed. Move it."
    else:
        reason = getattr(error, "strerror", None) or error
        told = f"{where}: {reason}. Check the path and try again."
    return told


def _show_warning(
    message: Warning | str, category: type[Warning], *_: object, **__: object
) -> None:
    """Print a warning on one line; names of the data in it steer no terminal."""
    from tool_use_om.data.plain import plain_text

    typer.echo(plain_text(f"{category.__name__}: {message}"), err=True)
