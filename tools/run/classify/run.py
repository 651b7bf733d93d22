"""run_task for task "classify": fit on train, calibrate, judge on the held-out test split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.names import resolve_name, resolve_sessions
from tool_use_om.tools.call.outcome import finish_run
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import Plan, Stopwatch, plan_encoding, without_filters
from tool_use_om.tools.encode.tools import main_label_set
from tool_use_om.tools.look.selection import SHOWN, label_names, open_current
from tool_use_om.tools.run.classify.certainty import Certainty, certainty
from tool_use_om.tools.run.classify.figures import confusion_figure, timeline_figure
from tool_use_om.tools.run.classify.gate import Answerer, gate_notes, gated, on_tokens
from tool_use_om.tools.run.classify.stretches import Predicted, found_stretches, with_truth
from tool_use_om.tools.run.classify.study import (
    Labelled,
    few_labels,
    labelled_split,
    rare_labels,
    rare_note,
)

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.heads.contract.base import ClassifierHead
    from tool_use_om.heads.numeric.metrics import Interval

DEFAULT_HEAD = "prototypes"


@dataclass(frozen=True, kw_only=True)
class Study:
    """The labelled windows of the three splits, and how they were made.

    Parameters
    ----------
    unlabelled : training windows without a label; None if nobody asked
    rare : labels with fewer training sessions than were asked for, and how many they have
    notes : what a reader must know of how the splits were cut down
    """

    plan: Plan
    label_set: str
    train: Labelled
    calibration: Labelled | None
    test: Labelled
    unlabelled: Labelled | None = None
    rare: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def prepare(
    ctx: ToolContext,
    working_set: WorkingSet,
    clock: Stopwatch,
    *,
    target: str | None = None,
    labels_per_class: int | None = None,
    rare: a.RareLabels = "take",
) -> Study:
    """Encode and label the three splits; windows without a label are left out of fitting."""
    plan = plan_encoding(ctx, without_filters(working_set))
    label_set = main_label_set(plan.dataset, target)
    splits = {}
    for split in ("train", "calibration", "test"):
        if split == "calibration" and not plan.dataset.manifest.splits.get("calibration"):
            continue
        splits[split] = labelled_split(
            ctx, plan, working_set, split, label_set=label_set, clock=clock
        )
    train = splits["train"].known()
    study = Study(
        plan=plan,
        label_set=label_set,
        train=train,
        calibration=splits["calibration"].known() if "calibration" in splits else None,
        test=splits["test"],
        unlabelled=splits["train"].unknown(),
    )
    if labels_per_class is not None:
        study = settle_rare(study, labels_per_class, rare)
        few = few_labels(study.train, labels_per_class, (ctx.seed, labels_per_class))
        study = replace(study, train=few)
    return _learnt_only(study)


def settle_rare(study: Study, per_class: int, rule: a.RareLabels) -> Study:
    """Say which labels have too few sessions; "leave_out" takes them out of all splits."""
    found = rare_labels(study.train, per_class)
    note = rare_note(found, per_class, left_out=rule == "leave_out")
    if found and rule == "leave_out":
        study = without_labels(study, list(found))
    return replace(study, rare=found, notes=(*study.notes, *([note] if note else [])))


def without_labels(study: Study, labels: Sequence[str]) -> Study:
    """Leave labels out of fitting and calibrating; their test windows become unlabelled.

    Raises
    ------
    DataError : nothing is left to fit or to judge
    """
    train, test = study.train.forgetting(labels).known(), study.test.forgetting(labels)
    if not len(train) or not len(test.known()):
        raise DataError(
            f"Without the rare labels {', '.join(labels)} nothing is left. Ask for a smaller "
            "`labels_per_class`, or take what there is."
        )
    calibration = study.calibration
    return replace(
        study,
        train=train,
        test=test,
        calibration=None if calibration is None else calibration.forgetting(labels).known(),
    )


def _learnt_only(study: Study) -> Study:
    """Leave calibration windows out whose label the training split does not have, and say so."""
    if study.calibration is None:
        return study
    strange = sorted({str(y) for y in study.calibration.y} - {str(y) for y in study.train.y})
    if not strange:
        return study
    note = f"Only the calibration split has {', '.join(strange)}: left out of calibration."
    kept = study.calibration.forgetting(strange).known()
    return replace(study, calibration=kept, notes=(*study.notes, note))


def fit_head(working_set: WorkingSet, study: Study, name: str | None = None) -> ClassifierHead:
    """Fit the working set's head (or another by name, with its defaults) on the training split."""
    from tool_use_om.heads.contract.base import ClassifierHead
    from tool_use_om.heads.registry import make_head

    chosen = name or working_set.head or DEFAULT_HEAD
    params = working_set.head_params if chosen == working_set.head else {}
    head = make_head(chosen, **params)
    if not isinstance(head, ClassifierHead):
        raise DataError(f"The head {chosen!r} does not classify. Call select_task_head.")
    return head.fit(study.train.tokens, list(study.train.y), groups=list(study.train.groups))


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


def prepare_run(
    ctx: ToolContext,
    working_set: WorkingSet,
    args: a.RunTask,
    clock: Stopwatch,
    target: str | None,
) -> Study:
    """Return the splits as run_task's arguments ask for them."""
    return prepare(
        ctx,
        working_set,
        clock,
        target=target,
        labels_per_class=args.labels_per_class,
        rare=args.rare_labels,
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


def as_json(interval: Interval) -> dict[str, Any]:
    """Return a measured value with its interval as a result shows it."""
    row = {key: getattr(interval, key) for key in ("value", "lower", "upper", "n", "n_groups")}
    return {**row, **({"note": interval.note} if interval.note else {})}


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
    test = set(ids.loc[ids["split"] == "test", "session_id"])
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


def confusion_counts(test: Labelled, predicted: Predicted) -> tuple[Sequence[str], list[list[int]]]:
    """Return the labels and the counts [true][predicted] over windows that have a label."""
    names = sorted({*predicted.classes, *(str(y) for y in test.y if y is not None)})
    counts = [[0] * len(names) for _ in names]
    for true, said in zip(test.y, predicted.label, strict=True):
        if true is not None:
            counts[names.index(str(true))][names.index(str(said))] += 1
    return names, counts


def _confusion(test: Labelled, predicted: Predicted) -> dict[str, Any]:
    import numpy as np

    names, counts = confusion_counts(test, predicted)
    index = np.flatnonzero([label is not None for label in test.y])
    truth, said = test.y[index].astype(np.str_), predicted.label[index].astype(np.str_)
    return {
        "confusion": {"labels": list(names), "counts": counts},
        "per_class": {name: precision_recall(truth, said, name) for name in names},
    }
