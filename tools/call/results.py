"""Results on disk: one folder each, named by the hash of what was found."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonpointer import JsonPointer, JsonPointerException

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.data.show.figure import ENDING
from tool_use_om.data.values import Json
from tool_use_om.data.workspace import Workspace, atomic_folder

_ID = re.compile(r"r-[0-9a-f]{12}")
TIMING = "timing"  # seconds differ from run to run: kept beside the hashed data, ignored by replay

# Figures are drawn in one thread: matplotlib is made for one, and opens its fonts for each anew.
_ARTIST = ThreadPoolExecutor(1, thread_name_prefix="draws-figures")
Draw = Callable[[Path], object]  # draws one figure or writes one table at the path it is given


def to_builtin(value: object) -> Json:
    """Return `value` as JSON builtins: numpy becomes numbers and lists, NaN becomes None."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, float):
        return _short(value)
    if isinstance(value, Mapping):
        return {str(key): to_builtin(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_builtin(item) for item in value]
    if hasattr(value, "tolist"):
        return to_builtin(value.tolist())
    if isinstance(value, int):
        return value
    raise DataError(f"A result may hold JSON values only; got {type(value).__name__}.")


def _short(value: float) -> float | None:
    """Six significant digits: more than any instrument here has, and the same on every machine."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def escape(key: str) -> str:
    """Return `key` as one step of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


@dataclass(frozen=True, kw_only=True)
class Result:
    """One stored result: its id, its data as the pointers see it, and its files."""

    id: str
    data: dict[str, Any]
    folder: Path
    figures: tuple[str, ...] = ()

    @property
    def relative_folder(self) -> str:
        """The folder, relative to the workspace."""
        return f"results/{self.id}"

    @property
    def artifact(self) -> dict[str, Any]:
        """What people get beside the model's JSON; paths are relative to the workspace."""
        return {
            "result_id": self.id,
            "figures": [f"{self.relative_folder}/{name}" for name in self.figures],
            "folder": self.relative_folder,
        }


class ResultStore:
    """The results of one workspace, by id.

    Parameters
    ----------
    workspace : Workspace, the results lie in its folder `results`
    """

    def __init__(self, workspace: Workspace) -> None:
        self._folder = workspace.folder("results")

    def put(
        self,
        kind: str,
        data: Mapping[str, Any],
        *,
        timing: Mapping[str, float | str] | None = None,
        files: Mapping[str, Draw] | None = None,
    ) -> Result:
        """Store one result, whole or not at all; the same data always gets the same id.

        Parameters
        ----------
        kind : str, the tool it came from
        data : JSON values (numpy is converted, NaN becomes None)
        timing : seconds and what else depends on the machine, stored under "timing" but not hashed
        files : file name → function that writes it, figures (.png) and tables (.parquet)
        """
        clean = {"kind": kind, **to_builtin(data)}
        result_id = "r-" + _digest(clean)
        stored = {**clean, TIMING: to_builtin(timing or {})}
        target = self._folder / result_id
        with atomic_folder(target) as partial:
            for name, draw in (files or {}).items():
                _ARTIST.submit(draw, partial / name).result()
            (partial / "result.json").write_text(json.dumps(stored, allow_nan=False))
        return Result(id=result_id, data=stored, folder=target, figures=_figures(target))

    def get(self, result_id: str) -> Result:
        """Return the result with this id.

        Raises
        ------
        NotFoundError : no such result, or not an id at all
        DataError : its file is damaged
        """
        folder = self._folder / result_id if _ID.fullmatch(result_id) else None
        if folder is None or not (folder / "result.json").is_file():
            # the nearest ids are not told: a workspace holds the results of other people's runs
            raise NotFoundError(f"Unknown result id {result_id[:40]!r}. Run the tool again.")
        try:
            data = json.loads((folder / "result.json").read_text())
        except ValueError as error:
            raise DataError(
                f"{folder / 'result.json'} is damaged ({error}). Run it again."
            ) from error
        return Result(id=result_id, data=data, folder=folder, figures=_figures(folder))

    def ids(self) -> list[str]:
        """Return the ids stored so far, sorted."""
        return sorted(p.name for p in self._folder.iterdir() if _ID.fullmatch(p.name))

    def resolve(self, result_id: str, pointer: str) -> Json:
        """Return the value a JSON pointer (RFC 6901) names inside a result.

        Raises
        ------
        NotFoundError : the pointer leads nowhere; the message lists what is there
        """
        value: Json = self.get(result_id).data
        for step in _parts(pointer):
            value = _step(value, step, result_id, pointer)
        return value


def _parts(pointer: str) -> list[str]:
    try:
        parts: list[str] = JsonPointer(pointer).parts
    except JsonPointerException as error:
        raise NotFoundError(f"{pointer[:60]!r} is no JSON pointer: {error}") from error
    return parts


def _step(value: Json, key: str, result_id: str, pointer: str) -> Json:
    if isinstance(value, dict) and key in value:
        return value[key]
    if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
        return value[int(key)]
    there: object = "a value"
    if isinstance(value, (dict, list)):
        there = list(value)[:12] if isinstance(value, dict) else f"{len(value)} items"
    raise NotFoundError(
        f"{result_id} has nothing at {pointer[:80]!r}: no {key[:40]!r}; there is {there}."
    )


def _digest(clean: Mapping[str, Any]) -> str:
    text = json.dumps(clean, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _figures(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(p.name for p in folder.glob(f"*{ENDING}")))
