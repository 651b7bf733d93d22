"""A data set small enough to check by hand: two modalities at two rates, three subjects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.format.schema import Channel, Modality
from tool_use_om.data.format.writer import DataSetWriter

MODALITIES = (
    Modality(
        name="motion",
        rate_hz=10.0,
        channels=(Channel(name="x", unit="g"), Channel(name="y", unit="g")),
    ),
    Modality(name="heart", rate_hz=1.0, channels=(Channel(name="rate", unit="bpm"),)),
)


def make_writer(target: Path, **changes: Any) -> DataSetWriter:
    facts: dict[str, Any] = {
        "name": "tiny",
        "title": "Tiny",
        "synthetic": True,
        "licence": "none",
        "source": "a test",
        "modalities": MODALITIES,
        "split_rule": "by subject",
        "debug": False,
    }
    return DataSetWriter(target, **(facts | changes))


def motion(seconds: float, offset: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    time_s = np.arange(round(seconds * 10)) / 10
    return time_s, np.stack([time_s + offset, -time_s], axis=1)


def add_tiny(writer: DataSetWriter) -> None:
    """Add session a (4 s, both modalities), b (6 s, one missing value) and c (2 s, motion only)."""
    heart = np.arange(4.0), np.array([[60.0], [61.0], [62.0], [63.0]])
    labels = [(0.0, 2.5, "walk", "activity"), (2.5, 4.0, "run", "activity")]
    writer.add_session(
        "a",
        subject_id="s1",
        split="train",
        signals={"motion": motion(4), "heart": heart},
        labels=labels,
    )
    time_s, values = motion(6, 1.0)
    values[3, 0] = np.nan
    writer.add_session(
        "b",
        subject_id="s2",
        split="calibration",
        signals={
            "motion": (time_s, values),
            "heart": (np.array([1.0, 2.5]), np.array([70.0, 71.0])),
        },
        labels=[(0.0, 6.0, "walk", "activity"), (1.0, 2.0, "odd", "anomaly")],
    )
    writer.add_session("c", subject_id="s3", split="test", signals={"motion": motion(2)})


@pytest.fixture
def new_writer() -> Callable[..., DataSetWriter]:
    return make_writer


@pytest.fixture
def tiny(tmp_path: Path) -> DataSet:
    with make_writer(tmp_path / "tiny") as writer:
        add_tiny(writer)
    return DataSet.open(tmp_path / "tiny")


@pytest.fixture
def fill() -> Callable[[DataSetWriter], None]:
    return add_tiny
