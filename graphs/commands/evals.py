"""`tuom eval`: run a suite, print and keep its report.

A suite's options are the settings that the suite itself states; nothing of them is written here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from types import GenericAlias
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

import typer

from tool_use_om.data.values import Json
from tool_use_om.evals.registry import SUITES
from tool_use_om.graphs.commands.console import WorkspaceOption

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from tool_use_om.data.workspace import Workspace
    from tool_use_om.evals.suites.base import BaseSuite

app = typer.Typer(help="Run an evaluation suite.", no_args_is_help=True, rich_markup_mode=None)

_OUT = Annotated[
    Path | None,
    typer.Option("--out", help="Folder to keep items and report in; repeat it to go on."),
]
_BOUNDS = {"ge": "min", "le": "max"}  # pydantic's words for typer's
_PASSED_ON = {"ignore_unknown_options": True, "allow_extra_args": True}


def _add(name: str, told: str) -> None:
    """Add a suite's name and help line; what it takes is looked up when it is called."""

    @app.command(name, help=told, add_help_option=False, context_settings=_PASSED_ON)
    def passed_on(context: typer.Context) -> None:
        command(name)(args=context.args, prog_name=f"tuom eval {name}")


def command(name: str) -> typer.Typer:
    """Return the command of a suite: an option for each of its settings, `--out`, `--workspace`."""
    from tool_use_om.evals.registry import suite_class

    suite = suite_class(name)
    made = typer.Typer(add_completion=False, rich_markup_mode=None)
    made.command(name, help=SUITES[name].help)(_command(suite))
    return made


def _command(suite: type[BaseSuite]) -> Callable[..., None]:
    """Return a function whose keyword parameters typer reads as the suite's options."""

    def run(*, out: Path | None = None, workspace: Path | None = None, **given: Json) -> None:
        _run(suite, out, workspace, {k: v for k, v in given.items() if v is not None})

    options = {name: _option(name, field) for name, field in suite.takes.stated().items()}
    seed = {"seed": options.pop("seed")}
    kinds = options | {"out": (_OUT, None), "workspace": (WorkspaceOption, None)} | seed
    keyword = inspect.Parameter.KEYWORD_ONLY
    run.__annotations__ = {name: kind for name, (kind, _) in kinds.items()}
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # what typer reads
        [
            inspect.Parameter(name, keyword, annotation=kind, default=default)
            for name, (kind, default) in kinds.items()
        ]
    )
    return run


def _option(name: str, field: FieldInfo) -> tuple[Any, Json]:
    """Return a setting's type as typer reads it, and its default."""
    marks = [(m, a) for m in field.metadata for a in _BOUNDS if hasattr(m, a)]
    bounds = {_BOUNDS[a]: getattr(mark, a) for mark, a in marks}
    default = ... if field.is_required() else field.default
    kind: Any = field.annotation
    if get_origin(kind) is tuple:  # typer repeats an option for a list
        many = GenericAlias(list, get_args(kind)[:1])
        kind, default = (many, default) if default is ... else (many | None, default or None)
    switch = kind is bool
    words = (f"--{name.replace('_', '-')}", *([f"--no-{name}"] if switch else []))
    told = "/".join(words)
    return Annotated[kind, typer.Option(told, help=field.description, **bounds)], default


def _run(suite: type[BaseSuite], out: Path | None, root: Path | None, given: Json) -> None:
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.evals.runner import command_of, run_suite

    place = Workspace.at(root)
    made = suite(workspace=place, **given)
    folder = out or _default_folder(place, "-".join(p for p in (made.name, made.asked.label) if p))
    again = command_of(made.name, **made.asked.shown())
    report = run_suite(made, folder, command=again, on_item=_progress)
    typer.echo(report.read_text(encoding="utf-8"))
    typer.echo(f"Report, items and results: {folder}")


def _default_folder(place: Workspace, name: str) -> Path:
    safe = "".join(c if c.isalnum() or c in "-_." else "-" for c in name)
    return place.folder("evals", safe[:80].strip("-."))


def _progress(done: int, total: int, item: str) -> None:
    typer.echo(f"[{done + 1}/{total}] {item}", err=True)


for _name, _entry in SUITES.items():
    _add(_name, _entry.help)
