"""Find a data set by name; the samples are built under the workspace when first asked for."""

from __future__ import annotations

import os
import pkgutil
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tool_use_om.data.errors import unknown
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.progress import Progress
from tool_use_om.data.workspace import Workspace, scratch_path, sweep

# name → function (target: Path, *, progress) that writes the sample
SAMPLES: dict[str, str] = {
    "basic-motions": "tool_use_om.data.converters.basic_motions:convert",
    "synthetic-days": "tool_use_om.data.synthetic.sets.people:convert",
    "synthetic-machines": "tool_use_om.data.synthetic.sets.machines:convert",
    "synthetic-markets": "tool_use_om.data.synthetic.sets.markets:convert",
}
# name → function (source: Path, target: Path, *, progress, replace) that converts original files
CONVERTERS: dict[str, str] = {
    "hmp": "tool_use_om.data.converters.hmp:convert",
    "table": "tool_use_om.data.converters.table.convert:convert",
    "sisfall": "tool_use_om.data.converters.sisfall:convert",
    "pamap2": "tool_use_om.data.converters.pamap2:convert",
    "mhealth": "tool_use_om.data.converters.mhealth:convert",
    "motionsense": "tool_use_om.data.converters.motionsense:convert",
    "wisdm": "tool_use_om.data.converters.wisdm:convert",
    "actionsense": "tool_use_om.data.converters.actionsense:convert",
    "rfid-older-people": "tool_use_om.data.converters.rfid_older_people:convert",
    "extrasensory": "tool_use_om.data.converters.extrasensory:convert",
    "uci-har": "tool_use_om.data.converters.uci_har:convert",
    "ett": "tool_use_om.data.converters.ett:convert",
    "m4": "tool_use_om.data.converters.m4:convert",
    "ohlcv": "tool_use_om.data.converters.ohlcv:convert",
    "bitbrains": "tool_use_om.data.converters.bitbrains:convert",
    "smap-msl": "tool_use_om.data.converters.smap_msl:convert",
    "nab": "tool_use_om.data.converters.nab:convert",
    "ucr": "tool_use_om.data.converters.ucr:convert",
    "edf": "tool_use_om.data.converters.edf:convert",
    "dreams": "tool_use_om.data.converters.dreams:convert",
    "wfdb": "tool_use_om.data.converters.wfdb:convert",
    "ptb-xl": "tool_use_om.data.converters.ptb_xl:convert",
    "slpdb": "tool_use_om.data.converters.slpdb:convert",
}

ALLOWED = "TUOM_DATASETS"  # names of the only data sets there shall be, for a server


def load_function(path: str) -> Callable[..., Any]:
    """Import "module:function"."""
    function: Callable[..., Any] = pkgutil.resolve_name(path)
    return function


def datasets_folder(workspace: Workspace) -> Path:
    """Return the folder the workspace's data sets live in."""
    return workspace.folder("datasets")


def available(workspace: Workspace) -> list[str]:
    """Return the names `open_dataset` takes: the samples and the complete sets of the workspace.

    Where $TUOM_DATASETS lists names (comma-separated), there are no others.
    """
    found = {p.parent.name for p in datasets_folder(workspace).glob("[!.]*/manifest.json")}
    allowed = {name.strip() for name in os.environ.get(ALLOWED, "").split(",") if name.strip()}
    return sorted(name for name in found | set(SAMPLES) if not allowed or name in allowed)


def open_dataset(name: str, workspace: Workspace, *, progress: Progress | None = None) -> DataSet:
    """Open a data set by name, building a sample on first use.

    Raises
    ------
    NotFoundError : no such name; lists the nearest ones
    DataError : the set is damaged, or what the sample needs is not installed
    """
    names = available(workspace)
    if name not in names:
        raise unknown("data set", name, names)
    target = datasets_folder(workspace) / name
    if name in SAMPLES and not target.exists():
        _build_sample(name, target, progress)
    return DataSet.open(target)


def _build_sample(name: str, target: Path, progress: Progress | None) -> None:
    """Build beside `target`, then rename: of two processes at once, the first one wins."""
    sweep(target.parent)
    scratch = scratch_path(target)
    scratch.mkdir()
    try:
        load_function(SAMPLES[name])(scratch / name, progress=progress)
        try:
            (scratch / name).rename(target)
        except OSError:
            if not (target / "manifest.json").exists():
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
