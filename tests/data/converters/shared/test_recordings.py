"""What converters of recordings share: numbers from text, labels from codes, splits."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_use_om.data.converters.shared.recordings import (
    find_files,
    label_runs,
    naming,
    read_numbers,
    split_recordings,
)
from tool_use_om.data.errors import DataError

NAMES: dict[int, str | None] = {0: None, 1: "walk", 2: "run"}


def slow_label_at(codes: list[int], time_s: np.ndarray, moment: float) -> str | None:
    """Return the label of the last sample at or before `moment`."""
    return [NAMES[c] for c, t in zip(codes, time_s, strict=True) if t <= moment][-1]


@given(st.lists(st.sampled_from([0, 1, 2]), min_size=1, max_size=30))
def test_label_runs_agree_with_each_sample(codes: list[int]) -> None:
    """At each moment the intervals say what the last sample said; they neither touch nor overlap
    with one of the same label."""
    time_s = np.cumsum(np.linspace(0.5, 1.5, len(codes)))
    intervals = label_runs(np.array(codes, dtype=float), time_s, float(time_s[-1]) + 1, NAMES)
    for moment in (*time_s, *(time_s + 0.25)):
        found = [label for start, end, label, _ in intervals if start <= moment < end]
        assert (found or [None]) == [slow_label_at(codes, time_s, moment)]
    for (_, end, before, _), (start, _, after, _) in itertools.pairwise(intervals):
        assert end < start or (end == start and before != after)


def test_label_runs_refuse_an_unknown_code() -> None:
    """A code without a name is an error, not an unlabelled stretch."""
    with pytest.raises(DataError, match="unknown activity code 7"):
        label_runs(np.array([1.0, 7.0]), np.array([0.0, 1.0]), 2.0, NAMES)


@given(
    st.lists(
        st.lists(st.floats(allow_nan=True, allow_infinity=False, width=32), min_size=3, max_size=3),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([(",", ","), ("\t", None), ("  ", None), (", ", ",")]),
    st.sampled_from(["\n", "\r\n", ";\r\n", "\n\n"]),
)
def test_read_numbers_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[float]],
    separator: tuple[str, str | None],
    newline: str,
) -> None:
    """Separators, line ends, semicolons and blank lines do not change the numbers."""
    path = tmp_path_factory.getbasetemp() / "numbers.txt"
    text = newline.join(separator[0].join(repr(v) for v in row) for row in rows) + newline + " "
    path.write_text(text, newline="")
    assert np.array_equal(read_numbers(path, 3, delimiter=separator[1]), rows, equal_nan=True)


def test_read_numbers_checks_the_header(tmp_path: Path) -> None:
    """A header is compared name by name, quoted or not."""
    path = tmp_path / "a.csv"
    path.write_text('"x",y\n1,2\n')
    assert read_numbers(path, 2, delimiter=",", header=("x", "y")).tolist() == [[1.0, 2.0]]
    with pytest.raises(DataError, match=r"a\.csv: expected the columns \['y', 'x'\]"):
        read_numbers(path, 2, delimiter=",", header=("y", "x"))


def test_find_files_matches_whole_names_in_order(tmp_path: Path) -> None:
    """Names match in full, in any folder; what an archive of a Mac adds does not."""
    for name in ("b/s2.txt", "a/s1.txt", "a/s1.txt.bak", "__MACOSX/._s1.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1")
    found = find_files(tmp_path, re.compile(r"s(\d)\.txt"), like="s1.txt", hint="Give it.")
    assert [(p.name, m[1]) for p, m in found] == [("s1.txt", "1"), ("s2.txt", "2")]
    with pytest.raises(DataError, match=r"holds no file such as s1\.txt\. Give it\."):
        find_files(tmp_path, re.compile("none"), like="s1.txt", hint="Give it.")


@pytest.mark.parametrize(("n", "sizes"), [(1, (1, 0, 0)), (2, (1, 0, 1)), (3, (1, 1, 1))])
def test_split_recordings_says_what_few_subjects_become(
    n: int, sizes: tuple[int, int, int]
) -> None:
    """One subject trains; of two one trains and one tests; of three each does one."""
    splits = list(split_recordings({f"s{i}": {"walk": 1} for i in range(n)}).values())
    assert tuple(splits.count(s) for s in ("train", "calibration", "test")) == sizes


def test_naming_puts_the_file_in_front_once(tmp_path: Path) -> None:
    """A message without the file's name gets it; one that has it stays as it is."""
    for text, wanted in (
        ("too short", f"{tmp_path}: too short"),
        (f"{tmp_path} is", f"{tmp_path} is"),
    ):
        with pytest.raises(DataError) as caught, naming(tmp_path):
            raise DataError(text)
        assert str(caught.value) == wanted
