"""Labelled windows by split: what classifiers are fitted, calibrated and judged on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tool_use_om.data.errors import DataError
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import (
    Plan,
    Stopwatch,
    encode,
    parts_of,
    plan_encoding,
    without_filters,
)
from tool_use_om.tools.look.selection import Segment, main_label_set
from tool_use_om.tools.run.classify.cases import case_plan, is_by_session, with_ends
from tool_use_om.tools.run.classify.labelled import Labelled, few_labels, rare_labels
from tool_use_om.tools.run.classify.stretches import Predicted

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.heads.contract.base import ClassifierHead
    from tool_use_om.tokenizers.tokens import Tokens


GIVEN_OVERLAP = 0.75  # from here on a given label replaces the data set's own


def split_segments(dataset: DataSet, working_set: WorkingSet, split: str) -> list[Segment]:
    """Return the parts of one split, narrowed by the working set's subjects only."""
    parts = parts_of(dataset, split)
    if not working_set.subjects:
        return parts
    table = dataset.sessions()
    kept = set(table.loc[table["subject_id"].isin(working_set.subjects), "session_id"])
    return [p for p in parts if p.session_id in kept]


def labelled_split(
    ctx: ToolContext,
    plan: Plan,
    working_set: WorkingSet,
    split: str,
    *,
    label_set: str,
    clock: Stopwatch,
    by_session: bool = False,
) -> Labelled:
    """Encode one split whole and label its windows.

    Parameters
    ----------
    by_session : cover each session to its last sample; a window has its session's label

    Raises
    ------
    DataError : the data set has no such split
    """
    import numpy as np

    parts = split_segments(plan.dataset, working_set, split)
    if not parts:
        raise DataError(
            f"{plan.dataset.name} has no session in the split {split!r} "
            f"(rule: {plan.dataset.manifest.split_rule}). Import it with splits."
        )
    with clock.lap("encode_s"):
        tokens = encode(ctx, plan, with_ends(plan, parts) if by_session else parts)
    table = plan.dataset.sessions()
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


def rare_note(rare: dict[str, int], per_class: int, *, left_out: bool) -> str:
    """Return what was done about rare labels, in words; "" without any."""
    if not rare:
        return ""
    named = ", ".join(f"{label} ({n})" for label, n in rare.items())
    done = "left out of fitting and judging" if left_out else "all of theirs are used"
    return f"Labels with fewer than {per_class} training sessions: {named}; {done}."


DEFAULT_HEAD = "prototypes"
TWO_RESOLUTIONS = 0.75  # of the encoder's context: shorter cases are seen stretched to it as well
MOST_STRETCHED = 1000  # sessions times channels; of more, stretching would cost minutes


@dataclass(frozen=True, kw_only=True)
class Study:
    """The labelled windows of the three splits, and how they were made.

    Parameters
    ----------
    unlabelled : training windows without a label; None if nobody asked
    by_session : whether whole sessions are judged, not windows
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
    by_session: bool = False

    @property
    def unit(self) -> str:
        """What is judged, in a word."""
        return "sessions" if self.by_session else "windows"


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
    by_session = window_by_rule(ctx, working_set, plan) and is_by_session(plan.dataset, label_set)
    if by_session:
        plan = for_sessions(plan)
    splits = {}
    for split in ("train", "calibration", "test"):
        if split == "calibration" and not plan.dataset.manifest.splits.get("calibration"):
            continue
        splits[split] = labelled_split(
            ctx,
            plan,
            working_set,
            split,
            label_set=label_set,
            clock=clock,
            by_session=by_session,
        )
    train = splits["train"].known()
    study = Study(
        plan=plan,
        label_set=label_set,
        train=train,
        calibration=splits["calibration"].known() if "calibration" in splits else None,
        test=splits["test"],
        unlabelled=splits["train"].unknown(),
        by_session=by_session,
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


def window_by_rule(ctx: ToolContext, working_set: WorkingSet, plan: Plan) -> bool:
    """Return whether the window is what the rule makes of the data, not what somebody asked for."""
    given = working_set.tokenizer_config
    if given is None:
        return True
    if given.super_s or given.fusion != "common" or given.patch_stride_s:
        return False
    free = without_filters(working_set).but(tokenizer_config=None)
    return plan_encoding(ctx, free).config.window_s == plan.config.window_s


def for_sessions(plan: Plan) -> Plan:
    """Return the plan for whole sessions, seen at two resolutions where they are short."""
    from tool_use_om.tokenizers.adapt.adapter import spec_of

    spec = spec_of(plan.tokenizer)
    context_s = spec.native_context / plan.rate_hz
    found = case_plan(plan, context_s)
    many = plan.dataset.manifest.n_sessions * len(plan.channels) > MOST_STRETCHED
    if many or found.config.window_s > TWO_RESOLUTIONS * context_s or found.config.resolutions:
        return found
    return replace(found, config=found.config.model_copy(update={"resolutions": 2}))


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


def confusion_counts(test: Labelled, predicted: Predicted) -> tuple[Sequence[str], list[list[int]]]:
    """Return the labels and the counts [true][predicted] over windows that have a label."""
    names = sorted({*predicted.classes, *(str(y) for y in test.y if y is not None)})
    counts = [[0] * len(names) for _ in names]
    for true, said in zip(test.y, predicted.label, strict=True):
        if true is not None:
            counts[names.index(str(true))][names.index(str(said))] += 1
    return names, counts
