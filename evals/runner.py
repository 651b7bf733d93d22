"""One runner for every suite: item by item, kept as it goes, resumed where it stopped."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from tool_use_om.data.errors import DataError
from tool_use_om.data.jsonl import append_line, read_lines
from tool_use_om.data.values import Json
from tool_use_om.data.version import package_version
from tool_use_om.data.workspace import atomic_file
from tool_use_om.evals.report import Row, Table, markdown_table

OnItem = Callable[[int, int, str], None]


class Suite(Protocol):
    """What the runner needs: named items, a way to run one, and tables over all rows."""

    @property
    def name(self) -> str:
        """The suite's registered name."""

    @property
    def settings(self) -> dict[str, Any]:
        """What two runs must share for the second to go on with the first's items."""

    def items(self) -> Sequence[str]:
        """Return the items' ids, in the order they are run."""

    def run(self, item: str) -> Row:
        """Run one item; return JSON values."""

    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return the tables of a report over the rows of all items."""


@runtime_checkable
class Illustrated(Protocol):
    """A suite that draws its rows as well."""

    def figures(self, rows: Sequence[Row]) -> Mapping[str, Callable[[Path], None]]:
        """Return file name → function that writes the figure."""


def run_suite(suite: Suite, out: Path, *, command: str, on_item: OnItem | None = None) -> Path:
    """Run what is not finished yet and write the report; return the report's path.

    Parameters
    ----------
    out : Path, a folder: `items.jsonl` grows by a line an item (a killed run goes on behind the
        last whole one); `results.parquet`, `report.md` and figures are written at the end
    command : the command that gives the report again; printed in it
    on_item : called with (done, total, item) before each item that is run

    Raises
    ------
    DataError : `out` holds a run with other settings
    """
    _check_settings(suite, out / "settings.json")
    kept = out / "items.jsonl"
    done = _finished(kept)
    items = suite.items()
    for number, item in enumerate(items):
        if item in done:
            continue
        if on_item:
            on_item(number, len(items), item)
        done[item] = suite.run(item)
        append_line(kept, json.dumps({"item": item, "row": done[item]}, ensure_ascii=False))
    rows = [{"item": item, **done[item]} for item in items]
    _write_parquet(rows, out / "results.parquet")
    drawn = suite.figures(rows) if isinstance(suite, Illustrated) else {}
    for name, draw in drawn.items():
        with atomic_file(out / name) as partial:
            draw(partial)
    report = out / "report.md"
    shown = "".join(f"\n![{Path(name).stem}]({name})\n" for name in drawn)
    with atomic_file(report) as partial:
        partial.write_text(markdown(suite, rows, command) + shown, encoding="utf-8")
    return report


def markdown(suite: Suite, rows: Sequence[Row], command: str) -> str:
    """Return the report's text: the command, the settings, and each table."""
    settings = json.dumps(suite.settings, ensure_ascii=False)
    head = [
        f"# Evaluation: {suite.name}",
        f"Command: `{command}` (tool-use-om {package_version()})",
        f"Settings: `{settings}`",
        "Intervals: 95 %, bootstrap over whole groups.",
    ]
    parts = [f"## {t.title}\n\n{t.note}\n\n{markdown_table(t.rows)}" for t in suite.tables(rows)]
    return "\n\n".join([*head, *parts]) + "\n"


def _check_settings(suite: Suite, path: Path) -> None:
    current = json.loads(json.dumps({"suite": suite.name, **suite.settings}))
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        if before != current:
            changed = sorted(k for k in {*before, *current} if before.get(k) != current.get(k))
            raise DataError(
                f"{path.parent} holds a run with other settings ({', '.join(changed)}). "
                "Give another --out, or the same settings to go on."
            )
        return
    with atomic_file(path) as partial:
        partial.write_text(json.dumps(current, indent=1), encoding="utf-8")


def _finished(path: Path) -> dict[str, Row]:
    if not path.exists():
        return {}
    return {str(line["item"]): line["row"] for _, line in read_lines(path)}


def _write_parquet(rows: Sequence[Row], path: Path) -> None:
    import pandas as pd

    def flat(value: Json) -> Json:
        return json.dumps(value) if isinstance(value, dict | list) else value

    table = pd.DataFrame([{k: flat(v) for k, v in row.items()} for row in rows])
    with atomic_file(path) as partial:
        table.to_parquet(partial)


def command_of(suite: str, **asked: Json) -> str:
    """Return the command that runs a suite with these parameters."""
    words = ["tuom", "eval", suite]
    for name, value in asked.items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            words += [] if value else [f"--no-{name}"]
        elif isinstance(value, list):
            words += [word for one in value for word in (option, str(one))]
        elif value is not None:
            words += [option, str(value)]
    return shlex.join(words)
