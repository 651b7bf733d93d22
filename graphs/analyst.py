"""The agent as a plain Python object, for notebooks and scripts.

from tool_use_om.graphs.analyst import Analyst, read_frame

analyst = Analyst("basic-motions")
answer = analyst.ask("Find walking")
answer                     # in a notebook: the report, inline
answer.findings            # a pandas DataFrame, one row a value with its source
answer.figures             # paths of PNG files
print(answer.code)         # the same numbers by plain Python, without the agent
analyst.ask("and running?")  # a question may lean on the one before

analyst = read_frame(frame, time="when", units={"power": "kW"})   # pandas or polars
"""

from __future__ import annotations

import html
import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError, TuomError
from tool_use_om.data.values import Json, Untyped
from tool_use_om.data.workspace import Workspace, check_name

if TYPE_CHECKING:
    import pandas as pd

_HEIGHT_PX = 720


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer: its words, the values in them, and what it rests on.

    Attributes
    ----------
    text : Markdown
    outcome : "answer", "partial", "refusal", "question" (asked back) or "unreadable"
    choices : questions that may be asked instead, where it asks back
    sourced : every number comes from a tool result
    report, trace : files on disk
    code : Python source that computes the same numbers without the agent
    """

    question: str
    text: str
    outcome: str
    choices: tuple[str, ...]
    sourced: bool
    report: Path
    trace: Path
    code: str
    state: Mapping[str, Any] = field(repr=False)
    place: Workspace = field(repr=False)

    @property
    def findings(self) -> pd.DataFrame:
        """One row a value: statement, value, unit, result_id, pointer."""
        import pandas as pd

        rows = [
            {
                **{name: f.get(name) for name in ("statement", "value", "unit")},
                **{name: (f.get("source") or {}).get(name) for name in ("result_id", "pointer")},
            }
            for f in self.state.get("findings") or []
        ]
        columns = ["statement", "value", "unit", "result_id", "pointer"]
        return pd.DataFrame(rows, columns=columns)

    @property
    def figures(self) -> list[Path]:
        """The figures of this answer as PNG files, those that its report shows first in front."""
        from tool_use_om.agent.record.report import figure_files
        from tool_use_om.data.show.static import pictured

        return [pictured(path) for path in figure_files(self.state, self.place)]

    def save(self, out: str | Path) -> Path:
        """Write page, figures, tables, code and trace as one zip file; return its path.

        Raises
        ------
        DataError : its folder does not exist
        """
        from tool_use_om.agent.record.bundle import bundle

        path = Path(out)
        if not path.resolve().parent.is_dir():
            raise DataError(f"There is no folder {path.resolve().parent}. Make it first.")
        code = self.report.with_name(self.report.name.replace("report", "answer", 1))
        paths = {"report": self.report, "trace": self.trace, "code": code.with_suffix(".py")}
        return bundle(self.state, self.place, paths, path)

    def __str__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        """Return the report in a frame of its own, so that no style or script meets the page's."""
        page = html.escape(self.report.read_text(encoding="utf-8"), quote=True)
        return (
            f'<iframe srcdoc="{page}" sandbox="" title="{html.escape(self.question, quote=True)}" '
            f'style="width:100%;height:{_HEIGHT_PX}px;border:0"></iframe>'
        )


class Analyst:
    """Answers questions about one data set; each may lean on the one before.

    Parameters
    ----------
    dataset : its name in the workspace, or a sample's
    model : "offline", "google_genai:NAME", "local:FOLDER" …
    workspace : folder of data sets and results; None = $TUOM_WORKSPACE, else ./.tuom
    run : name of the conversation; None = a new one
    ask_person : answers a request for labels, ``{"windows": […], "labels": […]}`` → window → label;
        None = such a question raises DataError
    on_event : called with (mode, payload) as the run goes on

    Raises
    ------
    NotFoundError : no data set of that name
    """

    def __init__(
        self,
        dataset: str = "basic-motions",
        *,
        model: str = "offline",
        workspace: str | Path | None = None,
        seed: int = 0,
        run: str | None = None,
        ask_person: Callable[[Mapping[str, Any]], Mapping[str, str]] | None = None,
        on_event: Callable[[str, Any], None] | None = None,
    ) -> None:
        from tool_use_om.agent.record.written import new_run_name
        from tool_use_om.data.catalog import open_dataset

        self.place = Workspace.at(workspace)
        self.dataset = open_dataset(dataset, self.place).name
        self.model, self.seed = model, seed
        self.run = check_name("run", run) if run else new_run_name()
        self._ask_person, self.on_event = ask_person, on_event

    def listening(self, on_event: Callable[[str, Any], None]) -> Analyst:
        """Return the same conversation with another listener, for one question at a time."""
        other = copy(self)
        other.on_event = on_event
        return other

    def ask(self, question: str, *, back: int = 0) -> Answer:
        """Answer one question; its report and trace are written beside earlier ones.

        Parameters
        ----------
        back : ask as if the last `back` questions had not been

        Raises
        ------
        TuomError : bad input, a model that failed, or a question to a person nobody answers
        """
        from tool_use_om.agent.record.written import write_run

        started = time.perf_counter()
        state = self._state_of(question, back)
        seconds = time.perf_counter() - started
        paths = write_run(
            state, self.place, self.run, model=self.model, seed=self.seed, seconds=seconds
        )
        return Answer(
            question=str(state.get("question") or question),
            text=str(state.get("answer") or ""),
            outcome=str(state.get("outcome") or ""),
            choices=tuple(state.get("choices") or ()),
            sourced=bool((state.get("verification") or {}).get("sourced")),
            report=paths["report"],
            trace=paths["trace"],
            code=paths["code"].read_text(encoding="utf-8"),
            state=state,
            place=self.place,
        )

    def _state_of(self, question: str, back: int) -> dict[str, Any]:
        from tool_use_om.agent.context import AgentContext
        from tool_use_om.graphs.runner import run_question

        context = AgentContext(
            model=self.model, dataset=self.dataset, workspace=str(self.place.root), seed=self.seed
        )
        reply: Json = None
        while True:
            state = run_question(
                question,
                context,
                thread_id=self.run,
                saver_path=self.place.root / "checkpoints.sqlite",
                on_event=self.on_event,
                reply=reply,
                abandon=reply is None,
                back=back if reply is None else 0,
            )
            if not state.get("__interrupt__"):
                return state
            if self._ask_person is None:
                raise DataError(
                    "The question needs labels from a person. Give Analyst(ask_person=…), a "
                    "function from the windows asked about to {window_id: label}."
                )
            reply = dict(self._ask_person(state["__interrupt__"][0]))

    def __repr__(self) -> str:
        return f"Analyst({self.dataset!r}, model={self.model!r}, run={self.run!r})"


def read_frame(
    frame: Untyped,
    *,
    name: str = "frame",
    time: str | None = None,
    session: str | None = None,
    subject: str | None = None,
    label: str | None = None,
    units: Mapping[str, str] | None = None,
    skip: Sequence[str] = (),
    rate_hz: float | None = None,
    tz: str | None = None,
    workspace: str | Path | None = None,
    **analyst: Json,
) -> Analyst:
    """Take a pandas or polars frame as a data set of the workspace and return its analyst.

    One row a moment, one column a channel; what is not said is found by evidence, as for files
    (`tuom data import`). A pandas index of dates is the time column where none is named.

    Parameters
    ----------
    frame : pandas.DataFrame or polars.DataFrame
    name : of the data set; one of that name that came from a frame is replaced
    units : column → unit
    rate_hz : needed where there is no time column
    analyst : further arguments of `Analyst`

    Raises
    ------
    DataError : no frame, no time, text among the channels; the message says what to give
    NotFoundError : a column that does not exist
    """
    from tool_use_om.data.catalog import datasets_folder
    from tool_use_om.data.converters.table.convert import convert
    from tool_use_om.data.converters.table.options import TableOptions

    table = _as_pandas(frame, time)
    given = {
        "time": time, "session": session, "subject": subject, "label": label,
        "units": dict(units or {}), "skip": tuple(skip), "rate_hz": rate_hz, "tz": tz,
    }  # fmt: skip
    options = TableOptions.model_validate(given)
    place = Workspace.at(workspace)
    target = datasets_folder(place) / check_name("A data set name", name)
    _check_ours(target)
    with tempfile.TemporaryDirectory(prefix="tuom-frame-") as folder:
        file = Path(folder) / f"{name}{_MARK}"
        table.to_parquet(file)
        try:
            convert(file, target, options=options, replace=True)
        except TuomError as error:
            raise type(error)(_as_arguments(str(error))) from error
    return Analyst(name, workspace=workspace, **analyst)


_MARK = ".frame.parquet"


def _check_ours(target: Path) -> None:
    """Refuse to replace a data set that came from elsewhere."""
    from tool_use_om.data.format.dataset import DataSet

    if target.exists() and not DataSet.open(target).manifest.source.endswith(_MARK):
        raise DataError(
            f"The workspace has a data set {target.name!r} that is no frame's. Give another name=."
        )


def _as_pandas(frame: Untyped, time_column: str | None) -> pd.DataFrame:
    import pandas as pd

    if isinstance(frame, pd.DataFrame):
        table = frame
    elif hasattr(frame, "to_arrow"):
        table = pd.DataFrame(frame.to_arrow().to_pandas())
    else:
        raise DataError(
            f"A pandas or polars DataFrame is needed, got {type(frame).__name__}. "
            "Files are imported by `tuom data import FILE`."
        )
    if time_column is None and isinstance(table.index, pd.DatetimeIndex):
        return table.rename_axis(
            "time" if table.index.name is None else str(table.index.name)
        ).reset_index()
    return table.reset_index(drop=True)


def _as_arguments(text: str) -> str:
    """Return an import's error with its flags as the arguments of `read_frame`."""
    told = re.sub(r"--rate\b", "rate_hz=", text)
    return re.sub(r"--([a-z]+)\b", r"\1=", told)
