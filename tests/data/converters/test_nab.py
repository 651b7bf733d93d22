"""The NAB converter, on small files of the published form."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tool_use_om.data.converters.nab import convert
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

pytestmark = pytest.mark.usefixtures("no_pictures")
KEYS = {
    "cpu": "realAWSCloudwatch/ec2_cpu_utilization_24ae8d.csv",
    "machine": "realKnownCause/machine_temperature_system_failure.csv",
    "taxi": "realKnownCause/nyc_taxi.csv",
    "disk": "realAWSCloudwatch/ec2_disk_write_bytes_1ef3de.csv",
    "flat": "artificialNoAnomaly/art_flatline.csv",
}


def stamps(start: str, n: int, step: str) -> list[str]:
    return [f"{t:%Y-%m-%d %H:%M:%S}" for t in pd.date_range(start, periods=n, freq=step)]


def write(path: Path, times: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{t},{i}.5" for i, t in enumerate(times)]
    path.write_text("\n".join(["timestamp,value", *rows]) + "\n")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Write five files: a clock that jumps back 55 minutes, times that repeat, half-hour steps."""
    root = tmp_path / "NAB"
    data = root / "data"
    write(data / KEYS["cpu"], stamps("2014-02-14 14:30", 20, "5min"))
    jump = stamps("2014-01-07 02:00", 12, "5min")
    write(data / KEYS["machine"], [*jump, *jump, *stamps("2014-01-07 03:00", 4, "5min")])
    write(data / KEYS["taxi"], stamps("2014-07-01", 10, "30min"))
    late = stamps("2014-03-01 17:34", 6, "5min")
    write(data / KEYS["disk"], [*late[:3], late[2], *late[3:]])
    write(data / KEYS["flat"], stamps("2014-04-01", 8, "5min"))
    windows: dict[str, list[list[str]]] = {k: [] for k in KEYS.values()}
    windows[KEYS["cpu"]] = [["2014-02-14 14:40:00.000000", "2014-02-14 14:50:00.000000"]]
    windows[KEYS["machine"]] = [["2014-01-07 02:50:00.000000", "2014-01-07 03:05:00.000000"]]
    points = {k: [] for k in KEYS.values()} | {KEYS["cpu"]: ["2014-02-14 14:45:00"]}
    (root / "labels").mkdir()
    (root / "labels" / "combined_windows.json").write_text(json.dumps(windows))
    (root / "labels" / "combined_labels.json").write_text(json.dumps(points))
    return root


def test_nab_cuts_where_the_clock_jumps_back(tmp_path: Path, source: Path) -> None:
    """The hour that occurs twice is in two sessions; a window is cut to each session it meets."""
    convert(source, tmp_path / "nab")
    dataset = DataSet.open(tmp_path / "nab")
    name = "realKnownCause-machine_temperature_system_failure"
    first, second = (dataset.read(f"{name}-{i}")[0] for i in (1, 2))
    assert (len(first.time_s), len(second.time_s)) == (12, 16)
    assert second.time_s[-1] == 75 * 60
    rows = dataset.labels([f"{name}-1", f"{name}-2"], "anomaly")[["start_s", "end_s"]]
    assert rows.to_numpy().tolist() == [[3000, 3600], [3000, 4200]]


def test_nab_drops_repeated_times_and_counts_them(tmp_path: Path, source: Path) -> None:
    """Of samples at one time the first stays; the manifest says how many went."""
    convert(source, tmp_path / "nab")
    dataset = DataSet.open(tmp_path / "nab")
    (signal,) = dataset.read("realAWSCloudwatch-ec2_disk_write_bytes_1ef3de")
    assert signal.values[:, 0].tolist() == [0.5, 1.5, 2.5, 4.5, 5.5, 6.5]
    assert dataset.manifest.notes[0].startswith("1 samples that repeat")
    assert "machine_temperature" in dataset.manifest.notes[1]


def test_nab_reads_windows_and_points(tmp_path: Path, source: Path) -> None:
    """A window includes its last sample; a point lasts one step; empty lists give no label."""
    convert(source, tmp_path / "nab")
    labels = DataSet.open(tmp_path / "nab").labels()
    cpu = labels[labels["session_id"].str.contains("cpu")][["set", "start_s", "end_s"]]
    assert sorted(cpu.to_numpy().tolist()) == [
        ["anomaly", 600, 1500],
        ["anomaly_point", 900, 1200],
    ]
    assert not labels["session_id"].str.contains("flatline").any()


def test_nab_names_what_is_measured(tmp_path: Path, source: Path) -> None:
    """Kinds are modalities with their own unit and step; where the source says none it is a.u."""
    convert(source, tmp_path / "nab")
    manifest = DataSet.open(tmp_path / "nab").manifest
    found = {m.name: (m.channels[0].unit, round(1 / m.rate_hz)) for m in manifest.modalities}
    assert found == {
        "cpu": ("%", 300),
        "disk": ("B", 300),
        "taxi": ("count", 1800),
        "temperature": ("a.u.", 300),
        "artificial": ("a.u.", 300),
    }


def test_nab_gives_each_step_of_a_kind_its_own_modality(tmp_path: Path, source: Path) -> None:
    """Files of one kind at another step, even a broken one, do not borrow the common rate."""
    for name in ("a", "b"):
        write(
            source / "data" / "realTraffic" / f"speed_{name}.csv", stamps("2015-09-01", 6, "5min")
        )
    write(source / "data" / "realTraffic" / "speed_c.csv", stamps("2015-09-01", 7, "150500ms"))
    path = source / "labels" / "combined_windows.json"
    extra = {f"realTraffic/speed_{name}.csv": [] for name in "abc"}
    path.write_text(json.dumps(json.loads(path.read_text()) | extra))
    convert(source, tmp_path / "nab")
    manifest = DataSet.open(tmp_path / "nab").manifest
    rates = {m.name: 1 / m.rate_hz for m in manifest.modalities if "metric" in m.name}
    assert rates == {"metric": pytest.approx(300), "metric_150_5s": pytest.approx(150.5)}


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (
            f"data/{KEYS['taxi']}",
            "timestamp,value\n2014-07-01 00:00:00,\n",
            "row 1: value is empty",
        ),
        (f"data/{KEYS['taxi']}", "time,value\n1,2\n", "no column 'timestamp'"),
        (f"data/{KEYS['taxi']}", "timestamp,value\nyesterday,2\n", "ISO 8601"),
        ("labels/combined_windows.json", "{}", "no entry for artificialNoAnomaly"),
        ("labels/combined_windows.json", '{"a": [[', "no readable JSON"),
        ("labels/combined_windows.json", "[]", "must map files to anomalies"),
    ],
)
def test_nab_refuses_a_damaged_file_by_name(
    tmp_path: Path, source: Path, file: str, text: str, message: str
) -> None:
    """Cells, headers and label files that cannot be read are refused, naming the file."""
    (source / file).write_text(text)
    with pytest.raises(DataError, match=f"{Path(file).name}.*{message}"):
        convert(source, tmp_path / "out" / "nab")
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_nab_refuses_windows_of_another_form(tmp_path: Path, source: Path) -> None:
    """A window that is no pair of times is refused with the file it belongs to."""
    path = source / "labels" / "combined_windows.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {KEYS["taxi"]: [["2014-07-01"]]}))
    with pytest.raises(DataError, match=r"nyc_taxi\.csv: expected \[start, end\]"):
        convert(source, tmp_path / "nab")
