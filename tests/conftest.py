"""Fixtures shared by all folders: a workspace of one's own, samples built once a run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("LANGSMITH_TRACING", "false")
os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture(scope="session")
def sample_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the root of a workspace shared by all tests of a run: samples are built once."""
    return tmp_path_factory.mktemp("workspace")
