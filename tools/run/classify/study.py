"""Labelled windows by split: what classifiers are fitted, calibrated and judged on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tool_use_om.data.errors import DataError
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import Plan, Stopwatch, encode, whole

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.tokenizers.tokens import Tokens


GIVEN_OVERLAP = 0.75  # from here on a given label replaces the data set's own


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Windows as tokens with one label each.

    Parameters
    ----------
    tokens : Tokens of n windows
    y : (n,) object, the label that covers at least half of the window, None where none does
    groups : (n,) the subject where the source says who is who, else the session
    """

    tokens: Tokens
    y: np.ndarray
    groups: np.ndarray

    def __len__(self) -> int:
        return len(self.y)

    def select(self, index: np.ndarray) -> Labelled:
        """Return the windows at `index`."""
        return Labelled(
            tokens=self.tokens.select(index), y=self.y[index], groups=self.groups[index]
        )

    def known(self) -> Labelled:
        """Return the windows that have a label."""
        import numpy as np

        return self.select(np.flatnonzero([label is not None for label in self.y]))

    def unknown(self) -> Labelled:
        """Return the windows that have no label."""
        import numpy as np

        return self.select(np.flatnonzero([label is None for label in self.y]))

    def forgetting(self, labels: Sequence[str]) -> Labelled:
        """Return the same windows, those with one of `labels` unlabelled."""
        import numpy as np

        y = np.array([None if label in set(labels) else label for label in self.y], dtype=object)
        return Labelled(tokens=self.tokens, y=y, groups=self.groups)

    def without(self, label: str) -> Labelled:
        """Return the windows with another label than this one."""
        import numpy as np

        return self.select(np.flatnonzero(self.y != label))

    @property
    def sessions(self) -> np.ndarray:
        """The session of each window (n,)."""
        import numpy as np

        return np.array(self.tokens.session_ids, dtype=np.str_)


def split_sessions(dataset: DataSet, working_set: WorkingSet, split: str) -> pd.DataFrame:
    """Return the sessions of one split, narrowed by the working set's subjects only."""
    table = dataset.sessions()
    keep = table["split"] == split
    if working_set.subjects:
        keep &= table["subject_id"].isin(working_set.subjects)
    return table[keep].reset_index(drop=True)


def labelled_split(
    ctx: ToolContext,
    plan: Plan,
    working_set: WorkingSet,
    split: str,
    *,
    label_set: str,
    clock: Stopwatch,
) -> Labelled:
    """Encode one split whole and label its windows.

    Raises
    ------
    DataError : the data set has no such split
    """
    import numpy as np

    table = split_sessions(plan.dataset, working_set, split)
    if table.empty:
        raise DataError(
            f"{plan.dataset.name} has no session in the split {split!r} "
            f"(rule: {plan.dataset.manifest.split_rule}). Import it with splits."
        )
    with clock.lap("encode_s"):
        tokens = encode(ctx, plan, whole(plan.dataset, table["session_id"].tolist()))
    y = _labels_of(ctx, working_set, plan.dataset.labels(label_set=label_set), tokens, label_set)
    subject = dict(zip(table["session_id"], table["subject_id"], strict=True))
    known = plan.dataset.manifest.n_subjects > 0
    groups = [str(subject[s]) if known else s for s in tokens.session_ids]
    return Labelled(tokens=tokens, y=y, groups=np.array(groups, dtype=np.str_))


def given_labels(ctx: ToolContext, working_set: WorkingSet, label_set: str) -> pd.DataFrame:
    """Return the labels a person gave during the run (`request_labels`); they count before others.

    Returns
    -------
    DataFrame of session_id, start_s, end_s, label, set
    """
    import pandas as pd

    rows: list[dict[str, object]] = []
    if working_set.given_labels is not None:
        rows = ctx.results.get(working_set.given_labels).data["detail"]["labels"]
    columns = ["session_id", "start_s", "end_s", "label", "set"]
    return pd.DataFrame([r for r in rows if r["set"] == label_set], columns=columns)


def _labels_of(
    ctx: ToolContext, working_set: WorkingSet, labels: pd.DataFrame, tokens: Tokens, label_set: str
) -> np.ndarray:
    """Return each window's label: a given one where it covers most of the window, else as usual."""
    import numpy as np
    import pandas as pd

    from tool_use_om.data.format.labels import window_labels

    where = (tokens.session_ids, tokens.window_start_s, tokens.end_s, label_set)
    given = given_labels(ctx, working_set, label_set)
    if not len(given):
        return window_labels(labels, *where)
    said = window_labels(given, *where, min_overlap=GIVEN_OVERLAP)
    usual = window_labels(pd.concat([labels, given], ignore_index=True), *where)
    y = np.empty(len(usual), dtype=object)
    y[:] = [old if new is None else new for old, new in zip(usual, said, strict=True)]
    return y


def few_labels(data: Labelled, per_class: int, seed: Sequence[int]) -> Labelled:
    """Keep the windows of `per_class` sessions drawn for each label, all of a rarer label's."""
    import numpy as np

    rng = np.random.default_rng(list(seed))
    keep = np.zeros(len(data), dtype=bool)
    for label in sorted(set(data.y)):
        own = data.y == label
        names = np.unique(data.sessions[own])
        drawn = rng.choice(names, min(per_class, len(names)), replace=False)
        keep |= own & np.isin(data.sessions, drawn)
    return data.select(np.flatnonzero(keep))


def rare_labels(data: Labelled, per_class: int) -> dict[str, int]:
    """Return the labels with fewer sessions than `per_class`, and how many they have."""
    counts = {str(label): len(set(data.sessions[data.y == label])) for label in set(data.y)}
    return {label: n for label, n in sorted(counts.items()) if n < per_class}


def rare_note(rare: dict[str, int], per_class: int, *, left_out: bool) -> str:
    """Return what was done about rare labels, in words; "" without any."""
    if not rare:
        return ""
    named = ", ".join(f"{label} ({n})" for label, n in rare.items())
    done = "left out of fitting and judging" if left_out else "all of theirs are used"
    return f"Labels with fewer than {per_class} training sessions: {named}; {done}."
