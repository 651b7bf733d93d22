"""Files as people have them, and as nobody should: told in one line, or read as they are."""

from __future__ import annotations

import bz2
import gzip
import os
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tool_use_om.data.format.dataset import DataSet
from tool_use_om.graphs.commands import main as cli

TABLE = "time,session,label,x,y\n" + "".join(
    f"{t / 10},{s},{'ab'[t // 20 % 2]},{(t * 7 + s) % 11},{t % 5}\n"
    for s in range(3)
    for t in range(60)
)


def bits(text: bytes, place: int) -> bytes:
    changed = bytearray(text)
    changed[place] ^= 64
    return bytes(changed)


def parquet() -> bytes:
    import io

    import pandas as pd

    out = io.BytesIO()
    pd.read_csv(io.StringIO(TABLE)).to_parquet(out)
    return out.getvalue()


def zipped() -> bytes:
    import io

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("../../escape.csv", TABLE)
    return out.getvalue()


def dates(year: int) -> bytes:
    rows = "".join(f"{year}-01-{1 + i % 28:02d} {i // 28:02d}:00,{i % 7}\n" for i in range(90))
    return f"time,x\n{rows}".encode()


ODD: dict[str, tuple[str, bytes | Callable[[], bytes]]] = {
    "empty": ("a.csv", b""),
    "only a header": ("a.csv", b"time,x,y\n"),
    "only spaces": ("a.csv", b" \n \n\n"),
    "one row": ("a.csv", b"time,x\n0,1\n"),
    "no numbers": ("a.csv", b"a,b\nx,y\nz,w\n"),
    "gz named csv": ("a.csv", gzip.compress(TABLE.encode())),
    "bz2 named csv": ("a.csv", bz2.compress(TABLE.encode())),
    "zip named csv": ("a.csv", zipped),
    "parquet named csv": ("a.csv", parquet),
    "csv named parquet": ("a.parquet", TABLE.encode()),
    "torn parquet": ("a.parquet", lambda: parquet()[:-20]),
    "parquet of nothing": ("a.parquet", b"PAR1PAR1"),
    "flipped parquet": ("a.parquet", lambda: bits(parquet(), 40)),
    "workbook": ("a.xlsx", b"PK\x03\x04" + b"\x00" * 400),
    "picture named csv": ("a.csv", b"\x89PNG\r\n\x1a\n" + os.urandom(300)),
    "zero bytes": ("a.csv", b"\x00" * 5000),
    "zero bytes inside": ("a.csv", TABLE.encode().replace(b"5", b"\x00", 9)),
    "random bytes": ("a.csv", os.urandom(5000)),
    "utf-16": ("a.csv", TABLE.encode("utf-16")),
    "utf-16 cut": ("a.csv", TABLE.encode("utf-16")[:-1]),
    "latin-1": ("a.csv", TABLE.replace("x,y", "Gefühl,y").encode("latin-1")),
    "ragged": ("a.csv", TABLE.replace("3,1\n", "3,1,9,9\n", 3).encode()),
    "one endless line": ("a.csv", b"time,x\n" + b"1" * 2_000_000),
    "one open quote": ("a.csv", TABLE.replace("a,", '"a,', 1).encode()),
    "infinite": ("a.csv", TABLE.replace(",3,", ",inf,").encode()),
    "beyond double": ("a.csv", TABLE.replace(",3,", ",1e999,").encode()),
    "time not a number": ("a.csv", TABLE.replace("0.5,", "nan,", 1).encode()),
    "time at 1e300": ("a.csv", TABLE.replace("5.9,", "1e300,").encode()),
    "year 3000": ("a.csv", lambda: dates(3000)),
    "year 0001": ("a.csv", lambda: dates(1)),
    "year 9999": ("a.csv", lambda: dates(9999)),
    "headers repeated": ("a.csv", TABLE.replace("x,y", "x,x").encode()),
    "headers empty": ("a.csv", TABLE.replace("x,y", ",").encode()),
    "steering headers": ("a.csv", TABLE.replace("x,y", "\x1b[2Jx,\u202ey").encode()),
    "formula cells": ("a.csv", TABLE.replace(",a,", ",=1+1,").encode()),
}
OPTIONS = {
    "time empty": ["--time", ""],
    "time unknown": ["--time", "nope"],
    "session empty": ["--session", ""],
    "label empty": ["--label", ""],
    "rate not finite": ["--rate", "nan"],
    "rate infinite": ["--rate", "inf"],
    "rate negative": ["--rate", "-1"],
    "rate tiny": ["--rate", "1e-300"],
    "zone unknown": ["--tz", "Mars/Olympus"],
    "zone a path": ["--tz", "../../etc/passwd"],
    "units torn": ["--units", "x"],
    "encoding unknown": ["--encoding", "klingon"],
    "encoding of bytes": ["--encoding", "base64"],
    "separator long": ["--separator", "ab"],
    "separator empty": ["--separator", ""],
    "decimal long": ["--decimal", "::"],
    "name a path": ["--name", "../x"],
    "name empty": ["--name", ""],
    "name steering": ["--name", "\x1b[2Jx"],
    "split odd": ["--split", "nope"],
}
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")


def tuom(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    code = 0
    try:
        cli.main(list(argv))
    except SystemExit as stop:
        code = int(stop.code or 0)
    shown = capsys.readouterr()
    return code, shown.out + shown.err


def law(code: int, shown: str, root: Path) -> None:
    """State what holds of any import: done, or one line of error and nothing left."""
    assert "Traceback" not in shown, shown
    assert "fault of its own" not in shown, shown
    assert not UNSEEN.search(shown), shown
    kept = list((root / "datasets").glob("*")) if (root / "datasets").exists() else []
    assert not [p for p in root.rglob(".*") if p.suffix in (".partial", ".old")]
    if code:
        errors = [x for x in shown.splitlines() if re.match(r"(?i)\W*error", x)]
        assert len(errors) == 1, shown
        assert len(errors[0]) < 700, shown
        assert kept == []
    else:
        for path in kept:
            DataSet.open(path).verify()


@pytest.mark.parametrize("kind", ODD)
def test_import_tells_what_is_odd_in_one_line(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each file is either read whole or refused, with nothing half-written."""
    name, content = ODD[kind]
    path = tmp_path / name
    path.write_bytes(content() if callable(content) else content)
    root = tmp_path / "ws"
    code, shown = tuom(capsys, "data", "import", str(path), "--workspace", str(root))
    law(code, shown, root)
    code, shown = tuom(capsys, "ask", "How many sessions?", "--file", str(path),
                       "--workspace", str(tmp_path / "other"))  # fmt: skip
    assert "Traceback" not in shown
    assert "fault of its own" not in shown


@pytest.mark.parametrize("kind", OPTIONS)
def test_import_tells_which_option_is_odd(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty, unknown or impossible option is named; none is taken for another."""
    path = tmp_path / "a.csv"
    path.write_text(TABLE)
    root = tmp_path / "ws"
    line = ["data", "import", str(path), "--workspace", str(root), *OPTIONS[kind]]
    code, shown = tuom(capsys, *line)
    law(code, shown, root)
    assert code, shown


@pytest.mark.parametrize("what", ["folder", "missing", "pipe", "device", "loop", "dangling"])
def test_import_of_what_is_no_file_says_so(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither waits for ever nor reads without end."""
    path = tmp_path / "a.csv"
    makers: dict[str, Callable[[], object]] = {
        "folder": path.mkdir,
        "missing": lambda: None,
        "pipe": lambda: os.mkfifo(path),
        "device": lambda: path.symlink_to("/dev/zero"),
        "loop": lambda: path.symlink_to(path),
        "dangling": lambda: path.symlink_to(tmp_path / "gone"),
    }
    makers[what]()
    root = tmp_path / "ws"
    for line in (["data", "import", str(path)], ["ask", "How many?", "--file", str(path)]):
        code, shown = tuom(capsys, *line, "--workspace", str(root))
        law(code, shown, root)
        assert code, shown


HEADERS = {
    "279 GiB": "a 2 360 99999999999\na.dat 16 200 12 0 0 0 0 I\na.dat 16 200 12 0 0 0 0 II\n",
    "a million signals": "a 1000000 360 1000\n" + "a.dat 16 200 12 0 0 0 0 I\n" * 5,
    "no rate": "a 1 0 100\na.dat 16 200 12 0 0 0 0 I\n",
    "rate not finite": "a 1 nan 100\na.dat 16 200 12 0 0 0 0 I\n",
    "another folder": "a 1 360 100\n../../etc/passwd 16 200 12 0 0 0 0 I\n",
    "whole path": "a 1 360 100\n/etc/passwd 16 200 12 0 0 0 0 I\n",
    "other format": "a 1 360 100\na.dat 999 200 12 0 0 0 0 I\n",
    "empty": "",
    "steering": "a 1 360 100\na.dat 16 200 12 0 0 0 0 \x1b[2J\n",
    "negative": "a -1 360 -100\n",
}


@pytest.mark.parametrize("kind", HEADERS)
def test_convert_of_a_record_that_asks_for_the_impossible_says_so(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A WFDB header of 279 GiB, of no rate, of files elsewhere: one line, no memory spent."""
    pytest.importorskip("wfdb")
    source = tmp_path / "records"
    source.mkdir()
    (source / "a.hea").write_text(HEADERS[kind])
    (source / "a.dat").write_bytes(struct.pack("<200h", *range(200)))
    root = tmp_path / "ws"
    line = ["data", "convert", "wfdb", str(source), "--name", "rec", "--workspace", str(root)]
    code, shown = tuom(capsys, *line)
    law(code, shown, root)
    assert code or kind == "steering", shown
