"""Whether the sessions a run is judged on are like those it was calibrated on, as results show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tool_use_om.data.errors import DataError
from tool_use_om.tools.run.measures import Drift

if TYPE_CHECKING:
    from tool_use_om.tokenizers.tokens import Tokens


def drift_between(first: Tokens, second: Tokens, *, between: tuple[str, str], seed: int) -> Drift:
    """Return whether two parts differ by more than chance; why not where that cannot be tested.

    Parameters
    ----------
    first, second : Tokens of disjoint sessions, such as calibration and test
    between : their names
    """
    from tool_use_om.heads.trust.drift import drift_test

    try:
        found = drift_test(first, second, seed=seed)
    except DataError as error:
        return Drift(between=list(between), p_value=None, drifted=None, why_not=str(error))
    return Drift(
        between=list(between),
        p_value=found.p_value,
        drifted=found.found,
        distance=found.distance,
        n_sessions=[found.n_first, found.n_second],
    )


def drift_notes(drift: Drift | None) -> list[str]:
    """Return the warning a drift deserves; nothing without one."""
    if drift is None or not drift.drifted:
        return []
    first, second = drift.between
    return [
        f"Drift: the {second} sessions differ from the {first} ones by more than chance "
        f"(p = {drift.p_value:.3g}, whole sessions permuted), so the promised coverage need not "
        "hold for them."
    ]
