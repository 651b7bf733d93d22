"""Who forecasts: the head on tokens or, where clearly better, a raw-space fallback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tool_use_om.data.errors import DataError
from tool_use_om.tools.encode.plan import Stopwatch
from tool_use_om.tools.run.forecast.scores import (
    finite_mean,
    window_errors,
    window_groups,
    window_sessions,
)
from tool_use_om.tools.run.gate import gate_told
from tool_use_om.tools.run.measures import Candidate, Ends, Gate

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from tool_use_om.heads.forecast.base import ForecastHead
    from tool_use_om.heads.forecast.batch import ForecastBatch

MOST_WINDOWS = 600  # compared on the folds; a transformer is trained on each
FEWEST_SESSIONS = 8


def gated(
    head: ForecastHead,
    data: tuple[ForecastBatch, ForecastBatch],
    horizon_s: float,
    refit: Callable[[ForecastBatch], ForecastHead],
    clock: Stopwatch,
    *,
    seed: int,
) -> tuple[ForecastHead, Gate]:
    """Return who forecasts, and what the result says of the comparison.

    Parameters
    ----------
    head : the fitted head on tokens
    data : training windows, and test windows that are judged for show after the decision
    refit : fits the head's kind on some of the training windows
    """
    from tool_use_om.heads.samples.head import sample_head
    from tool_use_om.heads.trust.gate import decide

    train, test = data
    try:
        metric, errors, groups, unit = _fold_errors(head, train, horizon_s, refit, clock)
        decision = decide(head.name, errors, groups, higher_is_better=False, seed=seed)
    except DataError as error:
        return head, Gate(escalated=False, answered_by=head.name, why_not=str(error))
    with clock.lap(f"{decision.rival}_fit_s"):
        rival = sample_head(decision.rival)
        rival.fit(train, channels=head.channels_)
    finalists: dict[str, ForecastHead] = {head.name: head, decision.rival: rival}
    with clock.lap("gate_test_s"):
        tested = {name: _error(h, test, horizon_s, metric) for name, h in finalists.items()}
    rows = [
        Candidate(
            model=name,
            kind="tokens" if name == head.name else "raw",
            folds=Ends.of(score),
            test=tested.get(name),
            memory_mb=memory_mb(finalists[name]) if name in tested else None,
        )
        for name, score in decision.scores.items()
    ]
    told = gate_told(decision, rows, metric, compared_on=unit)
    return (rival if decision.escalated else head), told


def _fold_errors(
    head: ForecastHead,
    train: ForecastBatch,
    horizon_s: float,
    refit: Callable[[ForecastBatch], ForecastHead],
    clock: Stopwatch,
) -> tuple[str, dict[str, np.ndarray], np.ndarray, str]:
    """Return the metric, name → (n,) errors on held-out folds, the groups and what they are."""
    import numpy as np

    from tool_use_om.heads.numeric.folds import plain_folds
    from tool_use_om.heads.samples.base import raw_names
    from tool_use_om.heads.samples.head import sample_head

    rows = np.unique(np.linspace(0, len(train) - 1, min(len(train), MOST_WINDOWS)).round())
    part = train.select(rows.astype(np.int64))
    groups, unit = window_groups(part, FEWEST_SESSIONS)
    folds = plain_folds(window_sessions(part), 3)  # a single session is cut in three, not mixed
    if not folds:
        raise DataError("The training windows are too few for held-out folds: nothing is compared.")
    metric = "mae" if len(set(_units(part, head.channels_))) == 1 else "mase"
    errors: dict[str, np.ndarray] = {}
    for kept, held_out in folds:
        for name in dict.fromkeys((head.name, *raw_names("forecast"))):
            with clock.lap(f"gate_{'tokens' if name == head.name else name}_s"):
                own = part.select(kept)
                if name == head.name:
                    fitted = refit(own)
                else:
                    fitted = sample_head(name).fit(own, channels=head.channels_)
                found = _errors(fitted, part.select(held_out), horizon_s, metric)
            errors.setdefault(name, np.full(len(part), np.nan))[held_out] = found
    return metric, errors, groups, unit


def _errors(head: ForecastHead, batch: ForecastBatch, horizon_s: float, metric: str) -> np.ndarray:
    horizon = min(horizon_s, head.max_horizon_s)
    return window_errors(head.predict(batch, horizon), batch).by_name()[metric][0]


def _error(head: ForecastHead, batch: ForecastBatch, horizon_s: float, metric: str) -> float:
    return finite_mean(_errors(head, batch, horizon_s, metric))


def _units(batch: ForecastBatch, channels: tuple[str, ...]) -> list[str]:
    by_name = dict(zip(batch.windows.channels, batch.windows.units, strict=True))
    return [by_name[c] for c in channels]


def memory_mb(head: ForecastHead) -> float:
    """Megabytes of what was fitted; the encoder's weights come on top for a head on tokens."""
    from tool_use_om.heads.samples.head import SampleHead

    if isinstance(head, SampleHead):
        return head.memory_mb
    return sum(array.nbytes for array in head.to_state().arrays.values()) / 1e6
