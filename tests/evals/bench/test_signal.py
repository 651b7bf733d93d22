"""The signal benchmark: its tables hold what was measured, its long session is what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tool_use_om.evals.bench import signal as signal_bench


def test_signal_bench_tables_hold_each_row() -> None:
    """The command stands above, each row in its table, seconds and memory in their unit."""
    row = {
        "name": "n", "channels": 2, "encode_cpu_s": 1.25, "windows": 3, "patches": 25,
        "accuracy": 0.5, "fold_std": 0.125,
    }  # fmt: skip
    long = {"hours": 24.0, "super_patches": 1440, "encode_cpu_s": 9.0, "before_mb": 1, "peak_mb": 2}
    found = {"rates": [row], "overlap": [row], "context": [row], "long": [long]}
    text = signal_bench.render(found, "tuom bench signal")
    assert text.startswith("`tuom bench signal`")
    assert text.count("| n | 2 | 1.2 s | 25 | 0.500 ± 0.125 |") == 3
    assert "| 24 h | 9 s | 1440 | 1 MB | 2 MB |" in text


def test_signal_bench_long_session_repeats_by_the_hour(tmp_path: Path) -> None:
    """Its samples are even, of one channel, and last as long as asked."""
    dataset = signal_bench._noise(tmp_path / "long", 90.0)
    (signal,) = dataset.read("s")
    assert dataset.duration_of("s") == pytest.approx(90.0)
    assert signal.values.shape == (90 * 32, 1)
