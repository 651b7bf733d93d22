"""Any CSV or Parquet table, or several of one clock: understood by evidence, or asked back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tool_use_om.data.converters.table.columns import slug
from tool_use_om.data.converters.table.files.cells import Cells, read_cells
from tool_use_om.data.converters.table.names import told_by, with_names
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.converters.table.plan import TablePlan, plan_sessions
from tool_use_om.data.converters.table.readings import Understood
from tool_use_om.data.converters.table.several import as_sessions, file_names
from tool_use_om.data.converters.table.understand import understand
from tool_use_om.data.errors import DataError, unknown
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.progress import Progress, track

MOST_DRAWN = 300  # channels: a picture of more shows nothing
_OPTIONAL = ("session", "subject", "label", "split", "sensor", "value")


def convert(
    source: Path | Sequence[Path],
    target: Path,
    *,
    options: TableOptions,
    progress: Progress | None = None,
    replace: bool = False,
) -> TablePlan:
    """Import a table, or several that share a clock, as the data set `target`.

    Several tables with the same columns are a session each. Of others each is a modality named
    after its file, at its own rate; a session starts with the earliest of its samples. Nothing is
    left at `target` if the tables are refused.

    Raises
    ------
    DataError : what `plan_files` or `DataSetWriter.add_session` refuses
    NotFoundError : a column or unit that does not exist

    Not covered: tables larger than memory.
    """
    sources = [source] if isinstance(source, Path) else list(source)
    plan = plan_files(sources, options, target.name)
    n_channels = sum(len(m.channels) for m in plan.modalities)
    writer = DataSetWriter(
        target,
        name=target.name,
        title=options.title or f"Imported from {', '.join(s.name for s in sources)}",
        synthetic=False,
        licence=options.licence,
        source=", ".join(s.name for s in sources),
        modalities=plan.modalities,
        split_rule=plan.split_rule,
        notes=plan.notes,
        gap_s=plan.gap_s,
        calendar=plan.calendar,
        session_noun=plan.session_noun,
        subject_disjoint=plan.by_subject,
        double=plan.double,
        replace=replace,
        debug=n_channels <= MOST_DRAWN,
    )
    total = len(plan.sessions)
    with writer:
        for session in track(plan.sessions, progress, phase="import", unit="sessions", total=total):
            writer.add_session(
                session.session_id,
                subject_id=session.subject_id,
                split=session.split,
                signals=session.signals,
                labels=session.labels,
                start_utc=session.start_utc,
                duration_s=session.given_s,
            )
    return plan


def plan_files(sources: Sequence[Path], options: TableOptions, name: str) -> TablePlan:
    """Return what the files mean together, before anything is written.

    Several with the same columns are a session each, named after its file. Of others, the first
    says whose sessions they are; the others may lack the columns of session, subject, label and
    split. Without a session column all of them are one session `name`.

    Raises
    ------
    DataError : an unreadable file, text among the channels, unreadable time, --rate for several
    NotFoundError : a column, unit or split that does not exist
    """
    cells = [
        read_cells(
            s,
            decimal=options.decimal,
            separator=options.separator,
            encoding=options.encoding,
            sheet=options.sheet,
        )
        for s in sources
    ]
    if (together := as_sessions(sources, cells, options)) is not None:
        rows, session = together
        own = options.model_copy(update={"session": session})
        table = understand(rows, own, name)
        if session not in cells[0].columns:
            names = file_names(sources)
            of = {slug(n): n for n in names}
            table = with_names(table, told_by(names), of, options)
        return plan_sessions([table], own)
    several = len(sources) > 1
    if several and options.rate_hz is not None:
        raise DataError("--rate holds for one table; of several, each rate is measured.")
    columns = [c for one in cells for c in one.names]
    for key in options.units:
        if several and not any(c.startswith(key) for c in columns):
            raise unknown("column", key, columns)
    tables: list[Understood] = []
    for source, one in zip(sources, cells, strict=True):
        own = options
        if several:
            own = _own(one, options, first=not tables)
            own = own.model_copy(update={"modality": slug(source.stem.partition(".")[0])})
        stem = name if several else slug(source.name.partition(".")[0]) or name
        table = understand(one, own, stem)
        if not several:
            (of_file,) = file_names(sources)
            table = with_names(table, told_by([of_file]), {slug(stem): of_file}, options)
        tables.append(table)
    return plan_sessions(tables, options)


def _own(cells: Cells, options: TableOptions, *, first: bool) -> TableOptions:
    """Return the options that this table has columns for."""
    kept = {k: u for k, u in options.units.items() if any(c.startswith(k) for c in cells.names)}
    update: dict[str, object] = {"units": kept}
    update |= {"skip": tuple(c for c in options.skip if c in cells.columns)}
    if not first:
        update |= {k: None for k in _OPTIONAL if getattr(options, k) not in cells.columns}
        if options.session is None:
            update |= {"session": "none"}
    return options.model_copy(update=update)
