"""The benchmark compares equals and counts right; its numbers are not tested."""

from __future__ import annotations

import pytest
import torch

from tool_use_om.evals.bench import encoder as bench
from tool_use_om.evals.bench import page
from tool_use_om.evals.bench.encoder import Timing
from tool_use_om.tokenizers.moment.model import MomentConfig


@pytest.fixture
def _tiny(monkeypatch: pytest.MonkeyPatch, small_config: MomentConfig) -> None:
    """The benchmark at a shape that takes no time, on a processor without bfloat16."""
    monkeypatch.setattr(bench, "SHAPES", dict.fromkeys(bench.WINDOWS, small_config))
    monkeypatch.setattr(bench, "SECONDS", 0.01)
    monkeypatch.setattr(bench, "bfloat16_instructions", lambda: None)


@pytest.mark.usefixtures("_tiny")
def test_bench_compares_equal_outputs() -> None:
    """Each row holds both speeds; float32 differs by rounding, int8 by little."""
    pytest.importorskip("momentfm")
    rows = bench.bench_tokenizers(seconds=0.01)
    assert {row["encoder"] for row in rows} == {"moment-small", "moment-base", "moment-large"}
    assert [row["samples"] for row in rows[:4]] == [512, 512, 128, 128]
    for row in rows:
        assert row["max_abs_diff"] <= (1e-4 if row["precision"] == "float32" else 1)
        assert row["min_cosine"] >= 0.98
        ratio = row["windows_per_s"] / row["momentfm_windows_per_s"]
        assert row["speedup"] == pytest.approx(ratio)
        least, most = row["speedup_range"]
        assert least <= most
        assert row["gflop_per_s"] > 0


@pytest.mark.usefixtures("_tiny")
def test_bench_says_that_bfloat16_cannot_be_measured() -> None:
    """Without the instructions there is no row and no number, but a sentence."""
    rows = bench.bench_tokenizers(seconds=0.01)
    assert {row["precision"] for row in rows} == {"float32", "int8"}
    assert "no bfloat16 instructions" in bench.bfloat16_note()


def test_bench_measures_bfloat16_where_there_are_instructions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the instructions it is one of the precisions, and they are named."""
    monkeypatch.setattr(bench, "bfloat16_instructions", lambda: "AMX")
    assert bench.precisions() == ["float32", "bfloat16", "int8"]
    assert "AMX" in bench.bfloat16_note()


@pytest.mark.usefixtures("_tiny")
def test_bench_works_without_momentfm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the reference package ours is measured alone, and the page says so by dashes."""
    monkeypatch.setattr(bench, "_reference", lambda _: None)
    rows = bench.bench_tokenizers(seconds=0.01)
    assert rows[0]["momentfm_windows_per_s"] is None
    assert rows[0]["windows_per_s"] > 0
    monkeypatch.setattr(bench, "bench_tokenizers", lambda: rows)
    assert "| – | – |" in page.tokenizers().body


def test_timing_by_hand() -> None:
    """Two rounds: best 4 and 2 seconds, rounds of 2 and 8/3 times."""
    seconds = torch.tensor([[4.0, 2.0], [8.0, 3.0]])
    timing = Timing(wall_s=seconds, cpu_s=seconds / 2)
    assert timing.ratio(1) == pytest.approx((2.0, 2.0, 8 / 3))
    assert timing.cpu_ratio(1) == 2


def test_encoder_flops_by_hand() -> None:
    """One layer, one head: four projections, three feed-forward maps, two attention products."""
    config = MomentConfig(d_model=2, d_ff=3, n_layers=1, n_heads=1, d_kv=4)
    assert bench.encoder_flops(config, 5) == 2 * 5 * (4 * 2 * 4 + 3 * 2 * 3 + 2 * 5 * 4)
