"""Pooled statistics: what one would get from all samples at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.format.pools import SetPools
from tool_use_om.data.format.stats import (
    QUANTILES,
    channel_stats,
    column_stats,
    pool_stats,
    sketch_quantiles,
)

NUMBERS = st.lists(st.floats(-1e3, 1e3) | st.just(float("nan")), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(NUMBERS, min_size=1, max_size=5))
def test_pool_stats_equal_the_statistics_of_all_samples(parts: list[list[float]]) -> None:
    """Count, missing share, range, mean and deviation pool exactly over sessions."""
    rows = []
    for part in parts:
        entry = channel_stats("m.x", np.array(part))
        sketch = np.array([entry.pop("sketch")])
        rows.append(entry | {k: v[0] for k, v in sketch_quantiles(sketch).items()})
    pooled = pool_stats(pd.DataFrame(rows)).iloc[0]
    every = np.concatenate([np.array(p) for p in parts])
    present = every[~np.isnan(every)]
    assert pooled["n"] == every.size
    assert pooled["nan_frac"] == pytest.approx(np.isnan(every).mean())
    if present.size:
        assert pooled["mean"] == pytest.approx(present.mean(), abs=1e-6)
        assert pooled["std"] == pytest.approx(present.std(), abs=1e-3)
        assert (pooled["min"], pooled["max"]) == (present.min(), present.max())
    else:
        assert np.isnan(pooled["mean"])


def test_channel_stats_quantiles_are_those_of_numpy() -> None:
    """The sketch holds numpy's quantiles at its levels."""
    values = np.random.default_rng(0).normal(size=500)
    sketch = np.array([channel_stats("m.x", values)["sketch"]])
    for name, level in QUANTILES.items():
        assert sketch_quantiles(sketch)[name][0] == pytest.approx(np.quantile(values, level))


def test_pool_stats_gives_one_row_a_channel(tiny: DataSet) -> None:
    """Channels keep their order and lose their sessions."""
    pooled = pool_stats(tiny.channel_stats())
    assert pooled["channel"].tolist() == ["motion.x", "motion.y", "heart.rate"]
    assert pooled["n"].tolist() == [120, 120, 6]


@pytest.mark.parametrize("shape", ["alike", "apart", "sizes", "ties", "tails"])
@pytest.mark.parametrize("n_sessions", [3, 700])
def test_pooled_quantiles_are_off_by_a_percent_of_rank(shape: str, n_sessions: int) -> None:
    """The pooled sketch against all samples sorted: the rank of each quantile is within 0.015."""
    rng = np.random.default_rng(5)
    sessions = []
    for i in range(n_sessions):
        size = int(rng.integers(20, 4000)) if shape == "sizes" else 200
        values = rng.standard_t(1.5, size) if shape == "tails" else rng.normal(size=size)
        values = values + (float(i % 50) if shape in {"apart", "sizes"} else 0.0)
        sessions.append(np.round(values) if shape == "ties" else values)
    pools = SetPools(["c"])
    for first in range(0, n_sessions, 512):
        batch = sessions[first : first + 512]
        moments, sketches = (
            np.concatenate(x) for x in zip(*(column_stats(v[:, None]) for v in batch), strict=True)
        )
        pools.add(["train"] * len(batch), [1] * len(batch), np.zeros(len(batch), int), moments,
                  sketches)  # fmt: skip
    row = pools.table().to_pylist()[0]
    every = np.sort(np.concatenate(sessions))
    for name, level in QUANTILES.items():
        low, high = np.searchsorted(every, [row[name] - 1e-9, row[name] + 1e-9], side="left")
        off = max(low / every.size - level, level - high / every.size, 0.0)
        assert off < 0.015, (name, off)
