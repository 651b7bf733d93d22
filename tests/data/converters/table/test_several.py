"""Several tables of one clock: 100 Hz, 1 Hz and 256 Hz in one session, its seconds intact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from tool_use_om.data.converters.table.convert import convert, plan_files
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.graphs.commands.data import app

RATES_HZ = {"accel": 100.0, "heart": 1.0, "ecg": 256.0}
STARTS_S = {"accel": 1.25, "heart": 2.5, "ecg": 0.75}  # on the clock of all
GAPS_S = {"accel": (12.0, 14.0), "heart": (20.0, 24.0), "ecg": (8.0, 9.5)}
JITTER_S = {"accel": 0.002, "heart": 0.05, "ecg": 0.0}
END_S = 40.0
EPOCH = 1_700_000_000.0


def true_value(clock_s: np.ndarray) -> np.ndarray:
    return np.sin(2 * np.pi * clock_s / 10)


def write_tables(folder: Path, start: float = EPOCH) -> list[Path]:
    """Write a CSV a rate: time jitters, drops out, and starts apart."""
    paths = []
    for i, (name, rate) in enumerate(RATES_HZ.items()):
        clock = np.arange(STARTS_S[name], END_S, 1 / rate)
        clock = clock + np.random.default_rng(i).uniform(-1, 1, clock.size) * JITTER_S[name]
        low, high = GAPS_S[name]
        clock = np.round(clock[(clock < low) | (clock >= high)], 5)
        frame = pd.DataFrame({"t": start + clock, f"{name}_v": true_value(clock)})
        if name == "accel":
            frame["act"] = np.where(clock < 10, "walk", "sit")
        path = folder / f"{name}.csv"
        frame.to_csv(path, index=False, float_format="%.6f")
        paths.append(path)
    return paths


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    folder = tmp_path_factory.mktemp("tables")
    asked = ["--time", "t", "--label", "act", "--units", "accel_v=g,heart_v=bpm,ecg_v=mV"]
    files = [str(p) for p in write_tables(folder)]
    result = CliRunner().invoke(
        app, ["import", *files, *asked, "--name", "body", "--workspace", str(folder / "ws")]
    )
    assert result.exit_code == 0, result.output
    return DataSet.open(folder / "ws" / "datasets" / "body")


def test_tables_measure_each_rate_through_jitter_and_drop_outs(body: DataSet) -> None:
    """Each table is a modality at its own nominal rate."""
    rates = {m.name: m.rate_hz for m in body.manifest.modalities}
    assert rates == pytest.approx(RATES_HZ, rel=2e-3)
    assert rates["ecg"] == 256.0


def test_tables_keep_every_sample_at_its_second(body: DataSet) -> None:
    """The earliest sample of all is second 0; the others keep their distance from it."""
    for signal in body.read("body"):
        clock = signal.time_s + STARTS_S["ecg"]
        assert abs(clock[0] - STARTS_S[signal.modality]) <= JITTER_S[signal.modality]
        assert np.allclose(signal.values[:, 0], true_value(clock), atol=1e-5)
        low, high = GAPS_S[signal.modality]
        assert not ((clock > low) & (clock < high)).any()
    labels = body.labels()
    assert labels["label"].tolist() == ["walk", "sit"]
    assert labels["start_s"].tolist() == pytest.approx([0.5, 9.25], abs=0.02)


def test_tables_give_tokens_that_know_their_seconds(body: DataSet) -> None:
    """What is encoded of each clock holds the value of its second, and nothing of a drop-out."""
    from tool_use_om.tokenizers.registry import load_tokenizer
    from tool_use_om.tokenizers.windows.config import TokenizerConfig
    from tool_use_om.tokenizers.windows.windows import cut_windows

    config = TokenizerConfig(window_s=5.12, stride_s=5.12, target_rate_hz=100.0)
    batch = cut_windows(body, ["body"], "all", config)
    time_s = batch.start_s[:, None] + np.arange(batch.values.shape[-1]) / 100
    tokens = load_tokenizer("moment-tiny").encode(batch)
    for row, name in enumerate(RATES_HZ):
        mask, clock = batch.mask[:, row], time_s + STARTS_S["ecg"]
        error = np.abs(batch.values[:, row] - true_value(clock))[mask]
        assert np.quantile(error, 0.99) < 0.63 * (0.006 + JITTER_S[name]) + 0.02
        low, high = GAPS_S[name]
        start = tokens.start_s + STARTS_S["ecg"]
        edge = 1 / RATES_HZ[name] + 0.08
        inside = (start > low + edge) & (start + tokens.patch_s < high - edge)
        assert inside.any()
        windows, patches = np.nonzero(inside)
        assert not tokens.mask[windows, row, patches].any()


def test_tables_refuse_clocks_that_cannot_meet(tmp_path: Path) -> None:
    """Dates in one table and a count in another are refused by name, and nothing is written."""
    (tmp_path / "a").mkdir()
    paths = write_tables(tmp_path)[:1] + write_tables(tmp_path / "a", start=0.0)[1:2]
    with pytest.raises(DataError, match="heart counts time as"):
        convert(paths, tmp_path / "set", options=TableOptions(time="t", label="act"))
    assert not (tmp_path / "set").exists()


def test_tables_refuse_a_session_the_first_does_not_have(tmp_path: Path) -> None:
    """The first table says which sessions there are."""
    paths = []
    for name, ids in {"a": ["x", "y"], "b": ["x", "z"]}.items():
        frame = pd.DataFrame({"t": [0.0, 1, 2, 0, 1, 2], "s": np.repeat(ids, 3), f"{name}v": 1.0})
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
        paths.append(tmp_path / f"{name}.csv")
    with pytest.raises(NotFoundError, match="session of b 'z'"):
        plan_files(paths, TableOptions(time="t", session="s"), "set")


def test_tables_refuse_one_rate_for_all(tmp_path: Path) -> None:
    """--rate cannot hold for several tables."""
    with pytest.raises(DataError, match="--rate holds for one table"):
        plan_files(write_tables(tmp_path), TableOptions(time="t", rate_hz=5.0), "set")


def write_runs(folder: Path, names: list[str], head: str = "time,speed,pulse") -> list[Path]:
    """Write files of one header, an hour apart, each with its own values."""
    for k, name in enumerate(names):
        rows = [f"2025-03-02T{8 + k:02d}:00:{i:02d}Z,{k + i / 10},{100 * k + i}" for i in range(40)]
        (folder / f"{name}.csv").write_text("\n".join([head, *rows]) + "\n")
    return [folder / f"{name}.csv" for name in names]


def test_files_with_the_same_columns_are_sessions(tmp_path: Path) -> None:
    """Each file is a session named after it, with its own start and its own values."""
    files = write_runs(tmp_path, ["run 01", "run 02", "run 03"])
    plan = plan_files(files, TableOptions(), "runs")
    assert [s.session_id for s in plan.sessions] == ["run_01", "run_02", "run_03"]
    assert [s.start_utc.hour for s in plan.sessions if s.start_utc] == [8, 9, 10]
    (modality,) = plan.modalities
    assert [c.name for c in modality.channels] == ["speed", "pulse"]
    assert modality.rate_hz == 1.0
    for k, session in enumerate(plan.sessions):
        time_s, values = session.signals[modality.name]
        assert time_s.tolist() == list(range(40))
        assert values[:, 1].tolist() == [100 * k + i for i in range(40)]
    assert any("3 files with the same columns: one session a file" in line for line in plan.said)
    convert(files, tmp_path / "set", options=TableOptions())
    (signal,) = DataSet.open(tmp_path / "set").read("run_03")
    assert signal.values[5].tolist() == pytest.approx([2.5, 205.0])


def test_files_named_after_quantities_stay_modalities(tmp_path: Path) -> None:
    """A phone's accelerometer and gyroscope have the same columns and are one recording."""
    head = "t,x,y,z"
    for name in ("Accelerometer", "Gyroscope"):
        rows = [f"{i / 10},{i},{i},{i}" for i in range(40)]
        (tmp_path / f"{name}.csv").write_text("\n".join([head, *rows]) + "\n")
    files = [tmp_path / "Accelerometer.csv", tmp_path / "Gyroscope.csv"]
    plan = plan_files(files, TableOptions(), "walk")
    assert [m.name for m in plan.modalities] == ["Accelerometer", "Gyroscope"]
    assert [s.session_id for s in plan.sessions] == ["walk"]


def test_session_none_keeps_files_of_one_clock_together(tmp_path: Path) -> None:
    """--session none says that files with the same columns are no sessions."""
    files = write_runs(tmp_path, ["left", "right"])
    plan = plan_files(files, TableOptions(session="none"), "both")
    assert [m.name for m in plan.modalities] == ["left", "right"]
    assert len(plan.sessions) == 1


def test_files_with_a_session_column_keep_its_sessions(tmp_path: Path) -> None:
    """Sessions that a column names stay what they are where no two files share one."""
    for name, ids in {"may": "ab", "june": "cd"}.items():
        rows = [f"{i},{s},{i}" for s in ids for i in range(20)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["t,session,x", *rows]) + "\n")
    plan = plan_files([tmp_path / "may.csv", tmp_path / "june.csv"], TableOptions(), "set")
    assert [s.session_id for s in plan.sessions] == ["a", "b", "c", "d"]


def test_thousands_are_read_alike_in_all_files(tmp_path: Path) -> None:
    """A file that stays under 1,000 and one that does not are read in one form."""
    for name, base in {"cheap": 5, "dear": 4000}.items():
        rows = [f'2025-03-{i + 1:02d},"{base + i:,}.5"' for i in range(28)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["Date,Price", *rows]) + "\n")
    plan = plan_files([tmp_path / "cheap.csv", tmp_path / "dear.csv"], TableOptions(), "coins")
    values = [next(iter(s.signals.values()))[1][0, 0] for s in plan.sessions]
    assert values == [5.5, 4000.5]
