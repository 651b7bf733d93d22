"""Labelled windows of a data set for the suites that classify and search: tokens and samples.

What is not in the test split is learned from (the archives' whole TRAIN); the test split is judged.
A set whose every session bears one label and fits the encoder's context is judged case by case, one
window a session, as the archives' published results are; any other one in the tools' windows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tool_use_om.data.errors import DataError, unknown
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.suites.classify.peers import RawWindows
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import (
    Plan,
    cut,
    encode_all,
    parts_of,
    plan_encoding,
    tokenizer_spec,
)
from tool_use_om.tools.look.selection import Segment, main_label_set

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.tokenizers.tokens import Tokens
    from tool_use_om.tokenizers.windows.windows import WindowBatch

Array = np.ndarray
MOST_FIT = 1500  # windows learned from: enough that more change little, few enough for a laptop


@dataclass(frozen=True, kw_only=True)
class Part:
    """Windows with one label each, as samples and, when asked for, as tokens, in one order.

    Parameters
    ----------
    windows : n windows
    y : (n,) text labels
    groups : (n,) the subject where the source says who is who, else the session
    encode : gives the tokens of all windows that were cut, of which these are the `rows`
    """

    windows: WindowBatch
    y: Array
    groups: Array
    encode: Callable[[], Tokens]
    rows: Array

    def __len__(self) -> int:
        return len(self.y)

    @cached_property
    def tokens(self) -> Tokens:
        """The tokens of the windows; peers never ask for them."""
        return self.encode().select(self.rows)

    def select(self, index: Array) -> Part:
        """Return the windows at `index`."""
        return Part(
            windows=self.windows.select(index),
            y=self.y[index],
            groups=self.groups[index],
            encode=self.encode,
            rows=self.rows[index],
        )

    @property
    def sessions(self) -> Array:
        """The session of each window (n,)."""
        return np.array(self.windows.session_ids, dtype=np.str_)

    @property
    def encoded(self) -> Array:
        """The windows that hold a whole patch (m,), the only ones that heads can read."""
        return np.flatnonzero(np.asarray(self.tokens.mask.any(axis=(1, 2))))

    @property
    def raw(self) -> RawWindows:
        """The samples, as peers take them."""
        values = np.where(self.windows.mask, self.windows.values, 0.0)
        return RawWindows(values=values.astype(np.float64), lengths=self.windows.extent)


@dataclass(frozen=True, kw_only=True)
class LabelledWindows:
    """What is learned from and what is judged, and how the windows were cut.

    Parameters
    ----------
    by_case : one window a session
    n_there : windows that could be learned from; `fit` may hold fewer
    """

    dataset: DataSet
    label_set: str
    plan: Plan
    by_case: bool
    fit: Part
    test: Part
    n_there: int

    def about(self) -> dict[str, Any]:
        """Return what a report says about the windows, as JSON values."""
        patch_len = round(self.plan.patch_s * self.plan.rate_hz)
        short = int((self.test.windows.extent < patch_len).sum())
        return {
            "label_set": self.label_set,
            "by_case": self.by_case,
            "encoding": self.plan.to_json(),
            "n_fit": len(self.fit),
            "n_there": self.n_there,
            "n_test": len(self.test),
            "n_groups": len(np.unique(self.test.groups)),
            "n_classes": len(np.unique(self.test.y)),
            "n_too_short": short,
        }


def open_named(name: str, workspace: Workspace) -> tuple[DataSet, str]:
    """Return the data set and label set of "NAME" or "NAME:LABEL_SET".

    Raises
    ------
    NotFoundError : no such data set or label set
    DataError : a data set without labels
    """
    from tool_use_om.data.catalog import open_dataset

    plain, _, label_set = name.partition(":")
    dataset = open_dataset(plain, workspace)
    if label_set and label_set not in dataset.manifest.label_sets:
        raise unknown("label set", label_set, dataset.manifest.label_sets)
    return dataset, label_set or main_label_set(dataset)


def labelled_windows(
    name: str,
    workspace: Workspace,
    *,
    tokenizer: str | None = None,
    most: int = MOST_FIT,
    seed: int = 0,
) -> LabelledWindows:
    """Cut, encode and label the windows of a data set.

    Of more than `most` windows to learn from, so many are kept, evenly spaced over the sessions.

    Raises
    ------
    DataError : no labels, a split without labelled windows, or parts that share no label or channel
    """
    dataset, label_set = open_named(name, workspace)
    ctx = ToolContext(workspace=workspace, seed=seed)
    given = WorkingSet().but(dataset=dataset.name, tokenizer=tokenizer)
    plan = plan_encoding(ctx, given)
    longest = float(dataset.sessions()["duration_s"].max())
    by_case = _one_label_each(dataset, label_set)
    by_case = by_case and longest * plan.rate_hz <= tokenizer_spec(given).native_context
    if by_case:
        plan = plan.with_window(longest, longest)
    known = [*parts_of(dataset, "train"), *parts_of(dataset, "calibration")]
    if not dataset.manifest.by_time:
        known.sort(key=lambda part: part.session_id)
    fit = _part(ctx, plan, label_set, known)
    test = _part(ctx, plan, label_set, parts_of(dataset, "test"))
    n_there = len(fit)
    if n_there > most:
        fit = fit.select(np.unique(np.linspace(0, n_there - 1, most).round().astype(np.int64)))
    _check_parts(name, fit, test)
    return LabelledWindows(
        dataset=dataset,
        label_set=label_set,
        plan=plan,
        by_case=by_case,
        fit=fit,
        test=test,
        n_there=n_there,
    )


def _check_parts(name: str, fit: Part, test: Part) -> None:
    """Raise DataError where nothing of the one part can be said from the other."""
    if len(np.unique(fit.y)) < 2:
        raise DataError(f"{name}: fewer than two labels to learn from.")
    if not np.isin(test.y, fit.y).any():
        raise DataError(
            f"{name}: no label of the test split ({', '.join(np.unique(test.y))}) occurs in the "
            f"{len(np.unique(fit.sessions))} sessions that may be learned from."
        )
    there = [p.windows.mask.any(axis=(0, 2)) for p in (fit, test)]
    if not (there[0] & there[1]).any():
        raise DataError(
            f"{name}: the test sessions have none of the channels of those to learn from."
        )


def draw_sessions(part: Part, per_class: int, seed: Sequence[int]) -> Part:
    """Return the windows of `per_class` sessions drawn for each label, all of a rarer label's."""
    rng = np.random.default_rng(list(seed))
    keep = np.zeros(len(part), dtype=bool)
    for label in np.unique(part.y):
        own = part.y == label
        names = np.unique(part.sessions[own])
        drawn = rng.choice(names, min(per_class, len(names)), replace=False)
        keep |= own & np.isin(part.sessions, drawn)
    return part.select(np.flatnonzero(keep))


def _one_label_each(dataset: DataSet, label_set: str) -> bool:
    """Return whether every session is labelled once, from its start to its end."""
    table = dataset.sessions().set_index("session_id")["duration_s"]
    labels = dataset.labels(label_set=label_set)
    spans = labels["end_s"] - labels["start_s"]
    covered = labels["session_id"].map(table)
    once = len(labels) == len(table) and labels["session_id"].is_unique
    return bool(once and np.allclose(spans, covered, rtol=1e-3))


def _part(ctx: ToolContext, plan: Plan, label_set: str, segments: list[Segment]) -> Part:
    from tool_use_om.data.format.labels import window_labels

    dataset = plan.dataset
    if not segments:
        raise DataError(
            f"{dataset.name} has no session to learn from, or none to judge "
            f"(rule: {dataset.manifest.split_rule})."
        )
    windows = cut(plan, segments)
    y = window_labels(
        dataset.labels(label_set=label_set),
        windows.session_ids,
        windows.start_s,
        windows.end_s,
        label_set,
    )
    known = np.flatnonzero([label is not None for label in y])
    if not len(known):
        raise DataError(f"{dataset.name}: no labelled window in {len(segments)} sessions.")
    table = dataset.sessions()
    subject = dict(zip(table["session_id"], table["subject_id"], strict=True))
    by_subject = dataset.manifest.n_subjects > 0
    groups = [str(subject[s]) if by_subject else s for s in windows.session_ids]
    return Part(
        windows=windows.select(known),
        y=y[known].astype(np.str_),
        groups=np.array(groups, dtype=np.str_)[known],
        encode=cache(lambda: encode_all(ctx, plan, segments)),
        rows=known,
    )
