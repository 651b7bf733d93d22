"""The EDF reader and converter, on small files written field by field."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.converters.edf import convert
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

pytestmark = pytest.mark.usefixtures("no_pictures")
Signal = tuple[str, str, tuple[float, float], tuple[int, int], np.ndarray | list[str]]
NOTES = "EDF Annotations"


def field(text: object, width: int) -> bytes:
    return str(text).encode("latin-1")[:width].ljust(width)


def edf(
    path: Path,
    signals: Sequence[Signal],
    *,
    record_s: float = 1,
    kind: str = "",
    patient: str = "X X X X",
    start: str = "24.04.8916.13.00",
    n_records: int | None = None,
) -> Path:
    """Write signals (label, unit, physical limits, digital limits, (records, samples) or notes)."""
    notes = [[t.encode() for t in s[4]] for s in signals if isinstance(s[4], list)]
    width = max((len(t) for texts in notes for t in texts), default=0) // 2 + 1
    blocks = [
        np.array(s[4], dtype="<i2")
        if isinstance(s[4], np.ndarray)
        else np.stack([np.frombuffer(t.encode().ljust(2 * width, b"\0"), "<i2") for t in s[4]])
        for s in signals
    ]
    n = len(blocks[0])
    head = field("0", 8) + field(patient, 80) + field("Startdate X X X X", 80) + start.encode()
    head += field(256 * (len(signals) + 1), 8) + field(kind, 44)
    head += field(n if n_records is None else n_records, 8)
    head += field(f"{record_s:g}", 8) + field(len(signals), 4)
    columns = [
        [field(s[0], 16) for s in signals],
        [field("", 80) for _ in signals],
        [field(s[1], 8) for s in signals],
        [field(f"{s[2][0]:g}", 8) for s in signals],
        [field(f"{s[2][1]:g}", 8) for s in signals],
        [field(s[3][0], 8) for s in signals],
        [field(s[3][1], 8) for s in signals],
        [field("", 80) for _ in signals],
        [field(b.shape[1], 8) for b in blocks],
        [field("", 32) for _ in signals],
    ]
    body = np.concatenate(blocks, axis=1).astype("<i2").tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head + b"".join(b"".join(c) for c in columns) + body)
    return path


def eeg(n: int = 4, rate: int = 10, label: str = "EEG Fpz-Cz") -> Signal:
    return (label, "uV", (-200, 200), (-2000, 2000), np.arange(n * rate).reshape(n, rate))


def temperature(n: int = 4) -> Signal:
    return ("Temp rectal", "DegC", (34, 40), (-32768, 32767), np.full((n, 1), 32767))


def notes(*texts: str) -> Signal:
    return (NOTES, "", (-1, 1), (-32768, 32767), list(texts))


@pytest.fixture
def sleep(tmp_path: Path) -> Path:
    """Write three subjects as Sleep-EDF does: PSG and a hypnogram that lasts longer."""
    folder = tmp_path / "sleep-cassette"
    for subject in ("00", "01", "02"):
        edf(folder / f"SC4{subject}1E0-PSG.edf", [eeg(), temperature()])
        stages = "+0\x14\x14\x00+0\x152\x14Sleep stage W\x14\x00+2\x151.5\x14Sleep stage 2\x14\x00"
        stages += "+3.5\x1530\x14Sleep stage ?\x14\x00+3\x1510\x14Lights off\x14\x00"
        stages += "+90\x1510\x14Sleep stage R\x14\x00"
        edf(folder / f"SC4{subject}1EC-Hypnogram.edf", [notes(stages)], record_s=0, kind="EDF+C")
    return folder


def test_edf_scales_samples_and_keeps_rates_apart(tmp_path: Path, sleep: Path) -> None:
    """Stored integers become the header's units; signals of one kind and rate share a modality."""
    convert(sleep, tmp_path / "edf")
    dataset = DataSet.open(tmp_path / "edf")
    assert {m.name: m.rate_hz for m in dataset.manifest.modalities} == {"eeg": 10, "temperature": 1}
    brain, heat = dataset.read("SC4001E0-PSG")
    assert (brain.units, heat.units) == (("uV",), ("degC",))
    assert np.allclose(brain.values[:3, 0], [0.0, 0.1, 0.2])
    assert heat.values[0, 0] == 40.0
    assert brain.time_s[11] == pytest.approx(1.1)


def test_edf_pairs_hypnograms_with_recordings(tmp_path: Path, sleep: Path) -> None:
    """Stages end with the recording, unknown ones and those beyond it give none; the rest stays."""
    convert(sleep, tmp_path / "edf")
    dataset = DataSet.open(tmp_path / "edf")
    stages = dataset.labels(["SC4001E0-PSG"], "stage")[["label", "start_s", "end_s"]]
    assert stages.to_numpy().tolist() == [["wake", 0, 2], ["stage 2", 2, 3.5]]
    other = dataset.labels(["SC4001E0-PSG"], "annotation")[["label", "start_s", "end_s"]]
    assert other.to_numpy().tolist() == [["Lights off", 3, 4]]


def test_edf_knows_sleep_edfs_subjects(tmp_path: Path, sleep: Path) -> None:
    """Nights of one person, by file name, stay in one split; a year of 89 is 1989."""
    edf(sleep / "SC4002E0-PSG.edf", [eeg(), temperature()])
    convert(sleep, tmp_path / "edf")
    sessions = DataSet.open(tmp_path / "edf").sessions()
    assert sessions["subject_id"].value_counts().to_dict() == {"SC400": 2, "SC401": 1, "SC402": 1}
    assert sessions.groupby("subject_id")["split"].nunique().max() == 1
    assert sessions["start_utc"][0] == datetime(1989, 4, 24, 16, 13, tzinfo=UTC)


def test_edf_refuses_a_hypnogram_of_nobody(tmp_path: Path, sleep: Path) -> None:
    """Annotations without their recording are an incomplete download."""
    (sleep / "SC4021E0-PSG.edf").unlink()
    with pytest.raises(DataError, match=r"SC4021EC-Hypnogram\.edf .* 0 recordings"):
        convert(sleep, tmp_path / "edf")


def test_edf_reads_the_time_of_records_that_have_gaps(tmp_path: Path) -> None:
    """EDF+D: each record starts when its own note says; non-ASCII units do not stop it."""
    marks = [f"+{t}\x14\x14\x00" for t in (0, 1, 7.5)]
    odd = ("EEG", "µV", (-1, 1), (-1, 1), np.ones((3, 4)))
    edf(tmp_path / "in" / "a.edf", [odd, notes(*marks)], kind="EDF+D", patient="P7 F X Jane")
    convert(tmp_path / "in", tmp_path / "edf")
    dataset = DataSet.open(tmp_path / "edf")
    (signal,) = dataset.read("a")
    assert signal.time_s[[0, 4, 8, 11]].tolist() == [0, 1, 7.5, 8.25]
    assert dataset.duration_of("a") == 8.5
    assert dataset.sessions()["subject_id"].tolist() == ["P7"]
    assert signal.units == ("uV",)


def test_edf_tolerates_limits_that_are_values_times_100(tmp_path: Path) -> None:
    """DREAMS' excerpt3.edf: the formula holds with limits beyond 16 bits; clipping is noted."""
    broken = ("O1-A1", "UV", (-730, 503), (-72984, 50277), np.array([[1118, -32768]]))
    edf(tmp_path / "in" / "excerpt3.edf", [broken], record_s=2)
    convert(tmp_path / "in", tmp_path / "edf")
    dataset = DataSet.open(tmp_path / "edf")
    (signal,) = dataset.read("excerpt3")
    assert np.allclose(signal.values[:, 0], [11.2545, -327.7128], atol=1e-3)
    assert "louder samples are clipped" in " ".join(dataset.manifest.notes)
    assert signal.rate_hz == 1.0


def test_edf_refuses_a_calibration_that_cannot_be_true(tmp_path: Path) -> None:
    """Digital limits beyond 16 bits in no ratio to the physical ones are refused by name."""
    edf(tmp_path / "in" / "x.edf", [("E", "uV", (-7, 5), (-72984, 50277), np.zeros((1, 2)))])
    with pytest.raises(DataError, match=r"x\.edf: digital limits beyond 16 bits"):
        convert(tmp_path / "in", tmp_path / "edf")
    edf(tmp_path / "in" / "x.edf", [("E", "uV", (-7, 5), (3, 3), np.zeros((1, 2)))])
    with pytest.raises(DataError, match=r"x\.edf: signal 'E' has equal digital limits"):
        convert(tmp_path / "in", tmp_path / "edf")


def test_edf_refuses_cut_and_foreign_files_by_name(tmp_path: Path) -> None:
    """Fewer records than stated, a cut header and text are refused; -1 records count themselves."""
    path = edf(tmp_path / "in" / "x.edf", [eeg(4)])
    whole = path.read_bytes()
    for content, message in (
        (whole[:-5], "should hold 4 records but ends after 3"),
        (whole[:300], "no readable EDF header"),
        (b"hello", "no readable EDF header"),
        (whole[:512], "ends before its first whole record"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=rf"x\.edf .*{message}"):
            convert(tmp_path / "in", tmp_path / "out" / "edf")
    assert not (tmp_path / "out").exists()
    edf(path, [eeg(4)], n_records=-1)
    convert(tmp_path / "in", tmp_path / "edf")
    assert DataSet.open(tmp_path / "edf").duration_of("x") == 4.0


def test_edf_joins_recordings_of_other_channels_and_rates(tmp_path: Path) -> None:
    """A channel that a recording lacks is missing there; a kind at two rates is two modalities."""
    edf(tmp_path / "in" / "a.edf", [eeg(label="EEG A"), eeg(label="EEG B")])
    edf(tmp_path / "in" / "b.edf", [eeg(label="EEG A"), eeg(rate=20, label="EEG C")])
    convert(tmp_path / "in", tmp_path / "edf")
    dataset = DataSet.open(tmp_path / "edf")
    assert dataset.manifest.channel_ids == ("eeg_10hz.EEG_A", "eeg_10hz.EEG_B", "eeg_20hz.EEG_C")
    slow, fast = dataset.read("b")
    assert np.isnan(slow.values[:, 1]).all()
    assert not np.isnan(slow.values[:, 0]).any()
    assert fast.values.shape == (80, 1)
