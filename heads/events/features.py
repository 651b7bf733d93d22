"""25 features of each sample, from samples up to it alone: a market's indicators, a channel's own.

Every one is a line: its name, what it is, whose it is, and the function. `x` in the formulas is the
channel that is asked about, C, H, L, O and V a market's close, high, low, open and volume; means
and the like run over the last n samples, the sample itself included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tool_use_om.heads.events.event import ThresholdEvent
from tool_use_om.heads.events.series import Series

Array = np.ndarray
Column = pd.Series
MARKET = ("open", "high", "low", "close", "volume")
_MOST_OTHERS = 4


@dataclass(frozen=True)
class Feature:
    """One feature: its name, its formula, its source, and the function of a table of columns."""

    name: str
    formula: str
    source: str
    of: Callable[[Mapping[str, Column]], Column]


def _mean(x: Column, n: int) -> Column:
    return x.rolling(n).mean()


def _ema(x: Column, n: int) -> Column:
    return x.ewm(span=n, adjust=False, min_periods=n).mean()


def _wilder(x: Column, n: int) -> Column:
    return x.ewm(alpha=1 / n, adjust=False, min_periods=n).mean()


def _ln(x: Column) -> Column:
    return pd.Series(np.log(x.to_numpy(np.float64)), index=x.index)


def _log_return(m: Mapping[str, Column]) -> Column:
    return _ln(m["close"] / m["close"].shift())


def _over_close(name: str) -> Callable[[Mapping[str, Column]], Column]:
    return lambda m: _ln(m[name] / m["close"].shift())


def _share(part: Column, whole: Column, empty: float) -> Column:
    """Return part / whole, and `empty` where the whole is nothing."""
    return (part / whole.where(whole.abs() > 0)).where(whole.abs() > 0, empty).where(whole.notna())


def _stochastic(m: Mapping[str, Column]) -> Column:
    low, high = m["low"].rolling(14).min(), m["high"].rolling(14).max()
    return _share(m["close"] - low, high - low, 0.5)


def _macd(m: Mapping[str, Column]) -> Column:
    return (_ema(m["close"], 12) - _ema(m["close"], 26)) / m["close"]


def _rsi(m: Mapping[str, Column]) -> Column:
    step = m["close"].diff()
    gain, loss = _wilder(step.clip(lower=0), 14), _wilder(-step.clip(upper=0), 14)
    return _share(gain, gain + loss, 0.5)


def _true_range(m: Mapping[str, Column]) -> Column:
    before = m["close"].shift()
    top = pd.concat([m["high"], before], axis=1).max(axis=1, skipna=False)
    return top - pd.concat([m["low"], before], axis=1).min(axis=1, skipna=False)


def _cci(m: Mapping[str, Column]) -> Column:
    typical = (m["high"] + m["low"] + m["close"]) / 3
    mean = _mean(typical, 20)
    gaps = pd.concat([(typical.shift(k) - mean).abs() for k in range(20)], axis=1)
    return _share(typical - mean, 0.015 * gaps.mean(axis=1, skipna=False), 0.0)


def _adx(m: Mapping[str, Column]) -> Column:
    up, down = m["high"].diff(), -m["low"].diff()
    plus = _wilder(up.where((up > down) & (up > 0), 0.0).where(up.notna()), 14)
    minus = _wilder(down.where((down > up) & (down > 0), 0.0).where(down.notna()), 14)
    return _wilder(_share((plus - minus).abs(), plus + minus, 0.0), 14)


def _percent_b(m: Mapping[str, Column]) -> Column:
    spread = m["close"].rolling(20).std(ddof=0)
    return _share(m["close"] - _mean(m["close"], 20), 2 * spread, 0.0)


def _parkinson(m: Mapping[str, Column]) -> Column:
    found: Column = (_mean(_ln(m["high"] / m["low"]) ** 2, 10) / (4 * np.log(2))) ** 0.5
    return found


MARKET_FEATURES: tuple[Feature, ...] = (
    Feature("open", "ln(O / C before)", "the data", _over_close("open")),
    Feature("high", "ln(H / C before)", "the data", _over_close("high")),
    Feature("low", "ln(L / C before)", "the data", _over_close("low")),
    Feature("close", "ln(C / C before)", "the data", _log_return),
    Feature("volume", "ln(V + 1) - its mean over 60", "the data",
            lambda m: _ln(m["volume"] + 1) - _mean(_ln(m["volume"] + 1), 60)),
    Feature("sma_10", "C / mean of C over 10 - 1", "simple moving average",
            lambda m: m["close"] / _mean(m["close"], 10) - 1),
    Feature("sma_20", "C / mean of C over 20 - 1", "simple moving average",
            lambda m: m["close"] / _mean(m["close"], 20) - 1),
    Feature("sma_50", "C / mean of C over 50 - 1", "simple moving average",
            lambda m: m["close"] / _mean(m["close"], 50) - 1),
    Feature("ema_12", "C / EMA12 - 1, weight 2 / 13", "exponential moving average",
            lambda m: m["close"] / _ema(m["close"], 12) - 1),
    Feature("ema_26", "C / EMA26 - 1, weight 2 / 27", "exponential moving average",
            lambda m: m["close"] / _ema(m["close"], 26) - 1),
    Feature("macd", "(EMA12 - EMA26) / C", "Appel (1979)", _macd),
    Feature("macd_signal", "EMA9 of macd", "Appel (1979)", lambda m: _ema(_macd(m), 9)),
    Feature("rsi_14", "gains / (gains + losses), Wilder means over 14", "Wilder (1978)", _rsi),
    Feature("stochastic_k", "(C - min L14) / (max H14 - min L14)", "Lane (1984)", _stochastic),
    Feature("stochastic_d", "mean of stochastic_k over 3", "Lane (1984)",
            lambda m: _mean(_stochastic(m), 3)),
    Feature("cci_20", "(T - mean T) / (0.015 mean |T - mean T|), T = (H + L + C) / 3, 20",
            "Lambert (1980)", _cci),
    Feature("atr_14", "Wilder mean of the true range over 14, / C", "Wilder (1978)",
            lambda m: _wilder(_true_range(m), 14) / m["close"]),
    Feature("adx_14", "Wilder mean of |D+ - D-| / (D+ + D-) over 14", "Wilder (1978)", _adx),
    Feature("percent_b", "(C - mean C) / (2 deviations of C), 20", "Bollinger (2001)", _percent_b),
    Feature("band_width", "4 deviations of C / mean C, 20", "Bollinger (2001)",
            lambda m: 4 * m["close"].rolling(20).std(ddof=0) / _mean(m["close"], 20)),
    Feature("roc_5", "C / C 5 before - 1", "rate of change",
            lambda m: m["close"] / m["close"].shift(5) - 1),
    Feature("roc_20", "C / C 20 before - 1", "rate of change",
            lambda m: m["close"] / m["close"].shift(20) - 1),
    Feature("volatility_5", "deviation of ln(C / C before) over 5", "realised volatility",
            lambda m: _log_return(m).rolling(5).std()),
    Feature("volatility_20", "deviation of ln(C / C before) over 20", "realised volatility",
            lambda m: _log_return(m).rolling(20).std()),
    Feature("parkinson_10", "root of mean ln(H / L)^2 over 10, / (4 ln 2)", "Parkinson (1980)",
            _parkinson),
)  # fmt: skip


def _own(name: str, formula: str, of: Callable[[Column, int], Column], n: int) -> Feature:
    told = formula.format(n=n)
    return Feature(f"{name}_{n}", told, "the channel itself", lambda m: of(m["x"], n))


# name, formula, function, the n it is taken over
_OF_CHANNEL: tuple[tuple[str, str, Callable[[Column, int], Column], tuple[int, ...]], ...] = (
    ("gap", "x - mean of x over {n}", lambda x, n: x - _mean(x, n), (3, 6, 12, 36)),
    ("ema", "x - EMA{n}", lambda x, n: x - _ema(x, n), (6, 12)),
    ("step", "x - x {n} before", lambda x, n: x.diff(n), (1, 3, 6, 12)),
    ("deviation", "deviation of x over {n}", lambda x, n: x.rolling(n).std(), (6, 12, 36)),
    ("most", "max of x over {n}", lambda x, n: x.rolling(n).max(), (6, 12, 36)),
    ("least", "min of x over {n}", lambda x, n: x.rolling(n).min(), (6, 12, 36)),
)


def _of_channel(event: ThresholdEvent) -> tuple[Feature, ...]:
    """Return the 20 features of the channel itself; scaled later, so in its own unit."""
    made = [_own(name, told, of, n) for name, told, of, over in _OF_CHANNEL for n in over]
    reached = Feature(
        "reached_36", "share of the last 36 samples at or beyond the level", "the channel itself",
        lambda m: _mean(_beyond(m["x"], event), 36),
    )  # fmt: skip
    return (*made, reached)


def _sample(channel: str) -> Feature:
    return Feature(channel.rpartition(".")[2], "the sample", "the data", lambda m: m[channel])


def _beyond(x: Column, event: ThresholdEvent) -> Column:
    """Return 1 where a sample is at or beyond what the sample before would have to reach."""
    level = event.level(x.shift()) if event.relative else event.threshold
    hit = x >= level if event.direction == "above" else x <= level
    return hit.astype(np.float64).where(x.notna())


def features_for(series: Series, event: ThresholdEvent) -> tuple[Feature, ...]:
    """Return the features of a series: a market's 25, else the channel, four others and 20."""
    modality = event.on.rpartition(".")[0]
    if all(f"{modality}.{name}" in series.channels for name in MARKET):
        return MARKET_FEATURES
    others = [c for c in series.channels if c != event.on][:_MOST_OTHERS]
    raw = tuple(_sample(name) for name in (event.on, *others))
    return (*raw, *_of_channel(event))


def compute(series: Series, event: ThresholdEvent, features: Sequence[Feature]) -> Array:
    """Return (n, F) float64; NaN until enough samples lie behind, and never across a gap."""
    table = {c: pd.Series(series.values[:, i]) for i, c in enumerate(series.channels)}
    table |= {name.rpartition(".")[2]: column for name, column in table.items()}
    table["x"] = table[event.on]
    found = np.full((len(series.time_s), len(features)), np.nan)
    for piece in np.unique(series.piece):
        rows = np.flatnonzero(series.piece == piece)
        here = {k: column.iloc[rows] for k, column in table.items()}
        with np.errstate(all="ignore"):
            columns = [feature.of(here).to_numpy(np.float64) for feature in features]
        found[rows] = np.stack(columns, axis=1)
    found[~np.isfinite(found)] = np.nan
    return found
