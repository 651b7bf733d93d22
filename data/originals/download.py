"""Fetch a set's original files from where they are published; a broken download can go on."""

from __future__ import annotations

import hashlib
import http
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from tool_use_om.data.errors import DataError, unknown
from tool_use_om.data.originals.remotes import REMOTES, Remote, RemoteFile
from tool_use_om.data.progress import Progress
from tool_use_om.data.workspace import atomic_file

CHUNK_BYTES = 1 << 20
TIMEOUT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Downloaded:
    """One file on disk, its SHA-256, and whether that was compared with a pinned one."""

    path: Path
    sha256: str
    pinned: bool


def find_remote(name: str, remotes: Mapping[str, Remote] = REMOTES) -> Remote:
    """Return where a set's files are; raise NotFoundError for one whose address is not known."""
    if name not in remotes:
        raise unknown("set that can be downloaded", name, remotes)
    return remotes[name]


def download(
    remote: Remote, folder: Path, *, progress: Progress | None = None
) -> Iterator[Downloaded]:
    """Fetch the files of a set into `folder`, yielding each when it is complete and checked.

    A file that is there already is not fetched again. What a broken connection left is kept
    beside it (`NAME.part`) and continued next time, unless the site's file changed since.

    Raises
    ------
    DataError : offline or refused, a web page instead of a file, cut short, another checksum
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in remote.files:
        target = folder / file_name(file.url)
        if not target.exists():
            _fetch(file, target, progress)
        digest = _sha256(target)
        if file.sha256 not in (None, digest):
            target.unlink()
            raise DataError(
                f"{target.name} from {file.url} has SHA-256 {digest}, expected {file.sha256}. It "
                "was removed. Try again; if this stays so, the publisher changed the file."
            )
        yield Downloaded(path=target, sha256=digest, pinned=file.sha256 is not None)


def file_name(url: str) -> str:
    """Return the name a file is saved under: the last part of its address."""
    return unquote(urlsplit(url).path).rsplit("/", 1)[-1].replace("+", "-")


def _fetch(file: RemoteFile, target: Path, progress: Progress | None) -> None:
    """Write `target` whole, or leave what came as `.part` for the next time."""
    part, state = target.with_name(f"{target.name}.part"), target.with_name(f"{target.name}.tag")
    version = _read_version(state, file.url)
    have = part.stat().st_size if version and part.exists() else 0
    request = urllib.request.Request(file.url, headers={"User-Agent": "tuom"})  # noqa: S310 - REMOTES
    if have and version:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", version)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - REMOTES
            _check_answer(file.url, answer)
            have = have if answer.status == http.HTTPStatus.PARTIAL_CONTENT else 0
            _write_version(state, file.url, answer.headers)
            total = have + int(answer.headers.get("Content-Length") or 0)
            with part.open("ab" if have else "wb") as out:
                size = _copy(answer, out, have, _reporter(progress, target.name, total))
    except (OSError, http.client.HTTPException) as error:
        if getattr(error, "code", None) == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            part.unlink()  # nothing is left to go on with: start again
            return _fetch(file, target, progress)
        raise DataError(
            f"Could not fetch {file.url}: {_reason(error)}. Are you online? What came so far is "
            f"kept: run the same command to go on. By hand: save it as {target}."
        ) from error
    if size < total:
        raise DataError(
            f"{file.url} was cut short: {size} of {total} bytes came. "
            "Run the same command to go on."
        )
    part.replace(target)
    state.unlink(missing_ok=True)
    return None


def _check_answer(url: str, answer: http.client.HTTPResponse) -> None:
    if answer.headers.get_content_type() == "text/html":
        raise DataError(
            f"{url} answered with a web page, not a file: it may have moved. Open it in a browser."
        )


def _copy(
    answer: http.client.HTTPResponse, out: IO[bytes], done: int, report: Callable[[int], None]
) -> int:
    """Copy to the end in chunks; return how many bytes are on disk then."""
    while chunk := answer.read(CHUNK_BYTES):
        out.write(chunk)
        done += len(chunk)
        report(done)
    return done


def _reporter(progress: Progress | None, name: str, total: int) -> Callable[[int], None]:
    def report(done: int) -> None:
        if progress is not None:
            facts = {"phase": f"download {name}", "unit": "bytes"}
            progress(facts | {"done": done, "total": max(total, done)})

    return report


def _read_version(state: Path, url: str) -> str | None:
    """Return what the site called the version of which a part is here, if it was this address."""
    try:
        saved = json.loads(state.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return saved["version"] if isinstance(saved, dict) and saved.get("url") == url else None


def _write_version(state: Path, url: str, headers: Message) -> None:
    """Note the version; without one that can be named exactly, the next time starts again."""
    etag = headers.get("ETag")
    version = etag if etag and not etag.startswith("W/") else headers.get("Last-Modified")
    if version is None:
        state.unlink(missing_ok=True)
        return
    with atomic_file(state) as partial:
        partial.write_text(json.dumps({"url": url, "version": version}), encoding="utf-8")


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the site answered {error.code} {error.reason}"
    return str(getattr(error, "reason", error)) or type(error).__name__


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
