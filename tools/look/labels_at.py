"""What a stretch of a session is labelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tool_use_om.tools.encode.tools import main_label_set
from tool_use_om.tools.look.selection import Segment

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.heads.contract.results import Neighbour


def label_at(dataset: DataSet, stretch: Neighbour | Segment) -> str | None:
    """Return the label that covers at least half of a stretch, if there is one."""
    import numpy as np

    from tool_use_om.data.format.labels import window_labels

    if not dataset.manifest.label_sets:
        return None
    found: Sequence[str | None] = window_labels(
        dataset.labels([stretch.session_id]),
        [stretch.session_id],
        np.array([stretch.start_s]),
        np.array([stretch.end_s]),
        main_label_set(dataset),
    ).tolist()
    return found[0]
