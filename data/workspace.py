"""The one folder that tools write under, and the one way they write: whole files or none."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tool_use_om.data.errors import DataError

_SWEPT: set[Path] = set()  # folders that this process has rid of what killed runs left
_OWNER = re.compile(r"\.(?P<machine>[0-9a-f]{8})-(?P<pid>\d+)-(?P<born>\d+)-[0-9a-f]{12}\.partial$")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")


def check_name(kind: str, name: str) -> str:
    """Return `name` if it can be a single file or folder name; raise DataError otherwise."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise DataError(
            f"{kind} must be 1 to 80 letters, digits, '_', '-' or '.', and start with a letter "
            f"or digit; got {name[:80]!r}. Rename it."
        )
    return name


@dataclass(frozen=True)
class Workspace:
    """Where data sets, cached tokens, results and traces of one project live.

    Parameters
    ----------
    root : Path, an existing folder; use `Workspace.at` to create one
    """

    root: Path

    @classmethod
    def at(cls, root: str | Path | None = None) -> Workspace:
        """Open (and create) the workspace: `root`, else $TUOM_WORKSPACE, else ./.tuom.

        The first time in a process, what killed runs left in it is removed.
        """
        chosen = cls.root_of(root)
        chosen.mkdir(parents=True, exist_ok=True)
        if chosen not in _SWEPT:
            _SWEPT.add(chosen)
            _sweep_all(chosen)
        return cls(chosen)

    @staticmethod
    def root_of(root: str | Path | None = None) -> Path:
        """Return where `at` would open a workspace, which need not exist yet."""
        return Path(root or os.environ.get("TUOM_WORKSPACE") or ".tuom").expanduser().resolve()

    def path(self, *parts: str) -> Path:
        """Return the path of a named thing inside; raise DataError for a name that could escape."""
        return self.root.joinpath(*(check_name("A workspace name", p) for p in parts))

    def folder(self, *parts: str) -> Path:
        """Return such a path as an existing folder."""
        path = self.path(*parts)
        path.mkdir(parents=True, exist_ok=True)
        return path


def scratch_path(target: Path) -> Path:
    """Return a hidden path of its own beside `target`, for work in progress.

    Its name says whose work it is, so that what a killed process left can be told from what a
    living one writes.
    """
    owner = f"{_machine()}-{os.getpid()}-{_born(os.getpid())}"
    return target.parent / f".{target.name[:80]}.{owner}-{uuid.uuid4().hex[:12]}.partial"


def sweep(folder: Path, older_than_s: float = 86400.0) -> None:
    """Remove what killed runs left in `folder`: scratch paths of dead processes of this machine.

    Those of other machines and containers, which cannot be looked after, go when they have not
    been touched for `older_than_s`.
    """
    for path in folder.glob(".*.partial"):
        try:
            stale = time.time() - path.stat().st_mtime > older_than_s or _owner_is_dead(path.name)
        except FileNotFoundError:
            continue  # its owner finished just now
        if stale and path.is_dir():
            _discard(path)
        elif stale:
            with suppress(OSError):
                path.unlink()


def _sweep_all(root: Path) -> None:
    """Sweep a workspace: its folders and theirs, no deeper, and no finished data set or result."""
    for folder in [root, *(p for p in root.glob("[!.]*") if p.is_dir())]:
        sweep(folder)
    for name in ("runs", "tokens", "tokenizers", "evals"):
        for folder in filter(Path.is_dir, root.glob(f"{name}/[!.]*")):
            sweep(folder)


def _ready(target: Path) -> None:
    """Make the folder a thing is written in; the first time, remove what killed runs left there."""
    if not target.name:
        raise DataError(f"{target} is a folder, where the name of a new file is needed. Give one.")
    folder = target.parent
    folder.mkdir(parents=True, exist_ok=True)
    if folder not in _SWEPT:
        _SWEPT.add(folder)
        sweep(folder)


@cache
def _machine() -> str:
    """Return what tells this machine, since it was started, and this container from others."""
    facts = [platform.node()]
    with suppress(OSError):
        facts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
        facts.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("|".join(facts).encode()).hexdigest()[:8]


def _born(pid: int) -> str:
    """Return when a process began, in ticks; "0" where the system does not say, "" if it ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="latin-1")
    except FileNotFoundError:
        return "" if Path("/proc/self/stat").exists() else "0"
    except OSError:
        return "0"
    state, ticks = text[text.rindex(")") + 2 :].split()[0:20:19]
    return "" if state in {"Z", "X"} else ticks


def _owner_is_dead(name: str) -> bool:
    found = _OWNER.search(name)
    if found is None or found["machine"] != _machine():
        return False
    return _born(int(found["pid"])) != found["born"]


@contextmanager
def atomic_file(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; it becomes `target` on success, vanishes on error."""
    _ready(target)
    partial = scratch_path(target)
    partial.touch(exist_ok=False)
    try:
        yield partial
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `target`; it becomes `target` on success, vanishes on error.

    An older `target` is replaced: readers see the old one or the new one, never a mixture or
    nothing (where the system cannot exchange two names, nothing for a few microseconds).
    """
    _ready(target)
    partial = scratch_path(target)
    partial.mkdir()
    try:
        yield partial
        if not target.exists():
            partial.replace(target)
        elif not _exchange(partial, target):
            old = target.with_name(f".{target.name}.{uuid.uuid4().hex[:12]}.old")  # never swept
            target.replace(old)
            partial.replace(target)
            _discard(old)
    finally:
        _discard(partial)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step; return whether the system can (Linux 3.15, most file systems)."""
    try:
        swap = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    return bool(swap(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0)


def _discard(folder: Path) -> None:
    """Remove a folder, its manifest first: killed here, what is left does not pass for a set."""
    with suppress(OSError):
        (folder / "manifest.json").unlink()
    shutil.rmtree(folder, ignore_errors=True)
