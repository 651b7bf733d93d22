"""The UCR/UEA converter, on small files in the archive's forms."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.converters.ucr import convert
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

pytestmark = pytest.mark.usefixtures("no_pictures")
HEAD = """# a comment
%another
@problemName Toy
@timeStamps false
@missing true
@univariate false
@dimensions 2
@equalLength false
@classLabel true a b
@data
"""
CASES = """1.0,2.0,?:4.0,5.0,6.0:a
1.0,NaN:3.0,4.0:b

0.5:0.25:a
7,8,9,10:1,2:a
"""


def put(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    put(tmp_path / "Toy", "Toy_TRAIN.ts", HEAD + CASES)
    return put(tmp_path / "Toy", "Toy_TEST.ts", HEAD + "1,1:2,2:b\n")


def test_ucr_reads_ragged_cases_with_missing_values(tmp_path: Path, source: Path) -> None:
    """'?' and NaN are missing; cases differ in length; a dimension shorter than another ends."""
    convert(source, tmp_path / "toy")
    dataset = DataSet.open(tmp_path / "toy")
    (first,), (last,) = (dataset.read(f"train-{i:04d}") for i in (0, 3))
    assert np.array_equal(first.values, [[1, 4], [2, 5], [np.nan, 6]], equal_nan=True)
    assert last.values.shape == (4, 2)
    assert np.isnan(last.values[2:, 1]).all()
    assert first.channels == ("series.dim1", "series.dim2")
    assert dataset.duration_of("train-0002") == 1.0


def test_ucr_keeps_the_archives_parts(tmp_path: Path, source: Path) -> None:
    """TEST tests; each third case of a class in TRAIN calibrates, the rest trains."""
    convert(source, tmp_path / "toy")
    dataset = DataSet.open(tmp_path / "toy")
    splits = dataset.sessions().set_index("session_id")["split"].to_dict()
    assert splits == {
        "train-0000": "train",
        "train-0001": "train",
        "train-0002": "train",
        "train-0003": "calibration",
        "test-0000": "test",
    }
    assert dataset.manifest.label_sets == {"class": ("a", "b")}


def test_ucr_takes_the_rate_it_is_given_and_says_which(tmp_path: Path, source: Path) -> None:
    """Without one it is 1 Hz by convention, and the manifest says so."""
    convert(source, tmp_path / "a")
    convert(source, tmp_path / "b", rate_hz=50.0)
    one, fifty = (DataSet.open(tmp_path / k) for k in "ab")
    assert one.manifest.modalities[0].rate_hz == 1.0
    assert "convention" in one.manifest.notes[0]
    assert fifty.duration_of("train-0000") == pytest.approx(3 / 50)


@pytest.mark.parametrize("key", ["@targetLabel true", "@targetlabel true"])
def test_ucr_keeps_a_number_to_predict_as_truth(tmp_path: Path, key: str) -> None:
    """A regression problem has no label; each case's target is its truth."""
    head = f"@problemname Toy\n@timestamps false\n@univariate true\n{key}\n@data\n"
    put(tmp_path / "Toy", "Toy_TRAIN.ts", head + "1,2,3:0.75\n2,3,4:-1e-3\n")
    convert(tmp_path / "Toy", tmp_path / "out")
    dataset = DataSet.open(tmp_path / "out")
    assert dataset.labels().empty
    assert dataset.truth()[["name", "value"]].to_numpy().tolist() == [
        ["target", 0.75],
        ["target", -0.001],
    ]


def test_ucr_keeps_time_stamps(tmp_path: Path) -> None:
    """(time,value) pairs set the rate and the start; dates hold colons and still parse."""
    head = "@problemName T\n@timeStamps True\n@univariate true\n@classLabel true 1 2\n@data\n"
    case = "(2007-01-01 00:00:00,241.97),(2007-01-01 00:01:00,?),(2007-01-01 00:03:00,1):1\n"
    put(tmp_path / "T", "T_TRAIN.ts", head + case)
    convert(tmp_path / "T", tmp_path / "out")
    dataset = DataSet.open(tmp_path / "out")
    (signal,) = dataset.read("train-0000")
    assert signal.time_s.tolist() == [0, 60, 180]
    assert np.isnan(signal.values[1, 0])
    assert str(dataset.sessions()["start_utc"][0]) == "2007-01-01 00:00:00+00:00"


def test_ucr_reads_tsv_and_its_padding(tmp_path: Path) -> None:
    """The class comes first; NaN inside is missing, NaN at the end is padding of a shorter case."""
    put(tmp_path / "P", "P_TRAIN.tsv", "-1\t1.5\tNaN\t2.5\tNaN\tNaN\n1\t1\t2\t3\t4\t5\n")
    put(tmp_path / "P", "P_TEST.tsv", "1\t1\t2\t3\t4\t5\n")
    convert(tmp_path / "P", tmp_path / "out")
    dataset = DataSet.open(tmp_path / "out")
    (signal,) = dataset.read("train-0000")
    assert np.array_equal(signal.values[:, 0], [1.5, np.nan, 2.5], equal_nan=True)
    assert dataset.manifest.label_sets["class"] == ("-1", "1")


def test_ucr_reads_both_styles_of_arff(tmp_path: Path) -> None:
    """One column a value, or a quoted relation of dimensions parted by \\n, give the same cases."""
    plain = "% x\n@Relation A\n@attribute att1 numeric\n@attribute att2 numeric\n"
    plain += "@attribute class {a,b}\n@data\n1.0,?,a\n3.0,4.0,b\n"
    put(tmp_path / "A", "A_TRAIN.arff", plain)
    related = "@relation B\n@attribute relationalAtt relational\n @attribute att1 numeric\n"
    related += "@end relationalAtt\n@attribute class {a,b}\n@data\n"
    put(tmp_path / "B", "B_TRAIN.arff", related + "'1.0,?\\n5.0,6.0',a\n\"3.0,4.0\\n7.0,8.0\",b\n")
    for name in "AB":
        convert(tmp_path / name, tmp_path / f"out{name}")
    one, two = (DataSet.open(tmp_path / f"out{name}") for name in "AB")
    assert one.labels()["label"].tolist() == two.labels()["label"].tolist() == ["a", "b"]
    assert two.read("train-0001")[0].values.tolist() == [[3, 7], [4, 8]]
    assert one.read("train-0001")[0].values.tolist() == [[3], [4]]


def test_ucr_reads_the_zip_as_the_folder(tmp_path: Path, source: Path) -> None:
    """The download gives the same content; one-dimension copies of a problem are left out."""
    with zipfile.ZipFile(tmp_path / "Toy.zip", "w") as archive:
        for path in source.iterdir():
            archive.write(path, path.name)
        archive.writestr("ToyDimension1_TRAIN.arff", "@relation x\n")
    convert(tmp_path / "Toy.zip", tmp_path / "a")
    convert(source, tmp_path / "b")
    assert len({DataSet.open(tmp_path / k).content_hash for k in "ab"}) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "1,2:3,4:c\n", r"line 11: the case must end in one of a, b, got 'c'"),
        (HEAD + "1,2:3,4\n", "line 11: expected 2 dimensions, got 1"),
        (HEAD + "1,2:3,4:\n", "line 11: the case must end in one of a, b"),
        (HEAD + "1,x:3,4:a\n", "line 11: could not convert"),
        (HEAD.replace("@data\n", ""), "has no @data"),
        ("1,2:3,4:a\n", "line 1: expected @data"),
        (HEAD, "has no case"),
    ],
)
def test_ucr_refuses_a_damaged_file_by_name_and_line(
    tmp_path: Path, source: Path, text: str, message: str
) -> None:
    """Cut lines, unknown classes and missing headers are refused; nothing is written."""
    (source / "Toy_TRAIN.ts").write_text(text)
    with pytest.raises(DataError, match=rf"Toy_TRAIN\.ts.*{message}"):
        convert(source, tmp_path / "out" / "toy")
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_ucr_refuses_several_problems_at_once(tmp_path: Path, source: Path) -> None:
    """A folder of the whole archive is refused with the names it holds."""
    put(source, "Other_TRAIN.ts", HEAD + CASES)
    with pytest.raises(DataError, match=r"one problem.*found: Other, Toy"):
        convert(source, tmp_path / "out")
    with pytest.raises(DataError, match="found: none"):
        convert(put(tmp_path / "no", "x.txt", ""), tmp_path / "out")
