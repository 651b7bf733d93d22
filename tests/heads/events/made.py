"""A small set for tests of events: one channel whose next level its last one tells."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.format.schema import Channel, Modality
from tool_use_om.data.format.writer import DataSetWriter


def made_set(n: int = 900, gap_at: int | None = None, seed: int = 0) -> DataSet:
    """Return a set of one session of an autoregressive level at 1 Hz, without dates."""
    rng = np.random.default_rng(seed)
    level = np.zeros(n)
    for i in range(1, n):
        level[i] = 0.8 * level[i - 1] + 0.5 * rng.standard_normal()
    time_s = np.arange(n, dtype=np.float64)
    if gap_at is not None:
        time_s[gap_at:] += 100.0
    target = Path(tempfile.mkdtemp()) / "made"
    writer = DataSetWriter(
        target, name="made", title="Made", synthetic=True, licence="none", source="a test",
        modalities=(Modality(name="m", rate_hz=1.0, channels=(Channel(name="level", unit="1"),)),),
        split_rule="none",
    )  # fmt: skip
    with writer:
        writer.add_session(
            "one", subject_id="one", split="train", signals={"m": (time_s, level[:, None])}
        )
    return DataSet.open(target)
