"""`tuom data`: list, show, check, import, download, convert and plot data sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace, check_name
from tool_use_om.graphs.commands.console import (
    WorkspaceOption,
    bars,
    literal,
    new_table,
    open_by_name,
    show_text,
)
from tool_use_om.graphs.commands.imports import import_table, names

if TYPE_CHECKING:
    from rich.table import Table

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.data.format.schema import Manifest
    from tool_use_om.data.quality.issue import Issue

app = typer.Typer(
    help="List, show, check, import, download, convert and plot data sets.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
ReplaceOption = Annotated[bool, typer.Option("--replace", help="Replace a set of that name.")]
NameOption = Annotated[str | None, typer.Option("--name", help="The data set's name.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
app.command("import")(import_table)


@app.command("list")
def list_sets(
    *,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Hours, rates and label counts, as Markdown.")
    ] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """List the data sets there are; samples not built yet are built when first used."""
    from tool_use_om.data.catalog import SAMPLES, available, datasets_folder
    from tool_use_om.data.format.dataset import DataSet

    space = Workspace.at(workspace)
    if markdown:
        from tool_use_om.data.show.listing import list_datasets

        return typer.echo(list_datasets(datasets_folder(space)))
    rows: list[dict[str, Any]] = []
    for name in available(space):
        folder = datasets_folder(space) / name
        if name in SAMPLES and not folder.exists():
            rows.append({"name": name, "kind": "not built yet"})
            continue
        try:
            rows.append(_listed(DataSet.open(folder).manifest))
        except DataError as error:
            rows.append({"name": name, "kind": "damaged", "error": str(error)})
    if as_json:
        return typer.echo(json.dumps(rows, indent=1))
    columns = ("name", "sessions", "subjects", "seconds", "channels", "kind")
    table = new_table(*columns)
    for row in rows:
        if "error" in row:
            show_text(f"[red]{row['name']}[/red]: {literal(row['error'])}")
        table.add_row(*("" if row.get(c, "") is None else str(row.get(c, "")) for c in columns))
    return show_text(table)


def _listed(m: Manifest) -> dict[str, Any]:
    return {
        "name": m.name,
        "sessions": m.n_sessions,
        "subjects": m.n_subjects or "?",
        "seconds": float(f"{m.duration_s:.6g}"),
        "channels": len(m.channel_ids),
        "kind": "synthetic" if m.synthetic else "recorded",
    }


@app.command()
def show(name: str, *, as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Show what a data set holds: manifest, labels, splits, channel statistics."""
    from tool_use_om.data.show.manifest_text import manifest_text

    dataset = open_by_name(name, workspace)
    manifest = dataset.manifest
    if as_json:
        stats = json.loads(dataset.pooled_stats().to_json(orient="records"))
        typer.echo(json.dumps({**manifest.model_dump(mode="json"), "statistics": stats}, indent=1))
        return
    facts = {
        "holds": manifest_text(manifest),
        "split": manifest.split_rule,
        "licence": manifest.licence,
        "source": manifest.source,
        "content": manifest.content_hash[:16],
    } | {f"note {i}": note for i, note in enumerate(manifest.notes, start=1)}
    for key, value in facts.items():
        show_text(f"[bold]{key}[/bold]  {literal(value)}")
    columns = ("nan_frac", "min", "q05", "mean", "q95", "max", "std")
    table = new_table("channel", "unit", "Hz", "samples", *columns)
    for row in dataset.pooled_stats().to_dict("records"):
        channel = str(row["channel"])
        rate, unit = manifest.rate_of(channel), manifest.unit_of(channel)
        numbers = [f"{row[c]:.3g}" for c in columns]
        table.add_row(channel, unit, f"{rate:.4g}", str(row["n"]), *numbers)
    show_text(table)
    show_text(_label_table(dataset))


@app.command()
def convert(
    converter: Annotated[
        str, typer.Argument(help="Which set's original files these are: hmp, pamap2 …")
    ],
    source: Annotated[Path, typer.Argument(help="The folder, zip or tar of original files.")],
    *,
    option: Annotated[
        list[str] | None,
        typer.Option(
            help="What a converter takes besides, as NAME=VALUE; may be repeated: rate_hz (ucr, "
            "ptb-xl), currency (ohlcv). `tuom data converters` lists them."
        ),
    ] = None,
    name: NameOption = None,
    replace: ReplaceOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Convert a known set's original files; `tuom data converters` lists the sets."""
    from tool_use_om.data.catalog import CONVERTERS, datasets_folder, load_function
    from tool_use_om.data.converters.options import read_options

    options = read_options(converter, option or ())
    if converter == "table":
        raise DataError("A table has a command of its own. Use: tuom data import FILE")
    target_name = check_name("A data set name", converter if name is None else name)
    with bars() as progress:
        folder = datasets_folder(Workspace.at(workspace)) / target_name
        load_function(CONVERTERS[converter])(
            source, folder, **options, progress=progress, replace=replace
        )
    _done(folder)


@app.command()
def converters(*, as_json: JsonOption = False) -> None:
    """List the sets and forms whose original files can be converted, and their options."""
    from tool_use_om.data.catalog import CONVERTERS, load_function
    from tool_use_om.data.converters.options import options_of
    from tool_use_om.data.originals.remotes import REMOTES

    rows: list[dict[str, object]] = []
    for name in sorted(set(CONVERTERS) - {"table"}):
        about = (load_function(CONVERTERS[name]).__doc__ or "").strip().splitlines()[0]
        options = [str(option) for option in options_of(name).values()]
        if as_json:
            rows.append({"name": name, "about": about.rstrip("."), "options": options,
                         "download": name in REMOTES})  # fmt: skip
            continue
        fetched = " (`tuom data download` fetches it)" if name in REMOTES else ""
        show_text(f"[bold]{name}[/bold]  {literal(about.rstrip('.'))}{fetched}")
        for option in options:
            show_text(literal(f"    --option {option}"))
    if as_json:
        return typer.echo(json.dumps(rows, indent=1))
    return show_text("any CSV or Parquet table: tuom data import FILE")


@app.command()
def download(
    name: Annotated[str, typer.Argument(help="A set whose address is known: uci-har, pamap2 …")],
    *,
    out: Annotated[Path | None, typer.Option(help="Folder; default downloads/NAME.")] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Fetch a known set's original files from where they are published."""
    from tool_use_om.data.originals.download import download, find_remote

    remote = find_remote(name)
    folder = out or Workspace.at(workspace).folder("downloads", name)
    show_text(f"[bold]licence[/bold]  {literal(remote.licence)}")
    with bars() as progress:
        files = list(download(remote, folder, progress=progress))
    for file in files:
        note = "as pinned" if file.pinned else "none is pinned: compare it with the publisher's"
        show_text(f"{literal(str(file.path))}\n  SHA-256 {file.sha256} ({note})")
    source = files[0].path if len(files) == 1 else folder
    show_text(f"next: tuom data convert {name} {literal(str(source))}")


@app.command()
def plot(
    name: str,
    *,
    session: Annotated[list[str] | None, typer.Option(help="A session; may be repeated.")] = None,
    channels: Annotated[str, typer.Option(help="Channels or modalities: accelerometer")] = "all",
    start_s: Annotated[float | None, typer.Option(help="From, seconds.")] = None,
    end_s: Annotated[float | None, typer.Option(help="To, seconds.")] = None,
    out: Annotated[Path | None, typer.Option(help="PNG to write; default NAME.png here.")] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Draw sessions on a seconds axis, labels shaded; default: a few of each label."""
    from tool_use_om.data.show.plots import draw_sessions, pick_sessions
    from tool_use_om.data.workspace import atomic_file

    dataset = open_by_name(name, workspace)
    chosen = session or pick_sessions(dataset)
    figure = draw_sessions(dataset, chosen, names(channels), start_s, end_s)
    target = out or Path(f"{name}.png")
    with atomic_file(target) as partial:
        figure.savefig(partial, dpi=110, format="png")
    typer.echo(f"wrote {target}")


@app.command()
def check(
    name: str,
    *,
    out: Annotated[Path | None, typer.Option(help="Folder for a figure of each finding.")] = None,
    sessions: Annotated[
        int, typer.Option(min=0, help="Sessions whose samples are read; 0 = all.")
    ] = 400,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Look for gaps, clipping, stuck sensors, repeats, label holes, odd units and split leaks."""
    from tool_use_om.data.quality.check import check_dataset, write_figures

    dataset = open_by_name(name, workspace)
    with bars() as progress:
        issues = check_dataset(dataset, max_sessions=sessions or None, progress=progress)
    if as_json:
        typer.echo(json.dumps([i.model_dump() for i in issues], indent=1))
    else:
        for issue in issues:
            _show_issue(issue)
        problems = sum(i.severity == "problem" for i in issues)
        show_text(f"{problems} problems, {len(issues) - problems} notes")
    if out is not None:
        paths = write_figures(dataset, issues, out)
        typer.echo(f"wrote {len(paths)} figures to {out}", err=True)


@app.command()
def overview(
    name: str,
    *,
    out: Annotated[Path, typer.Option(help="Folder to write index.html to.")],
    workspace: WorkspaceOption = None,
) -> None:
    """Write a browsable HTML overview: sessions, channels, labels, spectra, findings."""
    from tool_use_om.data.show.overview import write_overview

    dataset = open_by_name(name, workspace)
    with bars() as progress:
        path = write_overview(dataset, out, progress=progress)
    typer.echo(f"wrote {path}")


def _show_issue(issue: Issue) -> None:
    """Print an issue on two lines: what and where, then the worst place of it."""
    colour = "red" if issue.severity == "problem" else "yellow"
    head = f"[{colour}]{issue.severity}[/{colour}]  [bold]{issue.kind}[/bold] in "
    show_text(head + literal(f"{issue.where}: {issue.text}"))
    if issue.session_id is not None:
        several = f"{issue.n_sessions} sessions, worst " if issue.n_sessions > 1 else ""
        span = "" if issue.start_s is None else f", from {issue.start_s:.6g} s"
        span += "" if issue.end_s is None else f" to {issue.end_s:.6g} s"
        value = "" if issue.value is None else f" ({issue.value:.4g} {issue.unit or ''})"
        show_text(literal(f"         {several}{issue.session_id}{span}{value}"))


def _label_table(dataset: DataSet) -> Table:
    table = new_table("label set", "label", "sessions", "seconds")
    labels = dataset.labels()
    labels["length"] = labels["end_s"] - labels["start_s"]
    for (label_set, label), rows in labels.groupby(["set", "label"]):
        sessions, seconds = rows["session_id"].nunique(), rows["length"].sum()
        table.add_row(literal(str(label_set)), literal(str(label)), str(sessions), f"{seconds:.6g}")
    return table


def _done(folder: Path) -> None:
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.data.show.manifest_text import manifest_text

    show_text(literal(manifest_text(DataSet.open(folder).manifest)))
    show_text(literal(f"Check {folder / 'debug' / 'overview.png'} before you trust it."))
