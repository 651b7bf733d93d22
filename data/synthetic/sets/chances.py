"""`simulated-chances`: market-like days whose chance of a high 1 % above the last close is known.

Within a day the log price is a Brownian motion without drift, so by the reflection principle its
maximum is at least a with probability 2 (1 - Phi(a / sigma)). The day's sigma follows from the
volume of the day before, exactly: what there is to know can be seen, and nothing more can be known.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from scipy.special import ndtr

from tool_use_om.data.format.schema import Channel, Modality
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.progress import Progress

NAME, CHANCE = "simulated-chances", "chance of a high 1 % above the last close, next day"
DAY_S = 86400.0
_KEPT, _SPREAD, _USUAL = 0.5, 0.6, 0.007  # of ln sigma from day to day; its deviation; its median
_RISE = float(np.log(1.01))
MODALITY = Modality(
    name="market",
    rate_hz=1 / DAY_S,
    channels=tuple(
        [Channel(name=name, unit="USD") for name in ("open", "high", "low", "close")]
        + [Channel(name="volume", unit="count")]
    ),
)


def convert(
    target: Path, *, progress: Progress | None = None, seed: int = 2026, days: int = 5000
) -> None:
    """Write one simulated asset of `days` days, with the chance of each day's morrow as truth.

    Not covered: the low is drawn for itself, not jointly with the high; a horizon of several days
    has another chance, which is not written.
    """
    del progress
    rng = np.random.default_rng(seed)
    sigma = _sigmas(days + 1, rng)
    prices = _days(sigma[:-1], rng)
    volume = np.round(1e8 * sigma[1:] / _USUAL)  # told a day ahead
    chance = 2.0 * (1.0 - ndtr(_RISE / sigma[1:]))
    writer = DataSetWriter(
        target,
        name=target.name,
        title="A simulated market whose chances are known",
        synthetic=True,
        licence="Apache-2.0 (simulated by tool-use-om)",
        source=f"tool_use_om.data.synthetic.sets.chances, seed {seed}",
        modalities=(MODALITY,),
        split_rule="one asset: all of it train; a study splits it by time",
        notes=("Synthetic: no price is real. Days follow each other without weekends.",),
    )
    time_s = DAY_S * np.arange(days)
    with writer:
        writer.add_session(
            "asset",
            subject_id="asset",
            split="train",
            signals={"market": (time_s, np.column_stack([*prices, volume]))},
            truth=[
                (float(t), float(t + DAY_S), CHANCE, float(p), "frac")
                for t, p in zip(time_s, chance, strict=True)
            ],
            start_utc=datetime(2000, 1, 1, tzinfo=UTC),
            duration_s=DAY_S * days,
        )


def _sigmas(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return (n,) deviations of a day's log price; their logarithm goes back to its mean."""
    state = np.empty(n)
    state[0] = _SPREAD * rng.standard_normal()
    steps = _SPREAD * np.sqrt(1 - _KEPT**2) * rng.standard_normal(n)
    for day in range(1, n):
        state[day] = _KEPT * state[day - 1] + steps[day]
    return np.asarray(_USUAL * np.exp(state))


def _days(sigma: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Return open, high, low and close of days with these deviations."""
    steps = sigma * rng.standard_normal(sigma.size)
    top, bottom = (
        (np.sqrt(steps**2 - 2 * sigma**2 * np.log(rng.uniform(size=sigma.size))) + sign * steps) / 2
        for sign in (1, -1)
    )
    before = np.concatenate([[0.0], np.cumsum(steps)[:-1]])
    return [100 * np.exp(before + part) for part in (0.0, top, -bottom, steps)]
