"""Rows written to a file as they are made: side by side, and on from where a run stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from tool_use_om.data.errors import DataError
from tool_use_om.data.jsonl import append_line, read_lines
from tool_use_om.data.workspace import atomic_file
from tool_use_om.evals.teach.rows import Maker, Rows

_KINDS = ("kept", "rejected", "pairs")
_BATCH = 25


def _silent(_done: int, _total: int) -> None:
    """Tell nobody."""


def generate(
    maker: Maker,
    out: Path,
    *,
    workers: int = 1,
    most: int | None = None,
    progress: Callable[[int, int], None] = _silent,
) -> Rows:
    """Make the rows into `out`, `out`.rejected and `out`.pairs; return all that is there.

    The same call again makes only what is missing.

    Parameters
    ----------
    workers : processes
    most : places at most (the order is mixed, so these are like the whole); None = all

    Raises
    ------
    DataError : the files are of a run with other settings
    """
    order = maker.order()[:most]
    settings = {"passes": maker.passes, "seed": maker.seed, "run": maker.place is not None,
                "seeds": [maker.seeds.start, maker.seeds.stop]}  # fmt: skip
    parts = beside(out, "parts")
    done = _done(parts, settings, out)
    left = [at for at in order if at not in done]
    batches = [left[i : i + _BATCH] for i in range(0, len(left), _BATCH)]
    for places, found in _made(maker, batches, workers):
        line = {"places": places} | {kind: getattr(found, kind) for kind in _KINDS}
        append_line(parts, json.dumps(line, ensure_ascii=False))
        done |= set(places)
        progress(len(done), len(order))
    return _collected(parts, out)


def _made(maker: Maker, batches: list[list[int]], workers: int) -> Iterator[tuple[list[int], Rows]]:
    if workers <= 1:
        for places in batches:
            yield places, batch_of(maker, places)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from zip(batches, pool.map(partial(batch_of, maker), batches), strict=True)


def batch_of(maker: Maker, places: list[int]) -> Rows:
    """Return the rows of some places together."""
    out = Rows()
    for at in places:
        found = maker.rows(at)
        for kind in _KINDS:
            getattr(out, kind).extend(getattr(found, kind))
    return out


def beside(out: Path, kind: str) -> Path:
    """Return the file of a kind of row: `out` itself for the kept ones."""
    return out if kind == "kept" else out.with_name(f"{out.stem}.{kind}.jsonl")


def _collected(parts: Path, out: Path) -> Rows:
    """Write what the parts hold into the files of rows, each whole or not at all."""
    found = Rows()
    for _, line in read_lines(parts):
        for kind in _KINDS:
            getattr(found, kind).extend(line.get(kind, ()))
    for kind in _KINDS:
        with atomic_file(beside(out, kind)) as partial_file:
            lines = (json.dumps(r, ensure_ascii=False) + "\n" for r in getattr(found, kind))
            partial_file.write_text("".join(lines), encoding="utf-8")
    return found


def _done(parts: Path, settings: dict[str, Any], out: Path) -> set[int]:
    """Return the places made already; settle the settings of a new run."""
    if not parts.is_file():
        if out.exists():
            raise DataError(f"{out} is there and no run of ours made it. Give a new file.")
        append_line(parts, json.dumps(settings))
        return set()
    first, *lines = [line for _, line in read_lines(parts)]
    if first != settings:
        raise DataError(f"{out} was begun with {first}, not {settings}. Give a new file.")
    return {int(at) for line in lines for at in line["places"]}
