"""`tuom ask` and `tuom demo`: a question in, a sourced answer, a report and a trace out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace, check_name
from tool_use_om.graphs.commands.ask_console import Watcher, printable
from tool_use_om.graphs.commands.console import new_console

# answer and partial end with nought; bad input and failures with two, as everywhere
EXIT_CODES = {"refusal": 3, "question": 3, "unreadable": 4}
DEMO_QUESTION = "Find walking activities and predict the next 5 seconds of accelerometer data"

ask_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
demo_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

SAMPLE = "basic-motions"
_DATA = typer.Option(
    None, "--data", "-d", help="The data set asked about; default: yours if there is one only."
)
_FILE = typer.Option(
    None, "--file", "-f", help="A CSV or Parquet file: imported under its own name, then asked."
)
_MODEL = typer.Option(
    "offline", "--model", "-m", help="offline, google_genai:NAME, local:FOLDER, PROVIDER:NAME."
)
_WORKSPACE = typer.Option(
    None, "--workspace", help="Folder for data sets and results [$TUOM_WORKSPACE, else ./.tuom]."
)
_RUN = typer.Option(
    None, "--run", help="Name of the run; one that was stopped half-way goes on where it was."
)
_SEED = typer.Option(0, "--seed", min=0, help="Seed of everything random in the run.")

_CODE = typer.Option(False, "--code", help="Print the answer as plain Python without the agent.")
_SAVE = typer.Option(None, "--save", help="Also keep page, figures, tables and code in this zip.")


@ask_app.command()
def ask(
    question: str = typer.Argument(..., help="What you want to know, in plain language."),
    *,
    data: str | None = _DATA,
    file: Path | None = _FILE,
    model: str = _MODEL,
    workspace: Path | None = _WORKSPACE,
    run: str | None = _RUN,
    seed: int = _SEED,
    code: bool = _CODE,
    save: Path | None = _SAVE,
) -> None:
    """Ask a question about a data set; print the answer, write the report and the trace."""
    if data is not None and file is not None:
        raise DataError("--data and --file contradict each other. Give one.")
    if not question.strip():
        from tool_use_om.agent.answering import EMPTY_QUESTION

        raise DataError(EMPTY_QUESTION)
    place = Workspace.at(workspace)
    chosen = data or (imported(file, place) if file else default_data(place))
    if save is not None and not save.resolve().parent.is_dir():
        raise DataError(f"--save: there is no folder {save.resolve().parent}. Make it first.")
    _answer(
        question, data=chosen, model=model, workspace=workspace, run=run, seed=seed, code=code,
        save=save,
    )  # fmt: skip


def default_data(place: Workspace) -> str:
    """Return the data set meant where none is named: a person's only one, else the sample.

    Raises
    ------
    DataError : there are several of a person's own
    """
    from tool_use_om.data.catalog import SAMPLES, available

    own = [name for name in available(place) if name not in SAMPLES]
    how = "`tuom data list` lists data sets, `tuom data import FILE` adds yours"
    if len(own) > 1:
        shown = ", ".join(own[:8]) + (", …" if len(own) > 8 else "")
        raise DataError(f"Which data set is meant? Give --data NAME: {shown}. {how}.")
    if own:
        typer.echo(f"Asked of {own[0]}, the only data set of yours here. {how}.", err=True)
        return own[0]
    typer.echo(f"No data set is named: asked of the sample {SAMPLE}. {how}.", err=True)
    return SAMPLE


def imported(file: Path, place: Workspace) -> str:
    """Return the data set of a file: imported under the file's name, or as it is if unchanged.

    Raises
    ------
    DataError : what the import asks back, or another file's set of that name
    """
    from tool_use_om.data.catalog import datasets_folder
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.graphs.commands.imports import import_files, name_of, plan_facts, table_options

    name = name_of(file)
    folder = datasets_folder(place) / name
    if not file.is_file():
        raise DataError(f"There is no file {file}. Check the path.")
    if folder.exists():
        source = DataSet.open(folder).manifest.source
        if source != file.name:
            raise DataError(
                f"The workspace has a data set {name!r} of {source[:60]!r} already. Import the "
                f"file under another name: tuom data import {file} --name NAME"
            )
        if (folder / "manifest.json").stat().st_mtime >= file.stat().st_mtime:
            return name
    plan = import_files([file], table_options({}), name, place, replace=True)
    facts = plan_facts(plan)
    for key in ("understood", "sessions", "channels", "splits", "assumed"):
        if key in facts:
            typer.echo(f"{key:<11}{printable(facts[key])}", err=True)
    return name


@demo_app.command()
def demo(workspace: Path | None = _WORKSPACE, model: str = _MODEL, run: str | None = _RUN) -> None:
    """Run the main job on real wrist data: find walking, forecast 5 s, explain, report."""
    _answer(DEMO_QUESTION, data=SAMPLE, model=model, workspace=workspace, run=run, seed=0)


def _answer(
    question: str,
    *,
    data: str,
    model: str,
    workspace: Path | None,
    run: str | None,
    seed: int,
    code: bool = False,
    save: Path | None = None,
) -> None:
    if not question.strip():
        raise DataError(
            "The question is empty. Ask something about the data, for example: "
            '"How many sessions are there, and what channels do they have?"'
        )
    console = new_console()
    place = Workspace.at(workspace)
    from tool_use_om.agent.record.written import new_run_name, write_run

    name = check_name("--run", run) if run else new_run_name()
    console.print(Panel(Text(printable(question)), title=Text(f"{data} · {model}"), width=100))
    console.print(f"[dim]run {name}[/dim]")
    started = time.perf_counter()
    state = _watched(console, question, place, name, data=data, model=model, seed=seed)
    seconds = time.perf_counter() - started
    written = write_run(state, place, name, model=model, seed=seed, seconds=seconds)
    show(console, state, written, seconds)
    if code:
        console.print(Text(written["code"].read_text(encoding="utf-8")), soft_wrap=True)
    if save is not None:
        from tool_use_om.agent.record.bundle import bundle

        console.print(f"saved   {bundle(state, place, written, save)}", soft_wrap=True)
    if status := EXIT_CODES.get(str(state.get("outcome") or ""), 0):
        raise SystemExit(status)


def _watched(
    console: Console,
    question: str,
    place: Workspace,
    name: str,
    *,
    data: str,
    model: str,
    seed: int,
) -> Mapping[str, Any]:
    """Run the question to its end, asking the person whenever the agent does."""
    from tool_use_om.graphs.commands.ask_console import reply_of_person

    reply = None
    while True:
        with _stoppable(console, name) as watcher:
            from tool_use_om.agent.context import AgentContext
            from tool_use_om.graphs.runner import run_question

            state = run_question(
                question,
                AgentContext(model=model, dataset=data, workspace=str(place.root), seed=seed),
                thread_id=name,
                saver_path=place.root / "checkpoints.sqlite",
                on_event=watcher.on_event,
                reply=reply,
            )
        if not state.get("__interrupt__"):
            return state
        reply = reply_of_person(console, state["__interrupt__"][0], name)


@contextmanager
def _stoppable(console: Console, name: str) -> Iterator[Watcher]:
    """Show progress; on Ctrl-C say how to go on."""
    try:
        with Watcher(console) as watcher:
            yield watcher
    except KeyboardInterrupt:
        console.print(f"\nStopped. What was finished is kept; go on with: --run {name}")
        raise SystemExit(130) from None


def show(
    console: Console, state: Mapping[str, Any], written: Mapping[str, Path], seconds: float
) -> None:
    """Print an answer as what it is, and where its report and trace are.

    Raises
    ------
    DataError : the run has no answer
    """
    from rich.markdown import Markdown

    answer = str(state.get("answer") or "")
    if not answer:
        raise DataError("The run ended without an answer. Ask again in other words.")
    outcome = str(state.get("outcome") or "answer")
    console.print()
    style = "none" if outcome == "answer" else "yellow"
    title = _TITLES.get(outcome, outcome)
    shown = Markdown(printable(answer))
    console.print(Panel(shown, title=title, width=100, padding=(1, 2), border_style=style))
    findings = state.get("findings") or []
    console.print(f"{len(findings)} sourced values · {_verdict(state)} · {seconds:.1f} s")
    for kind, path in written.items():
        console.print(f"{kind:<7} {path}", soft_wrap=True)


_TITLES = {
    "answer": "answer",
    "partial": "part of an answer",
    "refusal": "no answer",
    "question": "a question back",
    "unreadable": "unreadable reply",
}


def _verdict(state: Mapping[str, Any]) -> str:
    """Return what may be promised of the answer, and what may not, on one line."""
    found = state.get("verification") or {}
    said = []
    if state.get("outcome") in EXIT_CODES:
        said.append("[red]the question was not answered[/red]")
    if rejected := found.get("rejected") or []:
        said.append(f"[red]{len(rejected)} statement(s) not supported by a result were cut[/red]")
    own = found.get("own") or []
    if own:
        said.append(f"[yellow]{len(own)} sentence(s) hold the model's own words[/yellow]")
    if left := state.get("not_understood") if state.get("findings") else ():
        said.append(f"[yellow]{len(left)} phrase(s) of the question were not used[/yellow]")
    if not own and found.get("sourced") and state.get("outcome") in {"answer", "partial"}:
        said.append("[green]every number from a tool result[/green]")
    return " · ".join(said) or "nothing was computed"
