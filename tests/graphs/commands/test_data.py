"""`tuom data`, as a person runs it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tool_use_om.data.catalog import open_dataset
from tool_use_om.data.errors import DataError, NotFoundError, TuomError
from tool_use_om.data.workspace import Workspace
from tool_use_om.graphs.commands.data import app

CSV = "t,trial,acc_x,note\n" + "".join(
    f"{i / 10},{s},{i},hello\n" for s in ("a", "b", "c") for i in range(10)
)


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    if isinstance(result.exception, TuomError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def table(tmp_path: Path) -> str:
    (tmp_path / "log.csv").write_text(CSV)
    return str(tmp_path / "log.csv")


def test_data_list_shows_samples_that_are_not_built(tmp_path: Path) -> None:
    """A fresh workspace lists the samples, and listing builds none."""
    output = run("list", "--workspace", str(tmp_path))
    assert "basic-motions" in output
    assert list((tmp_path / "datasets").iterdir()) == []


def test_data_import_dry_run_shows_and_writes_nothing(tmp_path: Path, table: str) -> None:
    """A dry run says what it understood: rate, sessions, channels, units."""
    space = tmp_path / "space"
    output = run(
        "import",
        table,
        "--time",
        "t",
        "--session",
        "trial",
        "--units",
        "acc=g",
        "--skip",
        "note",
        "--dry-run",
        "--workspace",
        str(space),
    )
    for text in ("10 Hz", "3, 1 s", "signal.acc_x", "Nothing was written"):
        assert text in output
    assert not space.exists()


def test_data_import_show_plot_work_together(tmp_path: Path, table: str) -> None:
    """An imported set can be listed, shown and drawn."""
    space = ("--workspace", str(tmp_path))
    run(
        "import",
        table,
        "--time",
        "t",
        "--session",
        "trial",
        "--units",
        "acc=g",
        "--skip",
        "note",
        *space,
    )
    assert "log" in run("list", *space)
    shown = run("show", "log", *space)
    assert "signal.acc_x" in shown
    assert "3 sessions" in shown
    target = tmp_path / "figure.png"
    run("plot", "log", "--session", "a", "--out", str(target), *space)
    assert target.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(DataError, match="exists already"):
        run("import", table, "--time", "t", "--session", "trial", "--skip", "note", *space)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--units", "acc:g"), "column=unit pairs"),
        (("--time-unit", "fortnights"), "--time-unit: expected"),
        (("--time", ""), "--time is empty"),
        (("--rate", "-3"), "--rate: "),
        (("--name", "a/b"), "A data set name must be"),
        (("--label", "acc_x", "--skip", "note"), "No column is left for channels"),
    ],
)
def test_data_import_refuses_bad_options(
    tmp_path: Path, table: str, arguments: tuple[str, ...], message: str
) -> None:
    """A wrong option is named; nothing is written."""
    space = ("--workspace", str(tmp_path / "space"))
    with pytest.raises(TuomError, match=message):
        run("import", table, "--time", "t", "--session", "trial", *arguments, *space)
    assert not list((tmp_path / "space").rglob("*.json"))


def test_data_show_names_the_nearest_set(tmp_path: Path) -> None:
    """A misspelt name is refused with the nearest one."""
    with pytest.raises(NotFoundError, match="synthetic-days"):
        run("show", "synthetic-day", "--workspace", str(tmp_path))


def test_data_convert_refuses_an_unknown_converter(tmp_path: Path) -> None:
    """Converters are known by name; a source that is not there is refused."""
    with pytest.raises(NotFoundError, match="hmp"):
        run("convert", "hpm", str(tmp_path), "--workspace", str(tmp_path))
    with pytest.raises(DataError, match="tuom data import"):
        run("convert", "table", str(tmp_path), "--workspace", str(tmp_path))
    with pytest.raises(DataError, match="nothing at"):
        run("convert", "hmp", str(tmp_path / "no"), "--workspace", str(tmp_path))


def test_data_list_marks_a_damaged_set(samples: Workspace, tmp_path: Path) -> None:
    """A damaged set does not stop the list: it is named with what is wrong."""
    folder = tmp_path / "datasets" / "broken"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{")
    output = run("list", "--workspace", str(tmp_path))
    assert "broken" in output
    assert "damaged" in output


def test_data_list_as_markdown_counts_what_the_sets_hold(samples: Workspace) -> None:
    """One row a converted set: sessions, hours, rates, samples and labels as in the set itself."""
    dataset = open_dataset("basic-motions", samples)
    output = run("list", "--markdown", "--workspace", str(samples.root))
    (row,) = [line for line in output.splitlines() if line.startswith("| basic-motions |")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:4] == ["80", "not published", f"{dataset.manifest.duration_s / 3600:.4g}"]
    assert cells[4:6] == ["6 at 10 Hz", "8000"]
    assert cells[6] == "activity: badminton 20, running 20, standing 20, walking 20"


@pytest.mark.parametrize(
    ("files", "name"),
    [
        (["run_2024-03-02_0712.csv", "run_2024-03-05_1831.csv"], "run"),
        (["Water meter.xlsx"], "Water_meter"),
        (["acc.csv", "heart.csv"], "acc"),
        (["P01_knee.csv", "P02_knee.csv"], "P01_knee"),
    ],
)
def test_a_set_of_several_files_is_named_by_what_their_names_share(
    files: list[str], name: str
) -> None:
    """Fifteen runs are no "run_2024-03-02_0712"; files of different names go by the first."""
    from tool_use_om.graphs.commands.imports import name_of

    assert name_of(*map(Path, files)) == name
