"""Files as people's spreadsheets, loggers and home automation write them: understood, or asked."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.converters.table.convert import convert, plan_files
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.converters.table.plan import TablePlan
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

N = range(60)


def table(head: str, rows: list[str]) -> str:
    return "\n".join([head, *rows]) + "\n"


def plan_of(
    folder: Path, text: str | bytes, *, name: str = "mine.csv", **options: Any
) -> TablePlan:
    raw = text.encode() if isinstance(text, str) else text
    (folder / name).write_bytes(raw)
    return plan_files([folder / name], TableOptions(**options), "mine")


def values_of(plan: TablePlan, session: int = 0) -> np.ndarray:
    ((_, values),) = plan.sessions[session].signals.values()
    return values


GERMAN = table(
    "Zeit;Temperatur;Druck", [f"01.02.2025 {i // 6:02d}:{i % 6}0;{20 + i},5;1013,25" for i in N]
)
HOURS = [(f"{i // 24 + 1:02d}", f"{i % 24:02d}") for i in N]

DOUBTFUL = table("date,x", [f"{i + 1:02d}/01/2024,{i}" for i in range(12)])


def hourly(head: str, row: str) -> str:
    """Return a table of 60 hours; a row is made from {d}ay, {h}our, {i}, {half}-day hour, {p}m."""
    return table(
        head,
        [
            row.format(d=d, h=h, i=i, dd=int(d) + 12, half=int(h) % 12 or 12, p="AP"[int(h) >= 12])
            for i, (d, h) in enumerate(HOURS)
        ],
    )


@pytest.mark.parametrize(
    ("text", "start", "step_s", "first", "said"),
    [
        (GERMAN, "2025-02-01T00:00", 600, [20.5, 1013.25], "decimal comma"),
        (
            hourly("Local time,Open", "{d}.03.2014 {h}:00:00.000 GMT+0200,1.{i:03d}"),
            "2014-02-28T22:00", 3600, [1.0], "UTC+02:00",
        ),
        (
            hourly("when;Wert", "{d}.03.2024 {h}:00;1'234'567.{i:02d}"),
            "2024-03-01T00:00", 3600, [1234567.0], "set apart by apostrophes",
        ),
        (
            hourly("date;valeur", "{d}/03/2024 {h}:00;1 234 567,{i:02d}"),
            "2024-03-01T00:00", 3600, [1234567.0], "set apart by spaces",
        ),
        (
            hourly("date,price", '2024-01-{d} {h}:00,"1,234,567.{i:02d}"'),
            "2024-01-01T00:00", 3600, [1234567.0], "set apart by commas",
        ),
        (
            table("Date;Time;power", [f"16/12/2006;17:{i:02d}:00;{i / 4}" for i in N]),
            "2006-12-16T17:00", 60, [0.0], "'Date' and 'Time'",
        ),
        (
            hourly("d,x", "01/{dd}/2024 {half}:00 {p}M,1"),
            "2024-01-13T00:00", 3600, [1.0], "the month first",
        ),
        (
            table("d,x", [f"{i + 1} Mar 2024,{i}" for i in range(28)]),
            "2024-03-01T00:00", 86400, [0.0], "the day first",
        ),
        (
            table("d,x", [f"2024-01-{28 - i:02d},{i}" for i in range(28)]),
            "2024-01-01T00:00", 86400, [27.0], "newest first",
        ),
    ],
)  # fmt: skip
def test_import_reads_dates_and_numbers_as_they_are_written(
    tmp_path: Path, text: str, start: str, step_s: float, first: list[float], said: str
) -> None:
    """The time starts and steps as the file says, the values are the file's, and it is said how."""
    plan = plan_of(tmp_path, text)
    (session,) = plan.sessions
    assert session.start_utc is not None
    assert session.start_utc.strftime("%Y-%m-%dT%H:%M") == start
    ((time_s, values),) = session.signals.values()
    assert np.diff(time_s).tolist() == pytest.approx([step_s] * (len(time_s) - 1))
    assert values[0].tolist() == first
    assert said in "; ".join(plan.said)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (DOUBTFUL, "--day-first or --month-first"),
        (table("t,x", [f"{10 * i},{i}" for i in N]), "--time-unit ms or --time-unit s"),
        (table("date,x", [f"{45000 + i / 24:.5f},{i}" for i in N]), "--time-unit excel"),
        (table("x,y", [f"{i * 1.5},{i}" for i in N]), "--time, or give --rate"),
        (table("time,x", [f"2024-01-01T00:{i:02d}:00{'Z' * (i % 2)},{i}" for i in N]), "mixes"),
        (table("time,x", [f"2024-10-27 0{h}:00,1" for h in (1, 2, 2, 3)]), "--tz"),
        (table("t,x", ["3000-01-01,1", "3001-01-01,2"]), "no date"),
        (table("t,x", ["0,1", "1,2,3"]), "a line has 3"),
        (b"\x00\x01\x02", "zero bytes"),
        (b"", "is empty"),
        (table("0,1", ["1,2", "2,3"]), "has no header"),
    ],
)
def test_import_asks_back_what_it_cannot_know(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    """What the file does not tell is asked, with the options that answer it; nothing is guessed."""
    with pytest.raises(DataError, match=message):
        plan_of(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (DOUBTFUL, {"order": "day-first"}),
        (DOUBTFUL, {"order": "month-first"}),
        (table("t,x", [f"{10 * i},{i}" for i in N]), {"time_unit": "ms"}),
        (table("t,x", [f"{10 * i},{i}" for i in N]), {"time_unit": "s"}),
        (table("date,x", [f"{45000 + i / 24:.5f},{i}" for i in N]), {"time_unit": "excel"}),
        (table("x,y", [f"{i * 1.5},{i}" for i in N]), {"rate_hz": 10.0}),
    ],
)  # fmt: skip
def test_what_import_asks_for_can_be_answered(
    tmp_path: Path, text: str, options: dict[str, Any]
) -> None:
    """The advice of each question is followed, and the import goes through."""
    assert plan_of(tmp_path, text, **options).sessions


def test_local_time_is_read_through_both_changes_of_the_clock(tmp_path: Path) -> None:
    """In Berlin 26 October 2024 to 28 October has 49 hours, 30 March to 1 April has 47."""
    autumn = [f"2024-10-{26 + i // 24} {i % 24:02d}:00" for i in range(24)]
    autumn += [f"2024-10-27 0{h}:00" for h in (0, 1, 2, 2)]
    autumn += [f"2024-10-27 {h:02d}:00" for h in range(3, 24)]
    spring = [f"2024-03-30 {h:02d}:00" for h in range(24)]
    spring += [f"2024-03-31 {h:02d}:00" for h in (0, 1, *range(3, 24))]
    for rows, hours in ((autumn, 49), (spring, 47)):
        for order in (rows, rows[::-1]):
            text = table("time,x", [f"{t},1" for t in order])
            (session,) = plan_of(tmp_path, text, tz="Europe/Berlin").sessions
            ((time_s, _),) = session.signals.values()
            assert np.diff(time_s).tolist() == [3600.0] * (hours - 1)
    with pytest.raises(DataError, match="does not exist in Europe/Berlin"):
        plan_of(tmp_path, table("time,x", ["2024-03-31 02:30,1"] * 2), tz="Europe/Berlin")


def test_long_form_keeps_each_sensors_own_rate_and_unit(tmp_path: Path) -> None:
    """A reading a row: each sensor is a modality at its rate; 'unavailable' is missing, said."""
    rows = [(60 * i, "sensor.power", str(100 + i), "kW") for i in range(120)]
    rows += [(300 * i, "sensor.room_t", str(20 + i), "°C") for i in range(24)]
    rows[130] = (*rows[130][:2], "unavailable", "°C")
    text = table(
        "entity_id,state,last_changed,unit_of_measurement",
        [
            f"{s},{v},2025-01-01T{t // 3600:02d}:{t // 60 % 60:02d}:00.000Z,{u}"
            for t, s, v, u in sorted(rows)
        ],
    )  # fmt: skip
    plan = plan_of(tmp_path, text)
    found = {m.name: (round(1 / m.rate_hz), m.channels[0].unit) for m in plan.modalities}
    assert found == {"power": (60, "kW"), "room_t": (300, "degC")}
    (session,) = plan.sessions
    assert session.signals["power"][1][:, 0].tolist() == [100.0 + i for i in range(120)]
    assert np.isnan(session.signals["room_t"][1][10, 0])
    assert any("unavailable" in note for note in plan.notes)


def test_long_form_of_one_clock_is_pivoted(tmp_path: Path) -> None:
    """Sensors that are read at the same times become channels side by side."""
    rows = [f"{i / 10},{s},{v}" for i in N for s, v in (("a_mm_s", i), ("b_kW", 2 * i))]
    plan = plan_of(tmp_path, table("t,channel,reading", rows))
    (modality,) = plan.modalities
    assert [(c.name, c.unit) for c in modality.channels] == [("a_mm_s", "mm/s"), ("b_kW", "kW")]
    assert values_of(plan)[7].tolist() == [7.0, 14.0]


def test_one_file_a_sensor_is_one_set(tmp_path: Path) -> None:
    """Files of a sensor each share the clock; each is a modality with its own rate."""
    for name, step in (("temperature", 5), ("power", 1)):
        rows = [f"2025-01-01T00:{i:02d}:00Z,{i}" for i in range(0, 60, step)]
        (tmp_path / f"{name}.csv").write_text(table("time,value", rows))
    files = [tmp_path / "temperature.csv", tmp_path / "power.csv"]
    plan = plan_files(files, TableOptions(), "house")
    assert {m.name: round(1 / m.rate_hz) for m in plan.modalities} == {
        "temperature": 300,
        "power": 60,
    }
    assert len(plan.sessions) == 1


def test_ids_and_labels_stay_as_they_are_written(tmp_path: Path) -> None:
    """`001` and `1`, `1e3` and `1000` are four sessions; NA and null are labels."""
    pairs = (("001", "NA"), ("1", "null"), ("1e3", "NA"), ("1000", "null"))
    rows = [f"{i},{s},{y},{i}" for s, y in pairs for i in range(20)]
    plan = plan_of(tmp_path, table("t,session,label,x", rows))
    assert [s.session_id for s in plan.sessions] == ["001", "1", "1e3", "1000"]
    assert [s.labels[0][2] for s in plan.sessions] == ["NA", "null", "NA", "null"]


def test_session_numbers_unique_within_a_subject_or_a_day_get_it_in_front(tmp_path: Path) -> None:
    """Trial 1 of anna is not trial 1 of ben; cycle 1 of Monday is not cycle 1 of Tuesday."""
    rows = [f"{i},{p},{k},{i}" for p in ("anna", "ben", "cy") for k in (1, 2) for i in range(20)]
    plan = plan_of(tmp_path, table("t,subject,session,x", rows))
    assert [s.session_id for s in plan.sessions][:3] == ["anna-1", "anna-2", "ben-1"]
    assert {s.subject_id for s in plan.sessions} == {"anna", "ben", "cy"}
    rows = [
        f"2024-01-0{d} 08:{10 * k + i // 6:02d}:{i % 6}0,{k},{i}"
        for d in (1, 2, 3) for k in (1, 2) for i in range(30)
    ]  # fmt: skip
    plan = plan_of(tmp_path, table("time,cycle,x", rows))
    assert [s.session_id for s in plan.sessions][:3] == [
        "2024-01-01-1", "2024-01-01-2", "2024-01-02-1",
    ]  # fmt: skip


def test_units_are_read_from_names_one_a_column(tmp_path: Path) -> None:
    """A unit that a name ends with is taken and said; a name without one has none."""
    head = "time,vibration_mm_s,power_kW,Power,Wirkleistung_kW,speed km/h,Speed2,Temp [°C],class_c"
    plan = plan_of(tmp_path, table(head, [f"{i / 2},1,2,3,4,5,6,7,8" for i in N]), label="none")
    units = {c.name: c.unit for c in plan.modalities[0].channels}
    assert units == {
        "vibration_mm_s": "mm/s", "power_kW": "kW", "Power": "a.u.", "Wirkleistung_kW": "kW",
        "speed_km_h": "km/h", "Speed2": "a.u.", "Temp": "degC", "class_c": "a.u.",
    }  # fmt: skip
    plan = plan_of(
        tmp_path, table("t,Power,power_2", [f"{i / 2},1,2" for i in N]), units={"Power": "kW"}
    )
    assert [c.unit for c in plan.modalities[0].channels] == ["kW", "a.u."]


def test_import_reads_other_encodings_and_zipped_files(tmp_path: Path) -> None:
    """Latin-1 headers and labels, a byte order mark with CRLF, gzip in a file named .csv."""
    latin = table(
        "time;Gefühl;act", [f"{i / 2};{i},5;{'Stühle' if i < 30 else 'Gehen'}" for i in N]
    )
    plan = plan_of(tmp_path, latin.encode("latin-1"))
    assert plan.modalities[0].channels[0].name == "Gefuehl"
    assert [label for _, _, label, _ in plan.sessions[0].labels] == ["Stühle", "Gehen"]
    marked = "\ufeff" + table("time,Temp (°C)", [f"{i / 2},{i}" for i in N]).replace("\n", "\r\n")
    assert plan_of(tmp_path, marked).modalities[0].channels[0].unit == "degC"
    zipped = gzip.compress(table("t,x", [f"{i},{i * i}" for i in N]).encode())
    assert values_of(plan_of(tmp_path, zipped))[5, 0] == 25.0


def test_prices_in_small_steps_stay_distinct(tmp_path: Path) -> None:
    """1 234 567.89 in steps of 0.01 comes back as it was written, in 64-bit numbers."""
    (tmp_path / "price.csv").write_text(table("t,price", [f"{i},1234567.{i:02d}" for i in N]))
    convert(tmp_path / "price.csv", tmp_path / "price", options=TableOptions())
    (signal,) = DataSet.open(tmp_path / "price").read("price")
    assert signal.values[:, 0].tolist() == [float(f"1234567.{i:02d}") for i in N]
    (tmp_path / "small.csv").write_text(table("t,x", [f"{i},{i / 7:.3f}" for i in N]))
    convert(tmp_path / "small.csv", tmp_path / "small", options=TableOptions())
    (signal,) = DataSet.open(tmp_path / "small").read("small")
    assert signal.values.dtype == np.float32


def test_one_series_is_split_by_time_and_stored_so(tmp_path: Path) -> None:
    """Blocks with a gap are stored once; each split reads its own, and the lead is nobody's."""
    rows = [f"2025-03-{1 + i // 24:02d}T{i % 24:02d}:00,{i}" for i in range(720)]
    (tmp_path / "hours.csv").write_text(table("time,x", rows))
    convert(tmp_path / "hours.csv", tmp_path / "hours", options=TableOptions())
    dataset = DataSet.open(tmp_path / "hours")
    assert dataset.manifest.by_time
    assert dataset.manifest.splits == {"train": 1, "calibration": 1, "test": 1}
    parts = {k: dataset.split_parts(k) for k in ("train", "calibration", "test")}
    gap = dataset.manifest.gap_s
    assert gap == pytest.approx(72 * 3600)
    assert parts["calibration"]["start_s"][0] - parts["train"]["end_s"][0] == pytest.approx(gap)
    led = dataset.split_parts("test", lead=True)
    assert led["start_s"][0] == parts["calibration"]["end_s"][0]
    starts, ends = np.array([0.0, 1.4e6, 2.5e6]), np.array([1e5, 1.7e6, 2.59e6])
    splits = dataset.split_at(["hours"] * 3, starts, ends)
    assert splits.tolist() == ["train", None, "test"]


@pytest.mark.timeout(240)
def test_ten_thousand_columns_are_read_in_seconds(tmp_path: Path) -> None:
    """10 000 columns of 100 rows: no step of the import grows with the square of the columns."""
    import time

    rng = np.random.default_rng(0)
    head = "t," + ",".join(f"c{i}" for i in range(10_000))
    rows = [
        f"{i / 10}," + ",".join(f"{v:.3f}" for v in rng.normal(size=10_000)) for i in range(100)
    ]
    (tmp_path / "wide.csv").write_text(table(head, rows))
    began = time.process_time()
    convert(tmp_path / "wide.csv", tmp_path / "wide", options=TableOptions())
    assert time.process_time() - began < 20.0
    assert len(DataSet.open(tmp_path / "wide").manifest.channel_ids) == 10_000
