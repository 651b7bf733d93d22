"""Synthetic sets of any size for `tuom bench data`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from tool_use_om.data.format.index_writer import IndexWriter
from tool_use_om.data.format.parquet import write_table
from tool_use_om.data.format.schema import Channel, Manifest, Modality
from tool_use_om.data.format.stats import column_stats
from tool_use_om.data.format.writer import LABELS_SCHEMA, DataSetWriter
from tool_use_om.data.workspace import atomic_folder

RATE_HZ = 50.0
_ACCELEROMETER = tuple(Channel(name=c, unit="m/s^2") for c in "xyz")
_GYROSCOPE = tuple(Channel(name=c, unit="deg/s") for c in "xyz")
MODALITIES = (
    Modality(name="accelerometer", rate_hz=RATE_HZ, channels=_ACCELEROMETER),
    Modality(name="gyroscope", rate_hz=RATE_HZ, channels=_GYROSCOPE),
)


def build(target: Path, n_sessions: int, session_s: float) -> None:
    """Write a synthetic set: noise from a fixed seed, 6 channels, 50 Hz, one label a session."""
    rng = np.random.default_rng(0)
    time_s = np.arange(round(session_s * RATE_HZ)) / RATE_HZ
    noise = rng.normal(0, 1, (time_s.size + 4096, 3)).astype(np.float32)
    with DataSetWriter(
        target, name="bench", title="", licence="", source="", synthetic=True,
        modalities=MODALITIES, split_rule="by subject", debug=False,
    ) as writer:  # fmt: skip
        for i in range(n_sessions):
            start = int(rng.integers(4096))
            values = noise[start : start + time_s.size] + np.float32(i % 97)
            split = ("train", "train", "train", "calibration", "test")[i % 5]
            writer.add_session(
                f"s{i:06d}", subject_id=f"p{i:06d}", split=split,  # type: ignore[arg-type]  # one of the three
                signals={"accelerometer": (time_s, values), "gyroscope": (time_s, values)},
                labels=[(0.0, session_s / 2, ("walk", "run")[i % 2], "activity")],
            )  # fmt: skip


def build_index(target: Path, n_sessions: int) -> None:
    """Write the index of a large set and none of its signals, to measure the index alone."""
    rng = np.random.default_rng(0)
    ids = [c for m in MODALITIES for c in m.channel_ids]
    template, sketch = column_stats(rng.normal(size=(500, len(ids))))
    codes = np.arange(len(ids))
    signals = [(slice(0, len(ids)), np.arange(25.0), rng.normal(size=(25, len(ids))))]
    names = ("walk", "run")
    with atomic_folder(target) as folder:
        index = IndexWriter(folder, ids)
        index.forget_sketches()
        for i in range(n_sessions):
            shift = float(rng.normal())
            index.pools.add_labels([(0.0, 5.0, names[i % 2], "activity")], signals)
            moments = template + shift * np.array([0, 0, 1, 1, 1, 0])
            facts = {"session_id": f"s{i:06d}", "subject_id": f"p{i:06d}", "start_utc": None}
            index.add(
                facts | {"duration_s": 10.0 + i % 10, "split": ("train", "test")[i % 2]},
                codes, moments, sketch + shift,
            )  # fmt: skip
        index.finish()
        rows = [(f"s{i:06d}", 0.0, 5.0, names[i % 2], "activity") for i in range(n_sessions)]
        columns = [
            pa.array(c, f.type) for c, f in zip(zip(*rows, strict=True), LABELS_SCHEMA, strict=True)
        ]
        write_table(pa.table(columns, schema=LABELS_SCHEMA), folder / "labels.parquet")
        manifest = Manifest(
            format_version=1, name="bench", title="", synthetic=True, licence="", source="",
            modalities=MODALITIES, label_sets={"activity": names}, split_rule="",
            splits={"train": -(-n_sessions // 2), "calibration": 0, "test": n_sessions // 2},
            n_sessions=n_sessions, n_subjects=n_sessions,
            duration_s=sum(10.0 + i % 10 for i in range(n_sessions)), content_hash="0" * 64,
        )  # fmt: skip
        (folder / "manifest.json").write_text(manifest.model_dump_json(), encoding="utf-8")


def raw_mb(n_sessions: int, session_s: float) -> float:
    """Return the size of samples in memory: two modalities, float64 time and 3 float32 each."""
    return n_sessions * round(session_s * RATE_HZ) * 2 * 20 / 1e6
