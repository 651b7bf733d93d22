"""run_task for task "classify": fit on train, calibrate, judge on the held-out test split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.names import resolve_name, resolve_sessions
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import Stopwatch
from tool_use_om.tools.look.selection import SHOWN, label_names, open_current
from tool_use_om.tools.run.classify.cases import Units
from tool_use_om.tools.run.classify.certainty import Certainty, certainty
from tool_use_om.tools.run.classify.figures import confusion_figure, timeline_figure
from tool_use_om.tools.run.classify.found import (
    Classified,
    Metrics,
    PrecisionRecall,
    SaidStretch,
    TrainedOn,
)
from tool_use_om.tools.run.classify.gate import Answerer, gated
from tool_use_om.tools.run.classify.labelled import Labelled
from tool_use_om.tools.run.classify.stretches import (
    Predicted,
    found_sessions,
    found_stretches,
    with_truth,
)
from tool_use_om.tools.run.classify.study import Study, confusion_counts, fit_head, prepare_run
from tool_use_om.tools.run.classify.vote import Voted, by_unit, fitting, joined, voted
from tool_use_om.tools.run.finish import finish_run
from tool_use_om.tools.run.gate import gate_notes
from tool_use_om.tools.run.measures import Chance, Estimate, Gate, JudgedOn, ShareEstimate, Vote

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.heads.contract.base import ClassifierHead


def run_classify(ctx: ToolContext, working_set: WorkingSet, args: a.RunTask) -> ToolOutcome:
    """Find a label (or all of them) in the held-out sessions, with measured confidence."""
    dataset = open_current(ctx, working_set)
    target = _target(dataset, args.target_label or next(iter(working_set.labels), None))
    clock = Stopwatch()
    study = prepare_run(ctx, working_set, args, clock, target)
    found = _answered(ctx, working_set, study, args, clock)
    with clock.lap("predict_s"):
        predicted, sure = _predict(found, args, ctx.seed)
    judged = found.judged
    known, truth, said = _known(judged.test, predicted)
    meant = _rows(judged, predicted, [target] if target else predicted.classes)
    meant = _wanted(dataset, working_set, args, meant)
    rows = with_truth(meant, dataset.labels(label_set=study.label_set))
    return finish_run(
        ctx,
        working_set,
        args,
        study.plan,
        content=Classified(
            head=found.head.name,
            answered_by=found.answerer.name,
            trained_on=_trained_on(found.learnt),
            judged_on=JudgedOn(split="test", n_sessions=_n_sessions(study.test), unit=study.unit),
            metrics=_metrics(truth, said, known.groups, ctx.seed),
            chance=chance(truth),
            target=None if target is None else precision_recall(truth, said, target),
            coverage=sure.coverage,
            abstention=sure.abstention,
            drift=sure.drift,
            gate=found.gate,
            vote=found.vote,
            target_label=target,
            n_segments=len(rows),
            n_sessions_found=len({r.session_id for r in rows}),
            segments=rows[:SHOWN],
            notes=[
                *study.plan.notes,
                *study.notes,
                *gate_notes(found.gate),
                *([str(found.vote.why)] if found.vote else []),
                *([found.note] if found.note else []),
                *sure.notes,
            ],
        ),
        detail={
            "segments": [row.to_json() for row in rows],
            **_confusion(judged.test, predicted),
            **_judged(found, predicted),
            **sure.detail,
        },
        clock=clock,
        figures={
            "timeline": timeline_figure(dataset, study, predicted, rows, target),
            "confusion": confusion_figure(judged.test, predicted, study.unit, target),
        },
    )


@dataclass(frozen=True, kw_only=True)
class _Answered:
    """Who answers, what was learned from, and what calibrates.

    Parameters
    ----------
    study : the windows of the splits
    learnt : the study whose training part was learned from
    judged : the study with a row for each judged unit, its calibration part what calibrates
    held_out : (n, K) what was said of that, unseen
    """

    study: Study
    learnt: Study
    judged: Study
    head: ClassifierHead
    answerer: Answerer
    held_out: np.ndarray
    gate: Gate | None = None
    vote: Vote | None = None
    note: str = ""
    members: tuple[Answerer, ...] = ()
    calibrated_on: str = "calibration sessions"


def _answered(
    ctx: ToolContext, working_set: WorkingSet, study: Study, args: a.RunTask, clock: Stopwatch
) -> _Answered:
    """Fit who answers: the gate's choice where it was asked for, else the vote."""
    if args.allow_raw:
        with clock.lap("fit_s"):
            head = fit_head(working_set, study)
        chosen, gate = gated(ctx.seed, working_set, study, head, clock)
        answerer = by_unit(chosen, study)
        judged, said = _apart(study, answerer)
        return _Answered(
            study=study,
            learnt=study,
            judged=judged,
            head=head,
            answerer=answerer,
            held_out=said,
            gate=gate,
        )
    learnt = fitting(study, args.labels_per_class)
    with clock.lap("fit_s"):
        head = fit_head(working_set, learnt)
    found = voted(ctx.seed, working_set, learnt, head, clock)
    judged, said = _by_folds(study, found)
    calibrated_on = "training folds"
    if learnt is study and study.calibration is not None and len(study.calibration):
        folded = (judged, said)
        judged, said = _apart(study, found.answerer)
        calibrated_on = "calibration sessions"
        if folded[0].calibration is not None and _too_few(judged, args.coverage):
            judged, said = _together(folded, (judged, said))
            calibrated_on = "training folds and calibration sessions"
    return _Answered(
        study=study,
        learnt=learnt,
        judged=judged,
        head=head,
        answerer=found.answerer,
        held_out=said,
        vote=found.content,
        note=found.note,
        members=found.members,
        calibrated_on=calibrated_on,
    )


def _apart(study: Study, answerer: Answerer) -> tuple[Study, np.ndarray]:
    """Return the judged units and what is said of those of the calibration split."""
    import numpy as np

    test = study.test.select(Units.of(study.test, by_session=study.by_session).first)
    held = study.calibration
    if held is None or not len(held):
        return replace(study, test=test), np.zeros((0, len(answerer.classes)))
    first = Units.of(held, by_session=study.by_session).first
    return replace(study, test=test, calibration=held.select(first)), answerer.proba(held)


def _by_folds(study: Study, found: Voted) -> tuple[Study, np.ndarray]:
    """Return the judged units and what folds said of those that were learned from."""
    import numpy as np

    test = study.test.select(Units.of(study.test, by_session=study.by_session).first)
    known = np.flatnonzero(np.isfinite(found.held_out).all(axis=1))
    held = found.fitted.select(known) if len(known) else None
    return replace(study, test=test, calibration=held), found.held_out[known]


def _too_few(judged: Study, coverage: float) -> bool:
    """Return whether the calibration sessions alone could leave no label out."""
    from tool_use_om.heads.trust.conformal import needed_groups

    held = judged.calibration
    return held is not None and len(set(held.tokens.session_ids)) < needed_groups(coverage)


def _together(
    folded: tuple[Study, np.ndarray], apart: tuple[Study, np.ndarray]
) -> tuple[Study, np.ndarray]:
    """Return what calibrates where there is little: what folds said and what was kept apart."""
    import numpy as np

    (by_folds, said_there), (judged, said) = folded, apart
    if by_folds.calibration is None or judged.calibration is None:
        return apart
    held = joined(by_folds.calibration, judged.calibration)
    return replace(judged, calibration=held), np.concatenate([said_there, said])


def _rows(judged: Study, predicted: Predicted, labels: Sequence[str]) -> list[SaidStretch]:
    """Return the stretches found, whole sessions where these are judged."""
    tokens = judged.test.tokens
    if not judged.by_session:
        return found_stretches(tokens, predicted, labels)
    lengths = [judged.plan.dataset.duration_of(s) for s in tokens.session_ids]
    return found_sessions(tokens.session_ids, lengths, predicted, labels)


def _trained_on(study: Study) -> TrainedOn:
    return TrainedOn(
        n_sessions=_n_sessions(study.train),
        n_windows=len(study.train),
        rare_labels=study.rare or None,
    )


def _target(dataset: DataSet, label: str | None) -> str | None:
    return None if label is None else resolve_name("label", label, label_names(dataset))


def _predict(found: _Answered, args: a.RunTask, seed: int) -> tuple[Predicted, Certainty]:
    """Predict what is judged; what is certain is measured on those that have a label."""
    proba = found.answerer.proba(found.study.test)
    classes = tuple(str(c) for c in found.answerer.classes)
    sure = certainty(
        found.judged,
        classes,
        (found.held_out, proba),
        args,
        seed,
        whole=found.study,
        calibrated_on=found.calibrated_on,
    )
    label = found.answerer.classes[proba.argmax(axis=1)]
    return Predicted(classes=classes, label=label, proba=proba, sets=sure.sets), sure


def _wanted(
    dataset: DataSet, working_set: WorkingSet, args: a.RunTask, rows: list[SaidStretch]
) -> list[SaidStretch]:
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
        if (asked is None or r.session_id in asked) and r.end_s > low and r.start_s < high
    ]


def _n_sessions(data: Labelled) -> int:
    return len(set(data.tokens.session_ids))


def _known(test: Labelled, predicted: Predicted) -> tuple[Labelled, np.ndarray, np.ndarray]:
    """Return what is judged and has a label, its labels, and what was said of it."""
    import numpy as np

    index = np.flatnonzero([label is not None for label in test.y])
    known = test.known()
    return known, known.y.astype(np.str_), predicted.label[index].astype(np.str_)


def _metrics(truth: np.ndarray, said: np.ndarray, groups: np.ndarray, seed: int) -> Metrics:
    from tool_use_om.heads.numeric.metrics import accuracy, bootstrap_interval, macro_f1

    right, f1 = (
        bootstrap_interval(truth, said, groups=groups, statistic=measure, seed=seed, share=True)
        for measure in (accuracy, macro_f1)
    )
    return Metrics(accuracy=ShareEstimate.of(right), macro_f1=Estimate.of(f1))


def chance(truth: np.ndarray) -> Chance:
    """Return the accuracy of always naming the commonest label."""
    import numpy as np

    counts = np.unique(truth, return_counts=True)[1]
    return Chance(accuracy=float(counts.max() / counts.sum()))


def precision_recall(truth: np.ndarray, said: np.ndarray, label: str) -> PrecisionRecall:
    """Return precision, recall and window count of one label."""
    hits = int(((truth == label) & (said == label)).sum())
    n_said, n_true = int((said == label).sum()), int((truth == label).sum())
    return PrecisionRecall(
        precision=hits / n_said if n_said else None,
        recall=hits / n_true if n_true else None,
        n_windows=n_true,
    )


MOST_TOLD = 20_000  # judged cases that a result keeps one by one


def _judged(found: _Answered, predicted: Predicted) -> dict[str, Any]:
    """Return the right label of each judged case, and what the answer and its members say of it."""
    import numpy as np

    test = found.judged.test
    known = np.flatnonzero([label is not None for label in test.y])
    if len(known) > MOST_TOLD:
        return {}
    said = {"answer": predicted.label[known].astype(np.str_).tolist()}
    for each in found.members:
        label = each.classes[each.proba(found.study.test).argmax(axis=1)]
        said[each.name] = label[known].astype(np.str_).tolist()
    truth = test.y[known].astype(np.str_).tolist()
    groups = test.groups[known].astype(np.str_).tolist()
    return {"judged": {"unit": found.study.unit, "truth": truth, "groups": groups, "said": said}}


def _confusion(test: Labelled, predicted: Predicted) -> dict[str, Any]:
    names, counts = confusion_counts(test, predicted)
    _, truth, said = _known(test, predicted)
    return {
        "confusion": {"labels": list(names), "counts": counts},
        "per_class": {name: precision_recall(truth, said, name).to_json() for name in names},
    }
