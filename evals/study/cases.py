"""What a study of threshold events needs to know of the data sets that it is told of by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tool_use_om.data.catalog import available, datasets_folder, open_dataset
from tool_use_om.data.synthetic.sets import chances
from tool_use_om.heads.events.windows import Cuts

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.heads.events.windows import EventWindows


@dataclass(frozen=True, kw_only=True)
class Case:
    """How one data set is studied.

    Parameters
    ----------
    events : what is asked where nothing is
    context : samples of a window
    cuts : where validation and test begin
    subjects : only these, () = all
    quoted : event → what was reported for it elsewhere, and what differs here
    """

    events: tuple[str, ...] = ()
    context: int = 80
    cuts: Cuts = field(default_factory=Cuts)
    subjects: tuple[str, ...] = ()
    quoted: tuple[tuple[str, str], ...] = ()


_DIFFERS = (
    "on which test days, from which features and by which training is not known here; ours: test "
    "from 2025 on, 25 features, the training rule of the study"
)
CASES = {
    "spy": Case(
        events=("high > 1 % in 1 day", "high > 1 % in 3 days"),
        cuts=Cuts(validation="2023-01-01", test="2025-01-01"),
        quoted=(
            ("high > 1 % in 1 day", f"AUC 0.706 and 0.718 for its baseline; {_DIFFERS}"),
            ("high > 1 % in 3 days", f"AUC 0.618 and 0.622 for its baseline; {_DIFFERS}"),
        ),
    ),
    "bitbrains": Case(
        events=("cpu_usage_pct > 24 % in 30 minutes",), context=40, subjects=("vm-9",)
    ),
    chances.NAME: Case(events=("high > 1 % in 1 day",), context=40),
}


def case_of(name: str) -> Case:
    """Return how a data set is studied; the usual way where nothing is known of it."""
    return CASES.get(name, Case())


def open_case(name: str, workspace: Workspace) -> DataSet:
    """Open a data set, simulating the one whose chances are known when it is first asked for."""
    if name == chances.NAME and name not in available(workspace):
        chances.convert(datasets_folder(workspace) / name)
    return open_dataset(name, workspace)


def known_chances(dataset: DataSet, windows: EventWindows) -> np.ndarray | None:
    """Return (n,) the true P(event) of each window, None where nobody knows it."""
    if dataset.name != chances.NAME or windows.steps != 1:
        return None
    if (windows.event.threshold, windows.event.on) != (1.0, "market.high"):
        return None
    known = dataset.truth().sort_values("start_s")["value"].to_numpy()
    found: np.ndarray = known[windows.ends]
    return found
