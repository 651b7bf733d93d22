"""A study's cells: event × model × size × seed, each run once, kept as it is done, resumed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.jsonl import append_line, read_lines
from tool_use_om.data.workspace import atomic_file
from tool_use_om.evals.study.cases import case_of, known_chances, open_case
from tool_use_om.heads.events.cell import fit_and_say
from tool_use_om.heads.events.registry import EVENT_MODELS, event_model_class
from tool_use_om.heads.events.windows import PARTS, EventData, event_data

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.data.workspace import Workspace

Array = np.ndarray
Row = dict[str, Any]
OnCell = Callable[[int, int, str], None]
SIZES: Mapping[str, int] = {"2M": 2_000_000, "20M": 20_000_000, "200M": 200_000_000}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a study runs.

    Parameters
    ----------
    data : the data set's name
    events : their texts
    models : registered names
    seeds : how many of each model that draws
    parameters : sizes of those that are built to one
    context : samples of a window, None = the case's
    """

    data: str
    events: tuple[str, ...]
    models: tuple[str, ...]
    seeds: int = 3
    parameters: tuple[int, ...] = (2_000_000,)
    context: int | None = None

    def cells(self) -> list[tuple[str, str, int, int]]:
        """Return (event, model, parameters, seed), seed after seed so that a part is of use."""
        found = []
        for seed in range(self.seeds):
            for event in self.events:
                for name in self.models:
                    spec = event_model_class(name).spec
                    if seed and not spec.drawn:
                        continue
                    sizes = self.parameters if spec.sized else self.parameters[:1]
                    found += [(event, name, size, seed) for size in sizes]
        return found


def read_size(text: str) -> int:
    """Return a number of parameters: "2M", "20M", "200M" or a plain number.

    Raises
    ------
    DataError : anything else
    """
    if text in SIZES:
        return SIZES[text]
    if text.isdigit() and int(text) > 0:
        return int(text)
    raise DataError(f"`parameters` must be 2M, 20M, 200M or a whole number, got {text!r}.")


def cell_id(event: str, model: str, parameters: int, seed: int) -> str:
    """Return the id of a cell: short, the same in each run."""
    return f"{short(event)}/{model}/{parameters}/{seed}"


def short(event: str) -> str:
    """Return a few letters that stand for an event's text."""
    return hashlib.sha256(event.encode()).hexdigest()[:8]


def load_data(plan: Plan, dataset: DataSet) -> dict[str, EventData]:
    """Return the windows of each event; raises as `event_data`."""
    case = case_of(plan.data)
    return {
        text: event_data(
            dataset, text, context=plan.context or case.context, cuts=case.cuts,
            subjects=case.subjects,
        )
        for text in plan.events
    }  # fmt: skip


def run_cells(
    plan: Plan, workspace: Workspace, out: Path, *, on_cell: OnCell | None = None
) -> tuple[dict[str, EventData], list[Row], Row]:
    """Run what is not finished yet; return the windows, the cells' rows and what was studied.

    `out/cells.jsonl` grows by a line a cell. A run with other data, context or splits needs
    another folder; more seeds, models, sizes or events go on with the same.

    Raises
    ------
    DataError : an event that cannot be studied, or a folder that holds another study
    """
    dataset = open_case(plan.data, workspace)
    data = load_data(plan, dataset)
    about = _about(plan, dataset, data)
    _check(out, about)
    kept = out / "cells.jsonl"
    done = {line["id"]: line for _, line in read_lines(kept)} if kept.exists() else {}
    cells = plan.cells()
    for number, cell in enumerate(cells):
        name = cell_id(*cell)
        if name in done:
            continue
        if on_cell:
            on_cell(number, len(cells), f"{cell[0]} · {cell[1]} · seed {cell[3]}")
        done[name] = {"id": name, **run_cell(data[cell[0]], *cell)}
        append_line(kept, json.dumps(done[name], ensure_ascii=False))
    _write_windows(data, dataset, out / "windows.parquet")
    return data, [done[cell_id(*cell)] for cell in cells], about


def run_cell(data: EventData, event: str, name: str, parameters: int, seed: int) -> Row:
    """Fit one model and let it say P(event) of the validation and test windows; JSON values."""
    return {"event": event, **fit_and_say(data, name, parameters=parameters, seed=seed)}


def checked_models(names: Sequence[str]) -> tuple[str, ...]:
    """Return registered names; "all" stands for every one.

    Raises
    ------
    NotFoundError : an unknown name
    """
    if list(names) == ["all"]:
        return tuple(EVENT_MODELS)
    for name in names:
        event_model_class(name)
    return tuple(dict.fromkeys(names))


def _about(plan: Plan, dataset: DataSet, data: Mapping[str, EventData]) -> Row:
    first = next(iter(data.values()))
    return {
        "data": plan.data,
        "content_hash": dataset.content_hash,
        "context": first.train.windows.context,
        "split": first.cuts.said(),
        "subjects": list(case_of(plan.data).subjects),
        "features": [list(f) for f in first.formulas],
    }


def _check(out: Path, about: Row) -> None:
    path = out / "study.json"
    if not path.exists():
        out.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as partial:
            partial.write_text(json.dumps(about, indent=1), encoding="utf-8")
        return
    before = json.loads(path.read_text(encoding="utf-8"))
    changed = sorted(k for k in about if before.get(k) != about[k])
    if changed:
        raise DataError(
            f"{out} holds another study ({', '.join(changed)}). Give another --out, or the same "
            "data, context and splits to go on."
        )


def _write_windows(data: Mapping[str, EventData], dataset: DataSet, path: Path) -> None:
    """Write which window lies in which split, and its label: the splits as they were judged."""
    import pandas as pd

    frames = []
    for event, found in data.items():
        for part in PARTS:
            split = found.part(part)
            frame = pd.DataFrame({"time_s": split.windows.time_s, "came": split.y})
            known = known_chances(dataset, split.windows)
            frames.append(
                frame.assign(event=event, split=part, chance=np.nan if known is None else known)
            )
    with atomic_file(path) as partial:
        pd.concat(frames).to_parquet(partial)
