"""Pooled statistics: what one would get from all samples at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tool_use_om.data.dataset import DataSet
from tool_use_om.data.stats import QUANTILES, channel_stats, pool_stats, sketch_quantiles

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
