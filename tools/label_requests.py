"""request_labels: asks a person about the windows a head learns most from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError, unknown
from tool_use_om.tools import arguments as a
from tool_use_om.tools import classify
from tool_use_om.tools.context import ToolContext, ToolOutcome
from tool_use_om.tools.encoding import Stopwatch
from tool_use_om.tools.names import resolve_name
from tool_use_om.tools.outcome import finish
from tool_use_om.tools.working_set import WorkingSet

if TYPE_CHECKING:
    from tool_use_om.heads.base import ClassifierHead
    from tool_use_om.tools.classify import Study


def request_labels(ctx: ToolContext, working_set: WorkingSet, args: a.RequestLabels) -> ToolOutcome:
    """Ask for the labels of the windows the head is least sure of, one a session.

    Only training sessions are asked about: held-out ones stay untouched. The answers are kept in
    this result, not in the data set; later runs of the same working set use them.

    Raises
    ------
    DataError : nobody can be asked, an answer that is no mapping of window to label
    NotFoundError : an unknown window or label in the answer
    """
    study = classify.prepare(ctx, working_set, Stopwatch())
    names = study.plan.dataset.manifest.label_sets
    label_set = study.label_set
    if args.label_set is not None:
        label_set = resolve_name("label set", args.label_set, names)
    windows = _least_certain(classify.fit_head(working_set, study), study, args.budget)
    valid = list(names[label_set])
    asked = {"kind": "labels", "label_set": label_set, "labels": valid, "windows": windows}
    given = _checked(ctx.ask(asked), windows, valid)
    rows = [_row(w, given[w["window_id"]], label_set) for w in windows if w["window_id"] in given]
    outcome = finish(
        ctx,
        working_set.but(dataset=study.plan.dataset.name),
        args,
        tool="request_labels",
        content={
            "label_set": label_set,
            "n_asked": len(windows),
            "n_given": len(rows),
            "labels": given,
            "n_agreeing": sum(given.get(w["window_id"]) == w["suggested"] for w in windows),
        },
        detail={"windows": windows, "labels": rows},
        inputs={"content_hash": study.plan.dataset.content_hash},
    )
    kept = outcome.working_set.but(given_labels=outcome.result.id)
    return ToolOutcome(content=outcome.content, working_set=kept, result=outcome.result)


def _row(window: dict[str, Any], label: str, label_set: str) -> dict[str, Any]:
    span = {key: window[key] for key in ("session_id", "start_s", "end_s")}
    return {**span, "label": label, "set": label_set}


def _least_certain(head: ClassifierHead, study: Study, budget: int) -> list[dict[str, Any]]:
    """The training windows with the smallest margin between the two likeliest labels."""
    import numpy as np

    tokens = study.train.tokens
    proba = head.predict_proba(tokens)
    ordered = np.sort(proba, axis=1)
    margin = ordered[:, -1] - ordered[:, -2]
    chosen: list[int] = []
    for i in np.argsort(margin, kind="stable"):
        taken = {tokens.session_ids[j] for j in chosen}
        if len(chosen) < budget and tokens.session_ids[int(i)] not in taken:
            chosen.append(int(i))
    return [
        {
            "window_id": f"{tokens.session_ids[i]}@{float(tokens.window_start_s[i]):g}",
            "session_id": tokens.session_ids[i],
            "start_s": float(tokens.window_start_s[i]),
            "end_s": float(tokens.end_s[i]),
            "suggested": str(head.classes_[int(proba[i].argmax())]),
            "margin": float(margin[i]),
        }
        for i in chosen
    ]


def _checked(answer: object, windows: list[dict[str, Any]], valid: list[str]) -> dict[str, str]:
    """Return window → label in the label set's spelling; windows left out stay unlabelled."""
    if not isinstance(answer, Mapping):
        raise DataError(
            f"The answer must map window ids to labels, got {type(answer).__name__}. Answer with "
            '{"<window_id>": "<label>"}; leave out what you cannot tell.'
        )
    known = [w["window_id"] for w in windows]
    for window_id in answer:
        if window_id not in known:
            raise unknown("window", str(window_id), known)
    return {str(w): resolve_name("label", str(v), valid) for w, v in answer.items()}
