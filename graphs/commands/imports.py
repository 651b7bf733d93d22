"""`tuom data import`: what was understood of a table, shown in some ten lines, and the import."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace, check_name
from tool_use_om.graphs.commands.console import WorkspaceOption, bars, literal, show_text

if TYPE_CHECKING:
    from tool_use_om.data.converters.table.options import TableOptions
    from tool_use_om.data.converters.table.plan import PlannedSession, TablePlan
    from tool_use_om.data.format.calendar import Step

_FEWEST_LETTERS = 3  # that names of files share, for a name of all
_SHOWN = 12  # channels that are named
_FLAGS = {"rate_hz": "rate", "time_unit": "time-unit", "split_by": "split-by"}


def import_table(
    files: Annotated[
        list[Path],
        typer.Argument(help="The table; or several, each a session or a modality."),
    ],
    *,
    time: Annotated[str | None, typer.Option(help="The time column, or Date+Time.")] = None,
    session: Annotated[
        str | None, typer.Option(help="The column that tells sessions apart.")
    ] = None,
    subject: Annotated[str | None, typer.Option(help="The column that says whose it is.")] = None,
    label: Annotated[str | None, typer.Option(help="The column with labels.")] = None,
    split: Annotated[str | None, typer.Option(help="The column with train, …, test.")] = None,
    sensor: Annotated[
        str | None, typer.Option(help="Long form, one row a reading: the sensor's column.")
    ] = None,
    value: Annotated[str | None, typer.Option(help="Long form: the reading's column.")] = None,
    units: Annotated[str, typer.Option(help="Units: acc=g,gyro=deg/s by column or prefix.")] = "",
    missing: Annotated[
        str, typer.Option(help="Numbers that mean missing: -99,9999; none keeps all.")
    ] = "",
    sheet: Annotated[str | None, typer.Option(help="The sheet of a workbook.")] = None,
    skip: Annotated[str, typer.Option(help="Columns to leave out: note,id")] = "",
    rate: Annotated[
        float | None, typer.Option(help="Rate in Hz; default: measured. Needs no time column.")
    ] = None,
    time_unit: Annotated[
        str, typer.Option(help="auto, s, ms, us, ns, min, h, day or excel.")
    ] = "auto",
    day_first: Annotated[bool, typer.Option("--day-first", help="01/02 is 1 February.")] = False,
    month_first: Annotated[bool, typer.Option("--month-first", help="01/02 is 2 January.")] = False,
    tz: Annotated[
        str | None, typer.Option(help="Zone of times written without one: Europe/Berlin.")
    ] = None,
    decimal: Annotated[str, typer.Option(help="The decimal sign: auto, . or ,")] = "auto",
    separator: Annotated[str, typer.Option(help="auto, comma, semicolon, tab or a sign.")] = "auto",
    encoding: Annotated[str, typer.Option(help="auto, utf-8, latin-1 …")] = "auto",
    modality: Annotated[str, typer.Option(help="What to call the channels together.")] = "signal",
    split_by: Annotated[
        str, typer.Option(help="auto, session, or time inside each session.")
    ] = "auto",
    licence: Annotated[str, typer.Option(help="The data's licence.")] = "not stated",
    name: Annotated[str | None, typer.Option("--name", help="The data set's name.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what is understood.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what is understood as JSON.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a set of that name.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Import a CSV or Parquet table; its columns are found by evidence, and what was found is said.

    One row a moment and one column a channel, or long form: one row a reading. Several tables with
    the same columns are a session each, named after its file. Others make one set of several rates:
    each is a modality named after its file, and all share one clock and, if named, the session
    column. A use that no column has is called none: --label none.
    """
    if day_first and month_first:
        raise DataError("--day-first and --month-first contradict each other. Give one.")
    order = "day-first" if day_first else "month-first" if month_first else "auto"
    given = {
        "time": time, "session": session, "subject": subject, "label": label, "split": split,
        "sensor": sensor, "value": value, "units": pairs(units), "skip": names(skip),
        "missing": names(missing), "sheet": sheet,
        "rate_hz": rate, "time_unit": time_unit, "order": order, "tz": tz, "decimal": decimal,
        "separator": separator, "encoding": encoding, "modality": modality, "licence": licence,
        "split_by": split_by,
    }  # fmt: skip
    options = table_options(given)
    target = check_name("A data set name", name_of(*files) if name is None else name)
    if dry_run:
        from tool_use_om.data.converters.table.convert import plan_files

        plan = plan_files(files, options, target)
        return _told(plan, target, as_json=as_json, last="Nothing was written (--dry-run).")
    plan = import_files(files, options, target, Workspace.at(workspace), replace=replace)
    return _told(plan, target, as_json=as_json, last=f'Ask it: tuom ask "…" --data {target}')


def table_options(given: Mapping[str, object]) -> TableOptions:
    """Return what was said of a table, checked; DataError names the option that is wrong."""
    from pydantic import ValidationError

    from tool_use_om.data.converters.table.options import TableOptions

    blank = [k for k, v in given.items() if isinstance(v, str) and not v.strip()]
    if blank:
        raise DataError(f"--{blank[0].replace('_', '-')} is empty. Name a column, or leave it out.")
    try:
        return TableOptions.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        flag = str(first["loc"][0])
        expected = str(first.get("ctx", {}).get("expected") or first["msg"]).removeprefix("Input ")
        expected = expected.removeprefix("Value error, ").removeprefix("should be ").rstrip(".")
        raise DataError(
            f"--{_FLAGS.get(flag, flag)}: expected {expected}, got {first['input']!r}."
        ) from error


def import_files(
    files: Sequence[Path],
    options: TableOptions,
    target: str,
    space: Workspace,
    *,
    replace: bool = False,
) -> TablePlan:
    """Import tables as the workspace's data set `target`; return what was understood."""
    from tool_use_om.data.catalog import datasets_folder
    from tool_use_om.data.converters.table.convert import convert

    with bars() as progress:
        folder = datasets_folder(space) / target
        return convert(list(files), folder, options=options, progress=progress, replace=replace)


def name_of(*files: Path) -> str:
    """Return the data set name of files: how the names of several begin, else the first's."""
    from tool_use_om.data.converters.table.columns import slug

    stems = [slug(file.name.partition(".")[0]) for file in files]
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*stems, strict=False))
    shared = "".join(letters[0] for letters in alike).rstrip("0123456789_-+")
    shared = shared if len(files) > 1 else ""
    return (shared if len(shared) >= _FEWEST_LETTERS else stems[0]) or "data"


def plan_facts(plan: TablePlan) -> dict[str, str]:
    """Return in words what was understood, and what was assumed."""
    lengths = [s.duration_s for s in plan.sessions]
    many = len(plan.sessions)
    first = ", ".join(s.session_id for s in plan.sessions[:5]) + (", …" if many > 5 else "")
    subjects = sorted({s.subject_id for s in plan.sessions})
    labels = Counter(label for s in plan.sessions for _, _, label, _ in s.labels)
    blocks = [("whole", s.split) for s in plan.sessions if isinstance(s.split, str)]
    blocks += [
        ("block", b.split) for s in plan.sessions if not isinstance(s.split, str) for b in s.split
    ]
    counts = Counter(split for _, split in blocks)
    channels = [f"{m.name}.{c.name} {c.unit}" for m in plan.modalities for c in m.channels]
    more = f" and {len(channels) - _SHOWN} more" if len(channels) > _SHOWN else ""
    facts = {
        "rows": str(plan.n_rows),
        "understood": "; ".join(plan.said),
        "rate": ", ".join(
            dict.fromkeys(_rate_text(m.rate_hz, plan.calendar.step) for m in plan.modalities)
        ),
        "gaps": _gaps(plan),
        "sessions": f"{many}, {_spread(lengths)}: {first}",
        "subjects": "not told" if subjects == ["unknown"] else ", ".join(subjects[:8]),
        "labels": ", ".join(f"{k} ({n})" for k, n in labels.most_common(8)) or "none",
        "channels": ", ".join(channels[:_SHOWN]) + more,
        "splits": ", ".join(f"{s} {counts[s]}" for s in ("train", "calibration", "test"))
        + (" blocks" if plan.gap_s is not None else " sessions"),
        "split rule": plan.split_rule,
    }
    return facts | ({"assumed": " ".join(plan.notes)} if plan.notes else {})


def _spread(lengths: Sequence[float]) -> str:
    from tool_use_om.data.converters.table.plan import length_text

    low, high = length_text(min(lengths)), length_text(max(lengths))
    return low if low == high else f"{low} to {high}"


def _gaps(plan: TablePlan) -> str:
    """Return what lacks on the sampling grid or calendar, as the check of data finds it."""
    import numpy as np

    from tool_use_om.data.format.calendar import STEP_WORDS, date_text
    from tool_use_om.data.quality.grid import Holes, holes
    from tool_use_om.data.units import duration_text

    rate = {m.name: m.rate_hz for m in plan.modalities}
    found: list[tuple[float, str, Holes, PlannedSession]] = []
    for session in plan.sessions:
        for name, (time_s, _) in session.signals.items():
            here = holes(time_s, rate[name])
            if here.n:
                found.append((float((here.end_s - here.start_s).max()), name, here, session))
    bare = sum(
        int(np.isnan(values).sum()) for s in plan.sessions for _, values in s.signals.values()
    )
    cells = f"{bare} value{'s' * (bare != 1)} missing (NaN)"
    if not found:
        return f"none, but {cells}" if bare else "none"
    n, lacking = sum(h.n for _, _, h, _ in found), sum(h.n_missing for _, _, h, _ in found)
    total = duration_text(sum(h.missing_s for _, _, h, _ in found))
    _, _, worst, session = max(found, key=lambda row: row[0])
    at = float(worst.start_s[int((worst.end_s - worst.start_s).argmax())])
    where = f"{at:g} s into {session.session_id}"
    if session.start_utc is not None:
        stamp = plan.calendar.stamps(session.start_utc, np.array([at]))[0]
        where = date_text(stamp, plan.calendar.step)
    things = "samples" if plan.calendar.step is None else STEP_WORDS[plan.calendar.step]
    samples = f"1 {things.removesuffix('s')} lacks" if lacking == 1 else f"{lacking} {things} lack"
    in_all = f", {total} in all" if plan.calendar.step is None else ""
    return f"{n}: {samples}{in_all}; the longest after {where}" + (f"; {cells}" if bare else "")


def _rate_text(rate_hz: float, step: Step | None = None) -> str:
    if step is not None:
        return f"one value a {step.replace('_', ' ')}"
    if rate_hz >= 0.5:
        return f"{rate_hz:g} Hz"
    seconds = 1 / rate_hz
    size, unit = next(
        ((s, u) for s, u in ((86400, "days"), (3600, "h"), (60, "min")) if seconds >= s), (1, "s")
    )
    return f"a sample every {seconds / size:.4g} {unit}"


def _told(plan: TablePlan, target: str, *, as_json: bool, last: str) -> None:
    facts = plan_facts(plan)
    if as_json:
        content: dict[str, Any] = {"name": target, **facts, "notes": list(plan.notes)}
        typer.echo(json.dumps(content, indent=1, ensure_ascii=False))
        return
    for key, text in {"data set": target, **facts}.items():
        show_text(f"[bold]{key:<11}[/bold]{literal(text)}")
    show_text(literal(last))


def names(text: str) -> list[str]:
    """Return the parts of a comma-separated list."""
    return [part.strip() for part in text.split(",") if part.strip()]


def pairs(text: str) -> dict[str, str]:
    """Return column=unit pairs; raise DataError for another form."""
    found: dict[str, str] = {}
    for part in names(text):
        key, equals, value = part.partition("=")
        if not (key.strip() and equals):
            raise DataError(
                f"--units takes column=unit pairs such as acc=g,gyro=deg/s; got {part!r}."
            )
        found[key.strip()] = value.strip()
    return found
