"""The benchmark compares equals and counts right; its numbers are not tested."""

from __future__ import annotations

import pytest

from tool_use_om.tokenizers import bench
from tool_use_om.tokenizers.moment import MomentConfig


def test_bench_compares_equal_outputs(
    monkeypatch: pytest.MonkeyPatch, small_config: MomentConfig
) -> None:
    """Each row holds both speeds and a difference within tolerance."""
    pytest.importorskip("momentfm")
    monkeypatch.setattr(bench, "SMALL", small_config)
    rows = bench.bench_tokenizers(seconds=0.01)
    assert [row["samples"] for row in rows] == [512, 128]
    for row in rows:
        assert row["max_abs_diff"] <= 1e-4
        assert row["speedup"] == row["windows_per_s"] / row["momentfm_windows_per_s"]
        assert row["gflop_per_s"] > 0


def test_bench_works_without_momentfm(
    monkeypatch: pytest.MonkeyPatch, small_config: MomentConfig
) -> None:
    """Without the reference package ours is measured alone."""
    monkeypatch.setattr(bench, "SMALL", small_config)
    monkeypatch.setattr(bench, "_reference", lambda _: None)
    row = bench.bench_tokenizers(seconds=0.01)[0]
    assert row["momentfm_windows_per_s"] is None
    assert row["windows_per_s"] > 0


def test_encoder_flops_by_hand() -> None:
    """One layer, one head: four projections, three feed-forward maps, two attention products."""
    config = MomentConfig(d_model=2, d_ff=3, n_layers=1, n_heads=1, d_kv=4)
    assert bench.encoder_flops(config, 5) == 2 * 5 * (4 * 2 * 4 + 3 * 2 * 3 + 2 * 5 * 4)
