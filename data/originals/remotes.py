"""Where the original files of known sets are: address, checksum where one is known, licence.

An address is here only if the set's own site, or the archive that publishes it, gives it. A
checksum is pinned only where the file itself was seen; the others are printed after download.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RemoteFile:
    """One file: its address and its SHA-256, None where none is known."""

    url: str
    sha256: str | None = None


@dataclass(frozen=True)
class Remote:
    """The files of one set, and what a person must know before using them."""

    files: tuple[RemoteFile, ...]
    licence: str


def _uci(number: int, name: str) -> tuple[RemoteFile, ...]:
    return (RemoteFile(f"https://archive.ics.uci.edu/static/public/{number}/{name}.zip"),)


def _actionsense(*paths: str) -> tuple[RemoteFile, ...]:
    """Return the wearables' files; a path is date, subject, start of the run and of its log."""
    found = []
    for path in paths:
        date, subject, run, log = path.split()
        folder = f"{date}_experiment_{subject}/{date}_{run}_actionNet-wearables_{subject}"
        name = f"{date}_{log}_streamLog_actionNet-wearables_{subject}.hdf5"
        found.append(
            RemoteFile(f"https://data.csail.mit.edu/ActionNet/wearable_data/{folder}/{name}")
        )
    return tuple(found)


_ETT = (
    "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/1d16c8f4f943005d613b5bc962e9eeb06058cf07"
)
_M4 = "https://raw.githubusercontent.com/Mcompetitions/M4-methods/6c1067e5a57161249b17289a565178dc7a3fb3ca"
_UCI_LICENCE = "The archive's page says CC BY 4.0."

REMOTES: dict[str, Remote] = {
    "uci-har": Remote(
        _uci(240, "human+activity+recognition+using+smartphones"),
        f"{_UCI_LICENCE} The set's README: as is, any commercial use is prohibited.",
    ),
    "pamap2": Remote(_uci(231, "pamap2+physical+activity+monitoring"), _UCI_LICENCE),
    "mhealth": Remote(_uci(319, "mhealth+dataset"), _UCI_LICENCE),
    "hmp": Remote(
        _uci(283, "dataset+for+adl+recognition+with+wrist+worn+accelerometer"),
        f"{_UCI_LICENCE} The set's README: own research only, no redistribution without asking.",
    ),
    "rfid-older-people": Remote(
        _uci(
            427,
            "activity+recognition+with+healthy+older+people+using+a+batteryless+wearable+sensor",
        ),
        f"{_UCI_LICENCE} The README asks to cite the authors' paper.",
    ),
    "wisdm": Remote(
        (
            RemoteFile(
                "https://www.cis.fordham.edu/wisdm/includes/datasets/latest/WISDM_ar_latest.tar.gz"
            ),
        ),
        "Not stated. The authors ask to cite their paper and to keep readme.txt with the data.",
    ),
    "motionsense": Remote(
        (
            RemoteFile(
                "https://github.com/mmalekzadeh/motion-sense/raw/master/data/A_DeviceMotion_data.zip"
            ),
        ),
        "The repository's LICENSE is MIT; the authors ask to cite their paper.",
    ),
    "actionsense": Remote(
        _actionsense(
            "2022-06-07 S00 17-18-17 17-18-46",
            "2022-06-07 S00 18-10-55 18-11-37",
            "2022-06-13 S02 21-39-50 21-40-16",
            "2022-06-13 S02 21-47-57 21-48-24",
            "2022-06-13 S02 22-34-45 22-35-11",
            "2022-06-13 S02 23-22-21 23-22-44",
            "2022-06-14 S03 13-52-21 13-52-57",
            "2022-06-14 S04 16-38-18 16-38-43",
            "2022-06-14 S05 20-36-27 20-36-54",
            "2022-06-14 S05 20-45-43 20-46-12",
            "2022-07-12 S06 14-30-38 14-31-04",
            "2022-07-12 S06 15-07-50 15-08-08",
            "2022-07-13 S07 11-01-18 11-02-03",
            "2022-07-13 S08 14-15-03 14-15-26",
            "2022-07-14 S09 09-47-52 09-48-44",
            "2022-07-14 S09 09-58-40 09-59-00",
            "2022-07-14 S09 11-13-55 11-14-21",
        ),
        "See action-sense.csail.mit.edu. Subject S01, recorded in pieces, is not in this list.",
    ),
    "extrasensory": Remote(
        (
            RemoteFile(
                "http://extrasensory.ucsd.edu/data/primary_data_files/"
                "ExtraSensory.per_uuid_features_labels.zip"
            ),
        ),
        "The README: publicly available, publications must cite the paper. Fetched without "
        "encryption: the site has none in its published address.",
    ),
    "ett": Remote(
        (
            RemoteFile(
                f"{_ETT}/ETT-small/ETTh1.csv",
                "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066",
            ),
        ),
        "Creative Commons BY-ND 4.0 (the repository's LICENSE). ETTh1 only.",
    ),
    "m4": Remote(
        (
            RemoteFile(
                f"{_M4}/Dataset/Train/Hourly-train.csv",
                "ea59b7783573c49077a835ab6465c7d66f1474783360f310988a9a737fbca62f",
            ),
            RemoteFile(
                f"{_M4}/Dataset/Test/Hourly-test.csv",
                "71a57fccb15e534d973626ada4fb87febf789e9317715b7cc6dd3b5f90db6f42",
            ),
        ),
        "Not stated in the repository. The hourly series only.",
    ),
}
