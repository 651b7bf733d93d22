"""The `threshold` of a forecast: how likely a channel reaches a level, and how well it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tool_use_om.data.errors import DataError
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.run.forecast.found import Brier, Event, Reliability

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.heads.forecast.batch import ForecastBatch
    from tool_use_om.tools.run.forecast.backtest import Backtest

MEANING = (
    "probability: share of error paths of held-out windows that, added to the forecast, reach the "
    "level within the horizon; probability_not: of the others; brier_of_base_rate: error of always "
    "saying how often it came in the calibration windows"
)


def threshold_event(
    test: Backtest, ends: ForecastBatch, args: a.RunTask, seed: int
) -> tuple[Event | None, np.ndarray | None]:
    """Return what is said of the event and its probability after each of `ends`; None unasked.

    Raises
    ------
    DataError : more than one forecast channel
    """
    if args.threshold is None:
        return None, None
    from tool_use_om.heads.forecast.events import ThresholdEvent

    channels, horizon_s = test.request.channels, test.request.horizon_s
    if len(channels) != 1:
        raise DataError(
            f"A threshold is for one channel, the forecast has {len(channels)}: "
            f"{', '.join(channels)}. Name one in target_channels."
        )
    event = ThresholdEvent(test.head, channels[0], args.threshold, args.direction)
    event.calibrate(test.calibration)
    chances = event.probabilities(ends, horizon_s)
    skill = event.measure(test.held_out, horizon_s, seed=seed)
    windows, brier = test.held_out.windows, skill.brier
    said = Event(
        channel=channels[0],
        threshold=args.threshold,
        unit=windows.units[list(windows.channels).index(channels[0])],
        direction=args.direction,
        horizon_s=horizon_s,
        probability=float(chances.mean()),
        probability_not=float(1.0 - chances.mean()),
        base_rate=skill.base_rate,
        brier=Brier(value=brier.value, lower=brier.lower, upper=brier.upper, n=brier.n),
        brier_of_base_rate=skill.brier_of_base_rate,
        skill=skill.skill,
        reliability=[Reliability(probability=p, came=c, n=n) for p, c, n in skill.reliability],
        n_paths=len(event.paths_),
        meaning=MEANING,
    )
    return said, chances
