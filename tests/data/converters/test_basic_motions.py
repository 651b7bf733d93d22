"""The BasicMotions sample: real recordings, as the archive has them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.catalog import open_dataset
from tool_use_om.data.converters.basic_motions import convert
from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace


def test_basic_motions_has_the_archives_sessions(samples: Workspace) -> None:
    """80 sessions of 10 s: the archive's 40 for test, 24 train, 16 calibrate, classes even."""
    dataset = open_dataset("basic-motions", samples)
    sessions = dataset.sessions().set_index("session_id")
    assert sessions["split"].value_counts().to_dict() == {
        "test": 40,
        "train": 24,
        "calibration": 16,
    }
    assert set(sessions["duration_s"]) == {10.0}
    labels = dataset.labels(label_set="activity").set_index("session_id")["label"]
    counts = labels.groupby([sessions["split"], labels]).size().unstack()
    assert counts.loc["train"].tolist() == [6] * 4
    assert counts.loc["calibration"].tolist() == [4] * 4
    assert dataset.manifest.label_sets["activity"] == (
        "badminton",
        "running",
        "standing",
        "walking",
    )


def test_basic_motions_holds_the_archives_numbers(samples: Workspace) -> None:
    """Each sample is the archive's own, in its order of channels, at 10 Hz from 0 s."""
    from aeon.datasets import load_basic_motions

    X, _ = load_basic_motions(split="test")
    accelerometer, gyroscope = open_dataset("basic-motions", samples).read("bm-test-007")
    got = np.concatenate([accelerometer.values, gyroscope.values], axis=1).T
    assert np.array_equal(got, X[7].astype(np.float32))
    assert np.array_equal(accelerometer.time_s, np.arange(100) / 10)


def test_basic_motions_claims_no_units_and_no_subjects(samples: Workspace) -> None:
    """What the archive does not document is not made up, and the manifest says so."""
    manifest = open_dataset("basic-motions", samples).manifest
    assert {manifest.unit_of(c) for c in manifest.channel_ids} == {"a.u."}
    assert manifest.n_subjects == 0
    assert "not publish" in manifest.split_rule
    assert manifest.synthetic is False


def test_basic_motions_says_what_to_install_without_aeon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without aeon the error names the extra to install, and nothing is written."""
    monkeypatch.setitem(sys.modules, "aeon.datasets", None)
    with pytest.raises(DataError, match=r"tool-use-om\[raw\]"):
        convert(tmp_path / "bm")
    assert list(tmp_path.iterdir()) == []
