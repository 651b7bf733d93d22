"""`tuom chat`: one question after the other, each of which may lean on the one before."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.text import Text

from tool_use_om.data.errors import DataError, TuomError
from tool_use_om.data.workspace import Workspace, check_name
from tool_use_om.graphs.commands.ask import (
    _DATA,
    _FILE,
    _MODEL,
    _SEED,
    _WORKSPACE,
    default_data,
    imported,
    show,
)
from tool_use_om.graphs.commands.ask_console import Watcher, printable, reply_of_person
from tool_use_om.graphs.commands.console import new_console

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_RUN = typer.Option(None, "--run", help="Name of the conversation; one that exists goes on.")
_BACK = typer.Option(0, "--back", min=0, help="Go on as if the last N turns had not been.")
HELP = """\
Ask in plain words; a question may lean on the one before: "and running?", "only the first 5 s",
"what about the y axis?", "why not knn?", "plot it". "Start over" forgets what was asked before.

/back [N]    go on as if the last N turns (1) had not been
/data NAME   ask another data set
/frame       what the next question can lean on
/help        this
/quit        leave; `tuom chat --run NAME` goes on later (Ctrl-D leaves, too)

Ctrl-C stops a question that runs; what it found is kept."""


@app.command()
def chat(
    *,
    data: str | None = _DATA,
    file: Path | None = _FILE,
    model: str = _MODEL,
    workspace: Path | None = _WORKSPACE,
    run: str | None = _RUN,
    back: int = _BACK,
    seed: int = _SEED,
) -> None:
    """Hold a conversation about a data set; each answer has its report."""
    if data is not None and file is not None:
        raise DataError("--data and --file contradict each other. Give one.")
    place = Workspace.at(workspace)
    chosen = data or (imported(file, place) if file else default_data(place))
    from tool_use_om.agent.record.written import new_run_name

    name = check_name("--run", run) if run else new_run_name()
    if back and run is None:
        raise DataError("--back goes back in a conversation that exists. Name it with --run.")
    console = new_console()
    console.print(f"[dim]{printable(chosen)} · {printable(model)} · conversation {name}[/dim]")
    console.print("[dim]/help says what can be asked; Ctrl-D or /quit leaves[/dim]\n")
    talk = Chat(console, place, name, data=chosen, model=model, seed=seed, back=back)
    talk.loop(_reader_of_lines(console, place))


@dataclass
class Chat:
    """One conversation at the terminal."""

    console: Console
    place: Workspace
    name: str
    data: str
    model: str
    seed: int = 0
    back: int = 0
    open: bool = field(default=False, init=False)

    def loop(self, read: Callable[[], str | None]) -> None:
        """Answer line after line until there is none."""
        while (line := read()) is not None:
            try:
                if not self.take(line.strip()):
                    return
            except TuomError as error:
                self.console.print(Text(f"error: {printable(str(error))}", style="red"))
            except KeyboardInterrupt:
                self.open = True
                self.console.print("\nStopped. Ask on, or ask the same again to finish it.")
        self.console.print(f"[dim]`tuom chat --run {self.name}` goes on from here.[/dim]")

    def take(self, line: str) -> bool:
        """Carry out one line; False = leave."""
        command, _, rest = line.partition(" ")
        if not line:
            return True
        if command in {"/quit", "/exit", "/q"}:
            self.console.print(f"[dim]`tuom chat --run {self.name}` goes on from here.[/dim]")
            return False
        if command.startswith("/"):
            self._command(command, rest.strip())
        else:
            self._ask(line)
        return True

    def _command(self, command: str, rest: str) -> None:
        if command == "/help":
            self.console.print(Text(HELP))
        elif command == "/data":
            self._other_data(rest)
        elif command == "/back":
            self.back += _count(rest)
            self.console.print(f"[dim]The next question is asked {self.back} turn(s) back.[/dim]")
        elif command == "/frame":
            self.console.print(Text(printable(self._frame())))
        else:
            raise DataError(f"There is no command {command!r}. /help lists them.")

    def _other_data(self, name: str) -> None:
        from tool_use_om.data.catalog import open_dataset

        if not name:
            raise DataError("Which one? /data NAME; `tuom data list` lists data sets.")
        self.data = open_dataset(name, self.place).name
        self.console.print(f"[dim]{self.data} is asked about from here on.[/dim]")

    def _frame(self) -> str:
        from tool_use_om.agent.offline.talk.wording import in_words
        from tool_use_om.graphs.runner import frame_of

        asks = frame_of(self.name, self.place.root / "checkpoints.sqlite").query.asks
        return in_words(asks) if asks else "Nothing yet: the next question stands by itself."

    def _ask(self, question: str) -> None:
        from tool_use_om.agent.record.written import write_run

        started = time.perf_counter()
        state = self._run(question)
        seconds = time.perf_counter() - started
        paths = write_run(
            state, self.place, self.name, model=self.model, seed=self.seed, seconds=seconds
        )
        show(self.console, state, {"report": paths["report"]}, seconds)
        self.console.print()

    def _run(self, question: str) -> Mapping[str, Any]:
        from tool_use_om.agent.context import AgentContext
        from tool_use_om.graphs.runner import run_question

        context = AgentContext(
            model=self.model, dataset=self.data, workspace=str(self.place.root), seed=self.seed
        )
        back, self.back, reply = self.back, 0, None
        while True:
            with Watcher(self.console, quiet=True) as watcher:
                state = run_question(
                    question,
                    context,
                    thread_id=self.name,
                    saver_path=self.place.root / "checkpoints.sqlite",
                    on_event=watcher.on_event,
                    reply=reply,
                    abandon=reply is None and not self._resumes(question),
                    back=back,
                )
            self.open = False
            if not state.get("__interrupt__"):
                return state
            back, self.open = 0, True
            reply = reply_of_person(self.console, state["__interrupt__"][0], self.name)

    def _resumes(self, question: str) -> bool:
        """Say whether a question is the one that was stopped, asked again to finish it."""
        from tool_use_om.graphs.runner import unfinished

        saver = self.place.root / "checkpoints.sqlite"
        return unfinished(self.name, saver).casefold() == question.casefold()


def _count(text: str) -> int:
    if not text:
        return 1
    if not text.isdigit() or int(text) < 1:
        raise DataError(f"/back takes a whole number of turns, got {text!r}, such as /back 2.")
    return int(text)


def _reader_of_lines(console: Console, place: Workspace) -> Callable[[], str | None]:
    """Return what reads one line: with a history and arrow keys at a terminal, else as it comes."""
    if not sys.stdin.isatty():
        return _next_of_input(console)
    history = place.root / "chat_history"
    with suppress(ImportError, OSError):  # no readline on Windows; a history not yet there
        import readline

        readline.set_history_length(1000)
        readline.read_history_file(history)

    def read() -> str | None:
        try:
            line = input("you> ")
        except EOFError:
            return None
        except KeyboardInterrupt:
            console.print("\n[dim]Ctrl-D or /quit leaves.[/dim]")
            return ""
        with suppress(ImportError, OSError, NameError):
            readline.write_history_file(history)
        return line

    return read


def _next_of_input(console: Console) -> Callable[[], str | None]:
    def read() -> str | None:
        line = sys.stdin.readline()
        if not line:
            return None
        console.print(Text(f"you> {printable(line.strip())}", style="bold"))
        return line

    return read
