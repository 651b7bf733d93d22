"""Downloading, from a server on this machine."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tool_use_om.data.catalog import CONVERTERS
from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.data.originals import download as module
from tool_use_om.data.originals.download import download, file_name, find_remote
from tool_use_om.data.originals.remotes import REMOTES, Remote, RemoteFile
from tool_use_om.graphs.commands.data import app

BODY = bytes(range(256)) * 40
DIGEST = hashlib.sha256(BODY).hexdigest()


class Site(ThreadingHTTPServer):
    """Serve BODY; `cut` ends an answer early, `etag` names its version, `asked` is a diary."""

    cut: int | None = None
    etag: str | None = '"one"'
    body: bytes = BODY
    kind: str = "application/zip"
    status: int = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str | None] = []

    def handle_error(self, *_: Any) -> None:
        """Say nothing when a reader hangs up."""


class Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        site, wanted = self.server, self.headers.get("Range")
        site.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        start = start if self.headers.get("If-Range") == site.etag else 0
        if start >= len(site.body):
            self.send_error(416)
            return
        self.send_response(206 if start else site.status)
        self.send_header("Content-Type", site.kind)
        self.send_header("Content-Length", str(len(site.body) - start))
        if site.etag:
            self.send_header("ETag", site.etag)
        self.end_headers()
        self.wfile.write(site.body[start : site.cut])

    def log_message(self, *_: Any) -> None:
        """Keep the tests' output clean."""


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def remote(site: Site, sha256: str | None = DIGEST) -> Remote:
    url = f"http://127.0.0.1:{site.server_port}/static/the+set.zip"
    return Remote((RemoteFile(url, sha256),), "free")


def test_download_fetches_and_checks_a_file(tmp_path: Path, site: Site) -> None:
    """The file is there whole, its checksum was compared, nothing else is left."""
    events: list[dict[str, Any]] = []
    (got,) = download(remote(site), tmp_path / "new", progress=events.append)
    assert (got.path.name, got.sha256, got.pinned) == ("the-set.zip", DIGEST, True)
    assert got.path.read_bytes() == BODY
    assert [p.name for p in got.path.parent.iterdir()] == ["the-set.zip"]
    assert (events[-1]["done"], events[-1]["total"]) == (len(BODY), len(BODY))


def test_download_leaves_a_file_that_is_there_alone(tmp_path: Path, site: Site) -> None:
    """The second time nothing is asked of the site; the checksum is compared again."""
    list(download(remote(site), tmp_path))
    (got,) = download(remote(site), tmp_path)
    assert (got.pinned, len(site.asked)) == (True, 1)


def test_download_goes_on_where_it_broke_off(tmp_path: Path, site: Site) -> None:
    """What came before the connection broke is kept; the next run asks for the rest only."""
    site.cut = 3000
    with pytest.raises(DataError, match="to go on"):
        list(download(remote(site), tmp_path))
    assert not (tmp_path / "the-set.zip").exists()
    site.cut = None
    (got,) = download(remote(site), tmp_path)
    assert site.asked == [None, "bytes=3000-"]
    assert got.path.read_bytes() == BODY


@pytest.mark.parametrize("etag", ['"two"', None])
def test_download_starts_again_when_the_file_changed(
    tmp_path: Path, site: Site, etag: str | None
) -> None:
    """A part of another version, or of one without a name, is not glued to the new one."""
    site.cut, site.body = 3000, b"old" * 3000
    site.etag = '"one"' if etag else None
    with pytest.raises(DataError):
        list(download(remote(site), tmp_path))
    site.cut, site.body, site.etag = None, BODY, etag
    (got,) = download(remote(site), tmp_path)
    assert got.path.read_bytes() == BODY


def test_download_finishes_when_all_had_come_already(tmp_path: Path, site: Site) -> None:
    """A run killed between the last byte and the renaming does not block the next one."""
    site.cut = 3000
    with pytest.raises(DataError):
        list(download(remote(site), tmp_path))
    (tmp_path / "the-set.zip.part").write_bytes(BODY)
    site.cut = None
    (got,) = download(remote(site), tmp_path)
    assert got.sha256 == DIGEST


def test_download_removes_a_file_with_another_checksum(tmp_path: Path, site: Site) -> None:
    """A file that is not the pinned one is removed, and both checksums are shown."""
    with pytest.raises(DataError, match=f"has SHA-256 {DIGEST}, expected {'0' * 64}"):
        list(download(remote(site, "0" * 64), tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_download_says_when_no_checksum_is_known(tmp_path: Path, site: Site) -> None:
    """Without a pinned checksum the computed one is given, and called unpinned."""
    (got,) = download(remote(site, None), tmp_path)
    assert (got.sha256, got.pinned) == (DIGEST, False)


def test_download_refuses_a_web_page(tmp_path: Path, site: Site) -> None:
    """A page in place of the file is not saved under its name."""
    site.kind = "text/html"
    with pytest.raises(DataError, match="answered with a web page"):
        list(download(remote(site, None), tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_download_says_what_the_site_answered(tmp_path: Path, site: Site) -> None:
    """A missing file is reported with the site's answer."""
    site.body = b""
    with pytest.raises(DataError, match="the site answered 416"):
        list(download(remote(site), tmp_path))


def test_download_says_when_it_cannot_reach_the_site(tmp_path: Path, site: Site) -> None:
    """Offline is an error with the address, the reason and what to do by hand."""
    gone = remote(site)
    site.shutdown()
    site.server_close()
    with pytest.raises(DataError, match=r"Could not fetch http://127.*Are you online.*By hand"):
        list(download(gone, tmp_path))


def test_download_knows_converters_only() -> None:
    """Each address belongs to a converter; names of files are plain; unknown sets are named."""
    assert set(REMOTES) <= set(CONVERTERS)
    for known in REMOTES.values():
        assert known.licence
        for file in known.files:
            assert file.url.startswith(("https://", "http://extrasensory.ucsd.edu/"))
            assert "/" not in file_name(file.url)
    with pytest.raises(NotFoundError, match="Did you mean 'uci-har'"):
        find_remote("uci_har")


def test_data_download_shows_licence_checksum_and_next_step(
    tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command prints what a person needs: licence, file, checksum, how to convert."""
    monkeypatch.setitem(REMOTES, "pamap2", remote(site, None))
    monkeypatch.setattr(module, "CHUNK_BYTES", 4096)
    result = CliRunner().invoke(app, ["download", "pamap2", "--workspace", str(tmp_path)])
    assert result.exit_code == 0, result.output
    path = tmp_path / "downloads" / "pamap2" / "the-set.zip"
    for text in ("free", str(path), DIGEST, "none is pinned", f"tuom data convert pamap2 {path}"):
        assert text in result.output
