"""A self-contained notebook for one cell of a study: install, data by its hash, run, JSON out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tool_use_om.data.version import package_version
from tool_use_om.data.workspace import atomic_file
from tool_use_om.evals.study.cells import Plan, Row, load_data, short

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet


def write_notebook(plan: Plan, dataset: DataSet, path: Path, *, seed: int = 0) -> Path:
    """Write a notebook (nbformat 4) that runs one cell of a plan; return its path.

    The data set itself is not inside: the notebook opens it by name and stops if its content hash
    is another one.

    Parameters
    ----------
    plan : of one event, one model and one size
    seed : the cell's

    Raises
    ------
    DataError : an event that cannot be studied on this data set
    """
    load_data(plan, dataset)
    (event,), (model,), (size,) = plan.events, plan.models, plan.parameters
    told = (
        f"# {model} on {plan.data}: {event}\n\nOne cell of a study of threshold events, written by "
        f"`tuom study notebook`. Data content hash `{dataset.content_hash}`, seed {seed}, "
        f"{size:,} parameters where the model is built to a size."
    )
    cells = [
        _text(told),
        _code(f'%pip install -q "tool-use-om[raw,study]=={package_version()}"'),
        _code(_OPEN.format(data=plan.data, content_hash=dataset.content_hash)),
        _code(
            _RUN.format(
                data=plan.data, event=event, model=model, size=size, seed=seed,
                context=plan.context,
            )
        ),
        _code(_OUT.format(name=f"{plan.data}-{short(event)}-{model}-{size}-{seed}.json")),
    ]  # fmt: skip
    with atomic_file(path) as partial:
        partial.write_text(json.dumps(_notebook(cells), indent=1), encoding="utf-8")
    return path


_OPEN = """\
from pathlib import Path

from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.study.cases import open_case

workspace = Workspace.at(None)  # ./.tuom, or $TUOM_WORKSPACE: where {data} was converted to
dataset = open_case({data!r}, workspace)
expected = {content_hash!r}
if dataset.content_hash != expected:
    raise SystemExit(f"{data} is not the data of this study: {{dataset.content_hash}}")"""

_RUN = """\
from tool_use_om.evals.study.cases import known_chances
from tool_use_om.evals.study.cells import Plan, load_data, run_cell
from tool_use_om.evals.study.findings import judge_event, verdict
from tool_use_om.evals.study.report import runner

event = {event!r}
plan = Plan(
    data={data!r}, events=(event,), models=({model!r},), seeds=1, parameters=({size},),
    context={context},
)
data = load_data(plan, dataset)[event]
cell = run_cell(data, event, {model!r}, {size}, {seed})
if cell["error"]:
    raise SystemExit(cell["error"])
judged = judge_event(data, event, [cell], known_chances(dataset, data.test.windows))
print(verdict(judged))"""

_OUT = """\
import json

found = runner([judged], plan)
Path({name!r}).write_text(json.dumps(found, indent=1), encoding="utf-8")
found"""


def _text(text: str) -> Row:
    return {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}


def _code(text: str) -> Row:
    return {
        "cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [],
        "source": text.splitlines(keepends=True),
    }  # fmt: skip


def _notebook(cells: list[Row]) -> Row:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
