"""manifest.json as it is opened: checked against the index, and told from its successor."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pydantic import ValidationError

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.parquet import open_parquet
from tool_use_om.data.format.schema import FORMAT_VERSION, Manifest


def identity(folder: Path) -> tuple[int, int, int] | None:
    """Return what tells a set's folder from the one that replaces it; None if there is none."""
    try:
        facts = os.stat(f"{folder}/manifest.json")  # noqa: PTH116 - asked for at every read: a third the time
    except OSError:
        return None
    return facts.st_ino, facts.st_mtime_ns, facts.st_size


def read_consistent(folder: Path) -> Manifest:
    """Return a set's manifest; refuse one whose index lists another number of sessions."""
    manifest = _read_manifest(folder / "manifest.json")
    with open_parquet(folder / "sessions.parquet") as index:
        n_rows = index.metadata.num_rows
    if n_rows != manifest.n_sessions:
        raise DataError(
            f"{folder / 'sessions.parquet'} lists {n_rows} sessions but the manifest says "
            f"{manifest.n_sessions}. Convert the set again."
        )
    return manifest


def _read_manifest(path: Path) -> Manifest:
    if not path.parent.is_dir():
        raise DataError(
            f"There is no data set at {path.parent}. `tuom data list` shows those there are."
        )
    if not path.exists():
        raise DataError(
            f"{path.parent} has no manifest.json: it is not a data set, or its conversion was cut "
            "short. Convert it again."
        )
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        version = facts.get("format_version") if isinstance(facts, dict) else None
        if version != FORMAT_VERSION:
            raise DataError(
                f"{path} is of format {version!r}; this version reads {FORMAT_VERSION}."
            )
        return Manifest.model_validate(facts)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}. Convert the set again.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"]) or "manifest"
        raise DataError(
            f"{path} is damaged at {where}: {first['msg']}. Convert the set again."
        ) from error
