"""Who forecasts a plain question: the head and models of samples, weighed on training backtests."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from tool_use_om.data.errors import DataError
from tool_use_om.tools.encode.plan import Stopwatch
from tool_use_om.tools.run.forecast.gate import memory_mb
from tool_use_om.tools.run.forecast.scores import (
    finite_mean,
    window_errors,
    window_groups,
    window_sessions,
)
from tool_use_om.tools.run.measures import Candidate, Ends, Vote

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.heads.forecast.base import ForecastHead
    from tool_use_om.heads.forecast.batch import ForecastBatch

CANDIDATES = ("rlinear", "naive", "seasonal_naive", "theta")
NEEDS_AEON = ("theta",)
MOST_LEARNT = 3000  # windows that a fold learns from
MOST_JUDGED = 150  # windows that a fold judges; Theta is fitted to each
BLEND = "blend"


def blended(
    head: ForecastHead,
    data: tuple[ForecastBatch, ForecastBatch],
    horizon_s: float,
    refit: Callable[[ForecastBatch], ForecastHead],
    clock: Stopwatch,
    *,
    seed: int = 0,
) -> tuple[ForecastHead, Vote]:
    """Return the blend of the head and the candidates, and what the result says of it.

    Parameters
    ----------
    head : the fitted head on tokens
    data : training windows, and test windows that are judged for show after the decision
    refit : fits the head's kind on some of the training windows
    """
    from tool_use_om.heads.forecast.blend import Blend, blend_weights
    from tool_use_om.heads.numeric.metrics import bootstrap_interval
    from tool_use_om.heads.samples.head import sample_head

    train, test = data
    names = [n for n in CANDIDATES if n != head.name]
    names = [n for n in names if n not in NEEDS_AEON or find_spec("aeon") is not None]

    def fitted(name: str, batch: ForecastBatch) -> ForecastHead:
        if name == head.name:
            return refit(batch)
        return sample_head(name).fit(batch, channels=head.channels_)

    try:
        errors = _backtested([head.name, *names], train, horizon_s, fitted, head, clock)
        weights = blend_weights({name: e for name, (e, _, _) in errors.items()})
    except DataError as error:
        return head, Vote(answered_by=head.name, why_not=str(error))
    with clock.lap("blend_fit_s"):
        members = {n: head if n == head.name else fitted(n, train) for n in weights}
    made: ForecastHead = (
        Blend(members, weights) if len(members) > 1 else next(iter(members.values()))
    )
    metric = "mae" if len(set(_units(train, head.channels_))) == 1 else "mase"
    with clock.lap("blend_test_s"):
        rows = [
            Candidate(
                model=name,
                kind="tokens" if name == head.name and head.reads_tokens else "raw",
                weight=weights.get(name, 0.0),
                folds=Ends.of(
                    bootstrap_interval(
                        errors[name][1],
                        groups=errors[name][2],
                        statistic=finite_mean,
                        seed=seed,
                    )
                ),
                **_tested(members.get(name), test, horizon_s, metric),
            )
            for name in errors
        ]
    told = ", ".join(f"{name} {weight:.2f}" for name, weight in weights.items())
    return made, Vote(
        answered_by=made.name,
        metric="mean error in usual deviations",
        test_metric=metric,
        n_backtested=len(next(iter(errors.values()))[0]),
        rows=rows,
        why=f"Their weights, set by backtests within the training part: {told}.",
    )


def _backtested(  # noqa: PLR0917  # who is compared, on what, and how they are fitted
    names: list[str],
    train: ForecastBatch,
    horizon_s: float,
    fitted: Callable[[str, ForecastBatch], ForecastHead],
    head: ForecastHead,
    clock: Stopwatch,
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return name → signed errors (n, C, H) in usual deviations, (n,) mean sizes and groups."""
    import numpy as np

    from tool_use_om.heads.forecast.usual import Usual
    from tool_use_om.heads.numeric.metrics import nan_mean

    columns = [train.windows.channels.index(c) for c in head.channels_]
    usual = Usual.of(train.windows, columns)
    found: dict[str, list[np.ndarray]] = {name: [] for name in names}
    groups = []
    n_steps = max(1, round(horizon_s * head.rate_hz_))
    for learn, judge in backtests(train):
        part, asked = train.select(learn), train.select(judge)
        groups.append(window_groups(asked)[0])
        scale = usual.rows(asked.windows.session_ids)[:, 1, :, None]
        truth = asked.truth(head.channels_, min(n_steps, head.max_steps_))
        for name in names:
            with clock.lap(f"backtest_{name}_s"):
                made = fitted(name, part)
                steps = min(made.max_steps_, truth.shape[2])
                said = np.full(truth.shape, np.nan)
                said[..., :steps] = made.predict(asked, steps / made.rate_hz_).median
            found[name].append((said - truth) / scale)
    errors = {name: np.concatenate(parts) for name, parts in found.items()}
    sizes = {n: nan_mean(np.abs(e).reshape(len(e), -1)) for n, e in errors.items()}
    return {name: (errors[name], sizes[name], np.concatenate(groups)) for name in names}


def backtests(train: ForecastBatch) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (learned from, judged) rows: other sessions, or of one session what comes later.

    Raises
    ------
    DataError : too few windows
    """
    import numpy as np

    from tool_use_om.heads.numeric.folds import plain_folds

    sessions = window_sessions(train)
    folds = plain_folds(sessions, 3) if len(np.unique(sessions)) >= 3 else _later(train)
    if not folds:
        raise DataError("The training windows are too few for a backtest: the head answers alone.")
    return [(_thin(learn, MOST_LEARNT), _thin(judge, MOST_JUDGED)) for learn, judge in folds]


def _later(train: ForecastBatch) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return two backtests in order of time; nothing learned from reaches into what is judged."""
    import numpy as np

    windows = train.windows
    steps = 0 if train.future is None else train.future.shape[2]
    end = np.asarray(windows.end_s)  # where the future begins
    order = np.argsort(end, kind="stable")
    folds = []
    for low, high in ((0.5, 0.75), (0.75, 1.0)):
        judge = order[int(low * len(order)) : max(int(high * len(order)), 1)]
        if not len(judge):
            continue
        learn = np.flatnonzero(end + steps / windows.rate_hz <= end[judge].min() + 1e-9)
        if len(learn):
            folds.append((learn, judge))
    return folds


def _thin(rows: np.ndarray, most: int) -> np.ndarray:
    return rows[:: -(-len(rows) // most)] if len(rows) else rows


def _tested(
    head: ForecastHead | None, test: ForecastBatch, horizon_s: float, metric: str
) -> dict[str, float]:
    """Return a member's error on the test windows and its size; empty for who is no member."""
    if head is None:
        return {}
    horizon = min(horizon_s, head.max_horizon_s)
    error = window_errors(head.predict(test, horizon), test).by_name()[metric][0]
    return {"test": finite_mean(error), "memory_mb": memory_mb(head)}


def _units(batch: ForecastBatch, channels: tuple[str, ...]) -> list[str]:
    by_name = dict(zip(batch.windows.channels, batch.windows.units, strict=True))
    return [by_name[c] for c in channels]
