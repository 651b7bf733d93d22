"""The WFDB and PTB-XL converters, on small records written through the wfdb package."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.converters import ptb_xl, wfdb
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

pytestmark = pytest.mark.usefixtures("no_pictures")
LEADS = ["I", "II", "V1"]


def write(
    folder: Path, name: str, seconds: float = 4.0, *, fs: float = 100, fmt: str = "16"
) -> None:
    """Write one record: three leads in mV, 12 or 16 bit."""
    import wfdb as package

    folder.mkdir(parents=True, exist_ok=True)
    time_s = np.arange(round(seconds * fs)) / fs
    values = np.stack([np.sin(time_s + i) for i in range(len(LEADS))], axis=1)
    package.wrsamp(
        name,
        fs=fs,
        units=["mV"] * 3,
        sig_name=LEADS,
        p_signal=values,
        fmt=[fmt] * 3,
        write_dir=str(folder),
        adc_gain=[200.0] * 3,
        baseline=[0] * 3,
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Write a record with beats, a rhythm and an event, and two with a diagnosis."""
    import wfdb as package

    folder = tmp_path / "mitdb"
    write(folder, "100", 8.0, fmt="212")
    package.wrann(
        "100",
        "atr",
        np.array([10, 100, 200, 300, 790]),
        symbol=["+", "N", "V", "~", "N"],
        aux_note=["(N\x00", "", "", "", ""],
        fs=100,
        write_dir=str(folder),
    )
    for name, codes in (("A0003", "164889003"), ("A0005", "164884008,1234")):
        write(folder, name)
        with (folder / f"{name}.hea").open("a") as file:
            file.write(f"# Age: 81\n# Dx: {codes}\n")
    return folder


def test_wfdb_reads_units_rates_and_values(tmp_path: Path, source: Path) -> None:
    """Samples come back in mV on the header's rate, packed 12 bit ones as well."""
    wfdb.convert(source, tmp_path / "w")
    dataset = DataSet.open(tmp_path / "w")
    (signal,) = dataset.read("100")
    assert signal.channels == ("ecg.I", "ecg.II", "ecg.V1")
    assert signal.units == ("mV",) * 3
    assert np.allclose(signal.values[:, 0], np.sin(np.arange(800) / 100), atol=0.005)
    assert signal.time_s[-1] == 7.99


def test_wfdb_turns_marks_into_intervals(tmp_path: Path, source: Path) -> None:
    """A beat reaches halfway to its neighbours, at most a second; a rhythm lasts to the next."""
    wfdb.convert(source, tmp_path / "w")
    labels = DataSet.open(tmp_path / "w").labels(["100"])
    rows = labels.sort_values(["set", "start_s"])[["set", "label", "start_s", "end_s"]]
    assert rows.to_numpy().tolist() == [
        ["beat", "normal beat", 0.0, 1.5],
        ["beat", "premature ventricular contraction", 1.5, 3.0],
        ["beat", "normal beat", 6.9, 8.0],
        ["event", "signal quality change", 3.0, 3.01],
        ["rhythm", "N", 0.1, 8.0],
    ]


def test_wfdb_reads_diagnoses_from_the_header(tmp_path: Path, source: Path) -> None:
    """'Dx:' codes become names over the whole record; a code not known keeps its number."""
    wfdb.convert(source, tmp_path / "w")
    labels = DataSet.open(tmp_path / "w").labels(label_set="diagnosis")
    assert labels[["session_id", "label", "end_s"]].to_numpy().tolist() == [
        ["A0003", "atrial fibrillation", 4.0],
        ["A0005", "snomed 1234", 4.0],
        ["A0005", "ventricular ectopics", 4.0],
    ]


def test_wfdb_reads_segments_as_one_record(tmp_path: Path) -> None:
    """A record of segments is one session; where a segment lacks a signal it is missing."""
    write(tmp_path / "m", "seg1", 2.0)
    write(tmp_path / "m", "seg2", 1.0)
    (tmp_path / "m" / "whole.hea").write_text(
        "whole/3 3 100 350 10:00:00 01/02/2010\nseg1 200\n~ 50\nseg2 100\n"
    )
    layout = "lay 3 100 0\n" + "".join(f"~ 0 200/mV 16 0 0 0 0 {lead}\n" for lead in LEADS)
    (tmp_path / "m" / "lay.hea").write_text(layout)
    header = tmp_path / "m" / "whole.hea"
    header.write_text(
        header.read_text().replace("whole/3", "whole/4").replace("\nseg1", "\nlay 0\nseg1")
    )
    wfdb.convert(tmp_path / "m", tmp_path / "w")
    dataset = DataSet.open(tmp_path / "w")
    assert dataset.sessions()["session_id"].tolist() == ["whole"]
    (signal,) = dataset.read("whole")
    assert np.isnan(signal.values[200:250]).all()
    assert not np.isnan(signal.values[:200]).any()
    assert str(dataset.sessions()["start_utc"][0]) == "2010-02-01 10:00:00+00:00"


def test_wfdb_refuses_incomplete_records_by_name(tmp_path: Path, source: Path) -> None:
    """A signal file cut short or missing, and a header of text, are refused; nothing is written."""
    whole = (source / "A0003.dat").read_bytes()
    (source / "A0003.dat").write_bytes(whole[:100])
    with pytest.raises(DataError, match="A0003"):
        wfdb.convert(source, tmp_path / "out" / "w")
    (source / "A0003.dat").unlink()
    with pytest.raises(DataError, match="A0003 cannot be read"):
        wfdb.convert(source, tmp_path / "out" / "w")
    (source / "A0003.hea").write_text("hello")
    with pytest.raises(DataError, match=r"A0003\.hea cannot be read"):
        wfdb.convert(source, tmp_path / "out" / "w")
    assert list((tmp_path / "out").iterdir()) == []
    with pytest.raises(DataError, match=r"holds no \.hea file"):
        wfdb.convert(tmp_path / "out", tmp_path / "w")


def test_wfdb_refuses_damaged_annotations_and_bare_headers(tmp_path: Path, source: Path) -> None:
    """Codes that WFDB does not have, and a header without its length, are refused by name."""
    path = source / "100.atr"
    whole = path.read_bytes()
    path.write_bytes(bytes([whole[0], 50 << 2]) + whole[2:])
    with pytest.raises(DataError, match=r"100\.atr (cannot be read|holds annotation codes)"):
        wfdb.convert(source, tmp_path / "w")
    path.write_bytes(whole)
    (source / "100.hea").write_text(
        (source / "100.hea").read_text().replace("100 3 100 800", "100 3")
    )
    with pytest.raises(DataError, match=r"100\.hea states no number of samples"):
        wfdb.convert(source, tmp_path / "w")


def test_wfdb_says_what_to_install(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the wfdb package the error names the extra."""
    monkeypatch.setitem(sys.modules, "wfdb", None)
    with pytest.raises(DataError, match=r"tool-use-om\[formats\]"):
        wfdb.convert(source, tmp_path / "w")


@pytest.fixture
def ptb(tmp_path: Path) -> Path:
    root = tmp_path / "ptb-xl"
    rows = ["ecg_id,patient_id,recording_date,scp_codes,strat_fold,filename_lr,filename_hr"]
    facts = (
        (1, "15709.0", "{'NORM': 100.0, 'SR': 0.0}", 3),
        (2, "13243.0", "{'IMI': 35.0, 'ASMI': 0.0}", 9),
        (3, "20372.0", "{'AFIB': 0.0}", 10),
    )
    for ecg, patient, codes, fold in facts:
        name = f"{ecg:05d}_lr"
        write(root / "records100" / "00000", name, 10.0)
        low = f"records100/00000/{name}"
        rows.append(f'{ecg},{patient},1984-11-09 09:17:34,"{codes}",{fold},{low},')
    (root / "ptbxl_database.csv").write_text("\n".join(rows) + "\n")
    (root / "scp_statements.csv").write_text(
        ",description,diagnostic,form,rhythm,diagnostic_class\n"
        "NORM,normal ECG,1.0,,,NORM\nIMI,inferior,1.0,,,MI\nASMI,anteroseptal,1.0,,,MI\n"
        "SR,sinus rhythm,,,1.0,\nAFIB,atrial fibrillation,,,1.0,\n"
    )
    return root


def test_ptb_xl_uses_the_published_folds_and_statements(tmp_path: Path, ptb: Path) -> None:
    """Folds 1-8, 9, 10 train, calibrate, test; only diagnostic statements have a class."""
    ptb_xl.convert(ptb, tmp_path / "p")
    dataset = DataSet.open(tmp_path / "p")
    sessions = dataset.sessions().set_index("session_id")
    assert sessions["split"].to_dict() == {
        "ptbxl-00001": "train",
        "ptbxl-00002": "calibration",
        "ptbxl-00003": "test",
    }
    assert sessions.loc["ptbxl-00001", "subject_id"] == "patient-15709"
    labels = dataset.labels()[["session_id", "set", "label"]].to_numpy().tolist()
    assert sorted(labels) == [
        ["ptbxl-00001", "statement", "NORM"],
        ["ptbxl-00001", "statement", "SR"],
        ["ptbxl-00001", "superclass", "normal"],
        ["ptbxl-00002", "statement", "ASMI"],
        ["ptbxl-00002", "statement", "IMI"],
        ["ptbxl-00002", "superclass", "myocardial infarction"],
        ["ptbxl-00003", "statement", "AFIB"],
    ]


def test_ptb_xl_refuses_tables_and_records_by_name(tmp_path: Path, ptb: Path) -> None:
    """A fold or statement of another form, other rates and lost records are refused."""
    table = ptb / "ptbxl_database.csv"
    whole = table.read_text()
    table.write_text(whole.replace(",10,records", ",11,records"))
    with pytest.raises(DataError, match=r"ptbxl_database\.csv, row 3: expected ecg_id"):
        ptb_xl.convert(ptb, tmp_path / "p")
    table.write_text(whole)
    with pytest.raises(DataError, match="must be 100 or 500, got 250"):
        ptb_xl.convert(ptb, tmp_path / "p", rate_hz=250)
    (ptb / "records100" / "00000" / "00003_lr.hea").unlink()
    with pytest.raises(DataError, match=r"00003_lr\.hea cannot be read"):
        ptb_xl.convert(ptb, tmp_path / "out" / "p")
    assert list((tmp_path / "out").iterdir()) == []


def test_wfdb_keeps_a_mimic_patient_in_one_split(tmp_path: Path) -> None:
    """Waves and numerics of one stay, and two stays of a patient, are one subject."""
    names = ("s25047-2704-05-04-10-44", "s25047-2704-05-04-10-44n", "s25047-2705-01-01-08-00",
             "p000020-2183-04-28-17-47", "s00001")  # fmt: skip
    for name in names:
        write(tmp_path / "mimic", name)
    wfdb.convert(tmp_path / "mimic", tmp_path / "w")
    sessions = DataSet.open(tmp_path / "w").sessions()
    assert sorted(sessions["subject_id"]) == ["p000020", "s00001", *["s25047"] * 3]
    assert (sessions.groupby("subject_id")["split"].nunique() == 1).all()


def test_wfdb_refuses_a_header_that_promises_more_than_the_files_hold(tmp_path: Path) -> None:
    """A header that asks for hundreds of gigabytes is refused before anything is read."""
    write(tmp_path / "db", "100")
    header = tmp_path / "db" / "100.hea"
    lines = header.read_text().splitlines()
    lines[0] = lines[0].replace(" 400", " 50000000000")
    header.write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match="header is damaged"):
        wfdb.convert(tmp_path / "db", tmp_path / "out")


def test_wfdb_gives_no_unit_to_a_signal_without_a_gain(tmp_path: Path) -> None:
    """An uncalibrated signal's numbers are no millivolts."""
    write(tmp_path / "db", "100")
    header = tmp_path / "db" / "100.hea"
    lines = [line.replace("200.0(0)/mV", "0(0)/mV") if " I" in line and " II" not in line else line
             for line in header.read_text().splitlines()]  # fmt: skip
    header.write_text("\n".join(lines) + "\n")
    wfdb.convert(tmp_path / "db", tmp_path / "out")
    manifest = DataSet.open(tmp_path / "out").manifest
    assert [manifest.unit_of(c) for c in manifest.channel_ids] == ["a.u.", "mV", "mV"]
