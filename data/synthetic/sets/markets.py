"""`synthetic-markets`: market-like days, calm and turbulent, of assets that do not exist."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tool_use_om.data.format.schema import Channel, Modality, Split
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.progress import Progress, track

DAY_S = 86400.0
VOLATILITY = {"calm": 0.7, "turbulent": 2.8}  # standard deviation of a day's return, percent
MODALITY = Modality(
    name="market",
    rate_hz=1 / DAY_S,
    channels=(
        Channel(name="close", unit="USD"),
        Channel(name="return", unit="%"),
        Channel(name="volume", unit="count"),
    ),
)
_SPLITS: tuple[Split, ...] = ("train",) * 5 + ("calibration",) + ("test",) * 2


def convert(target: Path, *, progress: Progress | None = None, seed: int = 2026) -> None:
    """Write 8 simulated assets × 2 sessions of 200 to 500 trading days.

    Labels: "regime" (calm, turbulent). Truth: volatility (percent a day) of each regime's interval.
    Not covered: weekends (days follow each other), dividends, any link between assets.
    """
    writer = DataSetWriter(
        target,
        name="synthetic-markets",
        title="Simulated assets: close, return and volume by trading day",
        synthetic=True,
        licence="Apache-2.0 (simulated by tool-use-om)",
        source=f"synthetic-markets, seed {seed}",
        modalities=(MODALITY,),
        split_rule="by simulated asset: 1 to 5 train, 6 calibration, 7 and 8 test",
        notes=("Synthetic: no price is real. Trading days follow each other without weekends.",),
    )
    todo = [(a, i) for a in range(len(_SPLITS)) for i in range(2)]
    with writer:
        for asset, i in track(
            todo, progress, phase="simulate markets", unit="sessions", total=len(todo)
        ):
            _add_session(writer, asset, i, np.random.default_rng([seed, asset, i]))


def _add_session(writer: DataSetWriter, asset: int, i: int, rng: np.random.Generator) -> None:
    regimes = _regimes(int(rng.integers(200, 500)), rng)
    sigma = np.concatenate([np.full(b - a, VOLATILITY[r]) for a, b, r in regimes])
    returns = 0.03 + sigma * rng.standard_t(5, sigma.size) / np.sqrt(5 / 3)
    close = rng.uniform(20, 200) * np.exp(np.cumsum(returns) / 100)
    volume = np.round(1e5 * (1 + np.abs(returns)) * rng.lognormal(0, 0.25, sigma.size))
    values = np.stack([close, returns, volume], axis=1)
    spans = [(a * DAY_S, b * DAY_S, r) for a, b, r in regimes]
    writer.add_session(
        f"asset-{asset + 1:02d}-{'ab'[i]}",
        subject_id=f"asset-{asset + 1:02d}",
        split=_SPLITS[asset],
        signals={"market": (DAY_S * np.arange(sigma.size), values)},
        labels=[(s, e, r, "regime") for s, e, r in spans],
        truth=[(s, e, "volatility", VOLATILITY[r], "%") for s, e, r in spans],
    )


def _regimes(n_days: int, rng: np.random.Generator) -> list[tuple[int, int, str]]:
    """Return (first day, day after the last, regime), calm and turbulent in turn."""
    spans: list[tuple[int, int, str]] = []
    day, turn = 0, int(rng.integers(2))
    while day < n_days:
        regime = tuple(VOLATILITY)[turn % 2]
        length = int(rng.integers(50, 110) if regime == "calm" else rng.integers(25, 60))
        end = n_days if n_days - (day + length) < 20 else day + length
        spans.append((day, end, regime))
        day, turn = end, turn + 1
    return spans
