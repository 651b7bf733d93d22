"""A run as one zip that opens anywhere: page, figures, tables, script and trace."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tool_use_om.agent.answering import results_of
from tool_use_om.data.plain import plain_text
from tool_use_om.data.show.figure import ENDING, read_figure
from tool_use_om.data.show.static import png, svg
from tool_use_om.data.workspace import Workspace, atomic_file

_FIRST = (1980, 1, 1, 0, 0, 0)  # of every entry, so that equal runs give equal bytes
_README = """\
report.html     the answer, its figures, and where each number is from; opens in a browser
answer.py       the same numbers by plain Python (needs the tool-use-om package and the data set)
findings.csv    the values the answer shows, with their units and sources
tables/         the tables of the results, one CSV file each
figures/        the figures
results/        the results in full (JSON)
trace.jsonl     the run as it happened
"""


def bundle(
    state: Mapping[str, Any], place: Workspace, paths: Mapping[str, Path], out: Path
) -> Path:
    """Write a run as a zip file; return its path.

    Parameters
    ----------
    state : of a run that is done
    paths : what `write_run` wrote, by kind: "report", "trace", "code"
    out : where to; its folder must exist

    Raises
    ------
    OSError : it cannot be written; nothing half-written is left
    """
    with atomic_file(out) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, content in _entries(state, place, paths):
            pack.writestr(zipfile.ZipInfo(name, _FIRST), content, zipfile.ZIP_DEFLATED)
    return out


def _entries(
    state: Mapping[str, Any], place: Workspace, paths: Mapping[str, Path]
) -> Iterator[tuple[str, bytes]]:
    yield "README.txt", _README.encode()
    names = {"report": "report.html", "trace": "trace.jsonl", "code": "answer.py"}
    for kind, path in paths.items():
        yield names.get(kind, path.name), path.read_bytes()
    yield "findings.csv", _table([_flat(f) for f in state.get("findings") or []])
    for result in results_of(state.get("messages") or []):
        if not (result_id := result["result_id"]):
            continue
        folder = place.root / "results" / result_id
        yield f"results/{result_id}.json", (folder / "result.json").read_bytes()
        for path in sorted(folder.glob(f"*{ENDING}")):
            figure, name = read_figure(path), path.name.removesuffix(ENDING)
            yield f"figures/{result_id}-{name}.png", png(figure)
            yield f"figures/{result_id}-{name}.svg", svg(figure).encode()
        for name, rows in _tables(result["content"]):
            yield f"tables/{result_id}-{name}.csv", _table(rows)


def _flat(finding: Mapping[str, Any]) -> dict[str, Any]:
    source = finding.get("source") or {}
    kept = {name: finding.get(name) for name in ("statement", "value", "unit")}
    return {**kept, "result_id": source.get("result_id"), "pointer": source.get("pointer")}


def _tables(content: object) -> Iterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Yield the lists of records of a result, by their key."""
    for key, value in content.items() if isinstance(content, Mapping) else ():
        if isinstance(value, list) and value and all(isinstance(v, Mapping) for v in value):
            yield str(key), value


def _table(rows: Sequence[Mapping[str, Any]]) -> bytes:
    text = io.StringIO()
    columns = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in columns])
    return text.getvalue().encode("utf-8-sig")  # a mark that spreadsheets know UTF-8 by


def _cell(value: object) -> object:
    """Return a cell; text that a spreadsheet would run as a formula is marked as text."""
    if isinstance(value, Mapping | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        text = plain_text(value)
        return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text
    return value
