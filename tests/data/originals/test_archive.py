"""Opening original files: folders, zips, zips in zips, tars, and what is none of these."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.data.originals import archive as module
from tool_use_om.data.originals.archive import opened_source


def zipped(names: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in names.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def contents(folder: Path) -> dict[str, bytes]:
    files = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def test_source_opens_folder_zip_and_tar_alike(tmp_path: Path) -> None:
    """The same files are found whichever way they come; the temporary folder goes again."""
    folder = tmp_path / "folder"
    (folder / "set").mkdir(parents=True)
    (folder / "set" / "a.txt").write_bytes(b"1 2 3")
    (tmp_path / "set.zip").write_bytes(zipped({"set/a.txt": b"1 2 3"}))
    with tarfile.open(tmp_path / "set.tar.gz", "w:gz") as archive:
        archive.add(folder / "set", "set")
    for path in (folder, tmp_path / "set.zip", tmp_path / "set.tar.gz"):
        with opened_source(path) as opened:
            assert contents(opened) == {"set/a.txt": b"1 2 3"}
        assert opened.exists() == (path == folder)


def test_source_unpacks_a_zip_inside_a_zip(tmp_path: Path) -> None:
    """An archive site's wrapper is looked through, in any folder; the inner zip goes."""
    inner = zipped({"set/a.txt": b"1"})
    (tmp_path / "outer.zip").write_bytes(zipped({"files/set.zip": inner, "readme": b"r"}))
    with opened_source(tmp_path / "outer.zip") as opened:
        assert contents(opened) == {"files/set/a.txt": b"1", "readme": b"r"}


@pytest.mark.parametrize("wrapped", [False, True])
def test_source_refuses_what_would_fill_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, wrapped: bool
) -> None:
    """The limit holds for all that is unpacked, inner zips included."""
    monkeypatch.setattr(module, "MAX_UNPACKED_BYTES", 1000)
    data = {f"{i}.txt": b"0" * 300 for i in range(5)}
    outer = zipped({"set.zip": zipped(data)}) if wrapped else zipped(data)
    (tmp_path / "set.zip").write_bytes(outer)
    with (
        pytest.raises(DataError, match="Unpack it yourself"),
        opened_source(tmp_path / "set.zip"),
    ):
        pass


def test_source_refuses_a_tar_that_leaves_its_folder(tmp_path: Path) -> None:
    """A member that points outside is refused; nothing appears beside the temporary folder."""
    with tarfile.open(tmp_path / "bad.tar", "w") as archive:
        member = tarfile.TarInfo("../outside.txt")
        member.size = 1
        archive.addfile(member, io.BytesIO(b"x"))
    with (
        pytest.raises(DataError, match=r"bad\.tar is damaged"),
        opened_source(tmp_path / "bad.tar"),
    ):
        pass


def test_source_names_a_damaged_zip(tmp_path: Path) -> None:
    """A zip with a damaged member is refused by name, with what to do."""
    data = bytearray(zipped({"a.txt": b"123456789" * 50}))
    data[60] ^= 0xFF
    (tmp_path / "set.zip").write_bytes(data)
    with (
        pytest.raises(DataError, match=r"set\.zip is damaged.*Download it again"),
        opened_source(tmp_path / "set.zip"),
    ):
        pass
