"""From labelled windows to stretches of a session: consecutive windows of one label, merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tool_use_om.tools.run.classify.found import FoundStretch, SaidStretch

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from tool_use_om.tokenizers.tokens import Tokens


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """What a classifier said of n windows.

    Parameters
    ----------
    label : (n,) the most probable label
    proba : (n, K) in the order of `classes`
    sets : conformal prediction set of each window; None if nothing was calibrated
    """

    classes: tuple[str, ...]
    label: np.ndarray
    proba: np.ndarray
    sets: Sequence[set[str]] | None

    def probability_of(self, label: str) -> np.ndarray:
        """Return (n,) the probability of one label."""
        column: np.ndarray = self.proba[:, self.classes.index(label)]
        return column


def found_stretches(
    tokens: Tokens, predicted: Predicted, labels: Sequence[str]
) -> list[SaidStretch]:
    """Merge consecutive windows of the same predicted label, most confident first.

    Windows of one session are consecutive when none lies between them and they touch or overlap.

    Returns
    -------
    list of SaidStretch: its confidence is the mean probability of the label over the windows, and
    it is in the prediction set where the label is in the set of each window
    """
    import numpy as np

    end_s = tokens.end_s
    order = np.lexsort((tokens.window_start_s, np.array(tokens.session_ids, dtype=np.str_)))
    runs: list[list[int]] = []
    before: int | None = None
    for i in (int(i) for i in order):
        if str(predicted.label[i]) in labels:
            joined = (
                before is not None
                and tokens.session_ids[before] == tokens.session_ids[i]
                and predicted.label[before] == predicted.label[i]
                and tokens.window_start_s[i] <= end_s[before] + 1e-9
            )
            if joined:
                runs[-1].append(i)
            else:
                runs.append([i])
        before = i
    rows = [_row(tokens, predicted, run, end_s) for run in runs]
    return sorted(rows, key=lambda r: (-r.confidence, r.session_id, r.start_s))


def found_sessions(
    session_ids: Sequence[str],
    lengths_s: Sequence[float],
    predicted: Predicted,
    labels: Sequence[str],
) -> list[SaidStretch]:
    """Return each session said to have one of `labels` as a stretch from end to end.

    Parameters
    ----------
    session_ids, lengths_s : of the judged sessions, in the order of `predicted`
    """
    rows = [
        SaidStretch(
            session_id=name,
            start_s=0.0,
            end_s=float(length),
            label=label,
            confidence=float(predicted.probability_of(label)[i]),
            in_prediction_set=None if predicted.sets is None else label in predicted.sets[i],
            n_windows=1,
        )
        for i, (name, length) in enumerate(zip(session_ids, lengths_s, strict=True))
        if (label := str(predicted.label[i])) in labels
    ]
    return sorted(rows, key=lambda r: (-r.confidence, r.session_id))


def _row(tokens: Tokens, predicted: Predicted, run: list[int], end_s: np.ndarray) -> SaidStretch:
    label = str(predicted.label[run[0]])
    sets = predicted.sets
    return SaidStretch(
        session_id=tokens.session_ids[run[0]],
        start_s=float(tokens.window_start_s[run[0]]),
        end_s=float(end_s[run].max()),
        label=label,
        confidence=float(predicted.probability_of(label)[run].mean()),
        in_prediction_set=None if sets is None else all(label in sets[i] for i in run),
        n_windows=len(run),
    )


def with_truth(rows: Sequence[SaidStretch], labels: pd.DataFrame) -> list[FoundStretch]:
    """Add to each stretch which share of it the held-out labels confirm (`confirmed_frac`)."""
    by_session = {str(name): group for name, group in labels.groupby("session_id")}
    return [
        FoundStretch(**row.to_json(), confirmed_frac=_confirmed(row, by_session)) for row in rows
    ]


def _confirmed(row: SaidStretch, by_session: dict[str, pd.DataFrame]) -> float | None:
    if row.session_id not in by_session:
        return None
    own = by_session[row.session_id]
    same = own[own["label"] == row.label]
    overlap = (same["end_s"].clip(upper=row.end_s) - same["start_s"].clip(lower=row.start_s)).clip(
        lower=0
    )
    return float(overlap.sum() / (row.end_s - row.start_s))
