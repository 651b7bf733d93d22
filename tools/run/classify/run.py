"""run_task for task "classify": fit on train, calibrate, judge on the held-out test split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.names import resolve_name, resolve_sessions
from tool_use_om.tools.call.outcome import as_json
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import Stopwatch
from tool_use_om.tools.look.selection import SHOWN, label_names, open_current
from tool_use_om.tools.run.classify.certainty import Certainty, certainty
from tool_use_om.tools.run.classify.figures import confusion_figure, timeline_figure
from tool_use_om.tools.run.classify.gate import Answerer, gated, on_tokens
from tool_use_om.tools.run.classify.stretches import Predicted, found_stretches, with_truth
from tool_use_om.tools.run.classify.study import (
    Labelled,
    Study,
    confusion_counts,
    fit_head,
    prepare_run,
)
from tool_use_om.tools.run.finish import finish_run
from tool_use_om.tools.run.gate import gate_notes

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.data.format.dataset import DataSet


def run_classify(ctx: ToolContext, working_set: WorkingSet, args: a.RunTask) -> ToolOutcome:
    """Find a label (or all of them) in the held-out sessions, with measured confidence."""
    dataset = open_current(ctx, working_set)
    target = _target(dataset, args.target_label or next(iter(working_set.labels), None))
    clock = Stopwatch()
    study = prepare_run(ctx, working_set, args, clock, target)
    with clock.lap("fit_s"):
        head = fit_head(working_set, study)
    answerer, gate = on_tokens(head, study), None
    if args.allow_raw:
        answerer, gate = gated(ctx.seed, working_set, study, head, clock)
    with clock.lap("predict_s"):
        predicted, sure = _predict(answerer, study, args, ctx.seed)
    rows = found_stretches(study.test.tokens, predicted, [target] if target else predicted.classes)
    rows = _wanted(dataset, working_set, args, rows)
    rows = with_truth(rows, dataset.labels(label_set=study.label_set))
    return finish_run(
        ctx,
        working_set,
        args,
        study.plan,
        content={
            "task": "classify",
            "head": head.name,
            "answered_by": answerer.name,
            "trained_on": _trained_on(study),
            "judged_on": {"split": "test", "n_sessions": _n_sessions(study.test)},
            **_scores(study.test.known(), predicted, study.test, target, ctx.seed),
            **sure.content,
            "gate": gate,
            **_found(rows, target),
            "notes": [*study.plan.notes, *study.notes, *gate_notes(gate), *sure.notes],
        },
        detail={
            "segments": rows,
            **_confusion(study.test, predicted),
            **sure.detail,
        },
        clock=clock,
        files={
            "timeline.png": timeline_figure(dataset, study, predicted, rows, target),
            "confusion.png": confusion_figure(study.test, predicted),
        },
    )


def _trained_on(study: Study) -> dict[str, Any]:
    row: dict[str, Any] = {"n_sessions": _n_sessions(study.train), "n_windows": len(study.train)}
    return row | ({"rare_labels": study.rare} if study.rare else {})


def _found(rows: list[dict[str, Any]], target: str | None) -> dict[str, Any]:
    return {
        "target_label": target,
        "n_segments": len(rows),
        "n_sessions_found": len({r["session_id"] for r in rows}),
        "segments": rows[:SHOWN],
    }


def _target(dataset: DataSet, label: str | None) -> str | None:
    return None if label is None else resolve_name("label", label, label_names(dataset))


def _predict(
    answerer: Answerer, study: Study, args: a.RunTask, seed: int
) -> tuple[Predicted, Certainty]:
    """Predict the test windows; what is certain is measured on those that have a label."""
    calibration = study.calibration
    proba = answerer.proba(study.test)
    calibrated = calibration is not None and len(calibration) > 0
    held = answerer.proba(calibration) if calibration and calibrated else proba[:0]
    classes = tuple(str(c) for c in answerer.classes)
    sure = certainty(study, classes, (held, proba), args, seed)
    label = answerer.classes[proba.argmax(axis=1)]
    return Predicted(classes=classes, label=label, proba=proba, sets=sure.sets), sure


def _wanted(
    dataset: DataSet, working_set: WorkingSet, args: a.RunTask, rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Keep stretches of the asked sessions and times; only held-out sessions can be answered."""
    ids = dataset.sessions()
    test = set(dataset.split_sessions("test"))
    asked = resolve_sessions(args.sessions, ids["session_id"].tolist()) if args.sessions else None
    asked = asked if asked is not None else working_set.sessions
    if asked is not None and not test & set(asked):
        raise DataError(
            "None of the asked sessions is held out: the head was fitted or calibrated on them. "
            f"Ask for sessions of the split 'test', such as {sorted(test)[0]!r}."
        )
    low, high = working_set.start_s or 0.0, working_set.end_s or float("inf")
    return [
        r
        for r in rows
        if (asked is None or r["session_id"] in asked) and r["end_s"] > low and r["start_s"] < high
    ]


def _n_sessions(data: Labelled) -> int:
    return len(set(data.tokens.session_ids))


def _scores(
    known: Labelled, predicted: Predicted, test: Labelled, target: str | None, seed: int
) -> dict[str, Any]:
    import numpy as np

    from tool_use_om.heads.numeric.metrics import accuracy, bootstrap_interval, macro_f1

    index = np.flatnonzero([label is not None for label in test.y])
    truth, said = known.y.astype(np.str_), predicted.label[index].astype(np.str_)
    intervals = {
        name: as_json(
            bootstrap_interval(
                truth, said, groups=known.groups, statistic=measure, seed=seed, share=True
            )
        )
        for name, measure in (("accuracy", accuracy), ("macro_f1", macro_f1))
    }
    content: dict[str, Any] = {"metrics": intervals, "chance": chance(truth)}
    if target is not None:
        content["target"] = precision_recall(truth, said, target)
    return content


def chance(truth: np.ndarray) -> dict[str, float]:
    """Return the accuracy of always naming the commonest label."""
    import numpy as np

    counts = np.unique(truth, return_counts=True)[1]
    return {"accuracy": float(counts.max() / counts.sum())}


def precision_recall(truth: np.ndarray, said: np.ndarray, label: str) -> dict[str, Any]:
    """Return precision, recall and window count of one label."""
    hits = int(((truth == label) & (said == label)).sum())
    n_said, n_true = int((said == label).sum()), int((truth == label).sum())
    return {
        "precision": hits / n_said if n_said else None,
        "recall": hits / n_true if n_true else None,
        "n_windows": n_true,
    }


def _confusion(test: Labelled, predicted: Predicted) -> dict[str, Any]:
    import numpy as np

    names, counts = confusion_counts(test, predicted)
    index = np.flatnonzero([label is not None for label in test.y])
    truth, said = test.y[index].astype(np.str_), predicted.label[index].astype(np.str_)
    return {
        "confusion": {"labels": list(names), "counts": counts},
        "per_class": {name: precision_recall(truth, said, name) for name in names},
    }
