from __future__ import annotations

from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_use_om.tools.look.channel_stats import STATISTICS, Moments, unit_of

ORACLES = {
    "mean": np.mean,
    "std": np.std,
    "variance": np.var,
    "min": np.min,
    "max": np.max,
    "range": np.ptp,
    "rms": lambda v: np.sqrt(np.mean(v**2)),
}


@given(
    st.lists(
        st.lists(st.floats(-1e3, 1e3) | st.just(float("nan")), max_size=20), min_size=1, max_size=5
    )
)
def test_moments_of_parts_are_those_of_the_whole(parts: list[list[float]]) -> None:
    """Merging parts in any cut gives the statistics of all samples, missing ones left out."""
    merged = reduce(Moments.merge, [Moments.of(np.array(p, dtype=np.float64)) for p in parts])
    values = np.array([v for p in parts for v in p if v == v])
    assert merged.n == len(values)
    if merged.n:
        for name, oracle in ORACLES.items():
            assert STATISTICS[name](merged.row()) == pytest.approx(oracle(values), abs=1e-6)


def test_unit_of_squares_the_variance_only() -> None:
    """A variance is in squared units, every other statistic in the channel's own."""
    assert unit_of("variance", "g") == "g^2"
    assert unit_of("variance", "m/s^2") == "(m/s^2)^2"
    assert unit_of("std", "m/s^2") == "m/s^2"
