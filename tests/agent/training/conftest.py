"""A tiny orchestrator trained once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tool_use_om.agent.training.sft import SftConfig, SftReport, train


@pytest.fixture(scope="session")
def tiny_sft(tiny_rows: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SftReport]:
    """Return (folder, report) of a random-weight Llama overfitted on two rows, one held out."""
    out = tmp_path_factory.mktemp("sft") / "out"
    config = SftConfig(steps=70, learning_rate=1e-2, batch_size=2, hold_out=("dataset=held",))
    return out, train(tiny_rows, "random", out, config)
