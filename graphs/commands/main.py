"""`tuom`: one line a command; what a command needs is imported only when it is called."""

from __future__ import annotations

import errno
import logging
import os
import pkgutil
import re
import sqlite3
import sys
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

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
    "mcp": Entry("Serve the agent to MCP clients: Claude Desktop, VS Code, Cursor.", "mcp:app"),
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
    "reader": Entry("Train and try the reader of questions.", "language.reader:app"),
    "describe": Entry(
        "The describing layer: check its corpus, train it, judge it.", "language.describe:app"
    ),
    "eval": Entry("Run an evaluation suite.", "evals:app"),
    "study": Entry(
        "Study which kind of model could tell an event, and whether any can.", "study:app"
    ),
    "traces": Entry(
        "List and export the saved traces of runs.",
        "training:traces_app",
    ),
    "sft": Entry(
        "Fine-tune an orchestrator on exported traces (TRL + LoRA).",
        "training:sft_app",
    ),
    "orchestrator": Entry(
        "Install, train and inspect the trained orchestrator.",
        "language.orchestrator:app",
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
    from tool_use_om.graphs.commands.console import plain_echo

    warnings.showwarning = _show_warning
    logging.lastResort = _Logged()
    typer.echo = plain_echo  # whatever a command prints, of whatever source
    try:
        _load(entry)(args=arguments[1:], prog_name=f"tuom {arguments[0]}")
    except TuomError as error:
        _stop(str(error), 2, error)
    except (OSError, sqlite3.Error, MemoryError) as error:
        _stop(outside(error), 2, error)
    except Exception as error:  # noqa: BLE001 - a person is never shown a traceback
        told = _misfit(error)
        _stop(told or own_fault(error), 2 if told else 70, error)


_LONG = re.compile(r"\S{160,}")


def _stop(told: str, code: int, error: BaseException) -> NoReturn:
    """End with one paragraph and an exit code; endless words in it are cut."""
    if os.environ.get("TUOM_TRACEBACK"):
        raise error
    short = _LONG.sub(lambda word: f"{word[0][:60]}…{word[0][-20:]}", told)
    typer.echo(f"error: {short}", err=True)
    raise SystemExit(code) from error


def _misfit(error: Exception) -> str:
    """Return in one line which value of a configuration does not fit; empty for other errors."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return ""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"])) or error.title
    said = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
    return (
        f"{where}: {said}, got {str(first['input'])[:60]!r}. Give another value, or leave it out."
    )


def own_fault(error: BaseException) -> str:
    """Return in one line what only a fault of this program can be, and where it came up."""
    at = traceback.extract_tb(error.__traceback__)
    ours = [f for f in at if "site-packages" not in f.filename] or at
    where = f" at {os.path.basename(ours[-1].filename)}:{ours[-1].lineno}" if ours else ""  # noqa: PTH119 - no path is meant
    said = " ".join(str(error).split())[:200]
    return (
        f"tuom met a fault of its own ({type(error).__name__}: {said}{where}). Nothing of yours is "
        "at fault; run it again with TUOM_TRACEBACK=1 and report what it shows."
    )


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


class _Logged(logging.Handler):
    """Prints what libraries log where nobody listens, as plain text on one line."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record."""
        typer.echo(" ".join(record.getMessage().split()), err=True)


def _show_warning(
    message: Warning | str, category: type[Warning], *_: object, **__: object
) -> None:
    """Print a warning on one line; names of the data in it steer no terminal."""
    from tool_use_om.data.plain import plain_text

    typer.echo(plain_text(f"{category.__name__}: {message}"), err=True)


if __name__ == "__main__":
    main()
