"""run_task with descriptions: activities nobody labelled, found by measurable attributes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tool_use_om.data.errors import DataError, unknown
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import (
    Plan,
    Stopwatch,
    cut,
    parts_of,
    plan_encoding,
    whole,
    without_filters,
)
from tool_use_om.tools.look.selection import (
    SHOWN,
    Segment,
    main_label_set,
    open_current,
    select,
    with_filters,
)
from tool_use_om.tools.run.classify.found import (
    BorneOut,
    ClosestWindow,
    Confusion,
    Described,
    DescribedMetrics,
    DescribedWindow,
    Matching,
)
from tool_use_om.tools.run.finish import finish_run
from tool_use_om.tools.run.measures import ShareEstimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.heads.classify.attributes import AttributeScores
    from tool_use_om.tokenizers.windows.windows import WindowBatch

HEAD = "attributes"
MEANING = (
    "probability: among the described activities only; fits: share of windows for which one "
    "description is not ruled out by its attributes; closest: windows nearest to the target's own "
    "description, whatever the others say; matches: every attribute named is inside its band"
)


def run_attributes(ctx: ToolContext, working_set: WorkingSet, args: a.RunTask) -> ToolOutcome:
    """Score windows against the descriptions; where labels of these names exist, judge by them."""
    from tool_use_om.heads.classify.attributes import AttributeClassifier

    dataset = open_current(ctx, working_set)
    clock = Stopwatch()
    plan = plan_encoding(ctx, without_filters(working_set))
    with clock.lap("cut_s"):
        usual = _measured(plan, _training(dataset))
        asked = _measured(plan, _asked(dataset, working_set, args))
    with clock.lap("predict_s"):
        scores = AttributeClassifier(args.descriptions or []).fit(usual).score(asked)
    rows = _rows(asked, scores)
    target = args.target_label
    if target is not None and target not in scores.names:
        raise unknown("described activity", target, scores.names)
    wanted = [r for r in rows if target in {None, r.label}]
    metrics, confusion = _judged(dataset, asked, scores, ctx.seed)
    matching, closest = _matching(dataset, asked, scores, target)
    return finish_run(
        ctx,
        working_set,
        args,
        plan,
        content=Described(
            head=HEAD,
            described=list(scores.names),
            n_windows=len(asked),
            n_sessions=len(set(asked.session_ids)),
            found=dict(Counter(r.label for r in rows)),
            fits=float(scores.fits.mean()),
            metrics=metrics,
            confusion=confusion,
            target_label=target,
            matching=matching,
            closest=closest,
            segments=sorted(wanted, key=lambda r: -r.probability)[:SHOWN],
            meaning=MEANING,
            notes=list(plan.notes),
        ),
        detail={"segments": [row.to_json() for row in rows]},
        clock=clock,
    )


def _training(dataset: DataSet) -> list[Segment]:
    """The sessions that say what low and high mean: the training split, unlabelled, else all."""
    return parts_of(dataset, "train") or whole(dataset, dataset.sessions()["session_id"].tolist())


def _asked(dataset: DataSet, working_set: WorkingSet, args: a.RunTask) -> list[Segment]:
    """The selected stretches; without a selection the test split."""
    narrowed = with_filters(dataset, working_set, a.SessionFilters(sessions=args.sessions))
    chosen = narrowed.sessions is not None or narrowed.labels or narrowed.subjects
    if not chosen and narrowed.split is None and dataset.manifest.splits.get("test"):
        narrowed = narrowed.but(split="test")
    return list(select(dataset, narrowed).segments)


def _measured(plan: Plan, segments: list[Segment]) -> WindowBatch:
    """Cut the segments; a window of which less than half was measured is left out.

    Raises
    ------
    DataError : no window is left
    """
    import numpy as np

    windows = cut(plan, segments)
    kept = np.flatnonzero(windows.mask.mean(axis=(1, 2)) >= 0.5)
    if not len(kept):
        raise DataError("No window is at least half measured. Choose other sessions or channels.")
    return windows.select(kept)


def _rows(asked: WindowBatch, scores: AttributeScores) -> list[DescribedWindow]:
    ends = asked.end_s
    return [
        DescribedWindow(
            session_id=asked.session_ids[i],
            start_s=float(asked.start_s[i]),
            end_s=float(ends[i]),
            label=str(scores.labels[i]),
            probability=float(scores.proba[i].max()),
            fits=bool(scores.fits[i]),
        )
        for i in range(len(asked))
    ]


def _matching(
    dataset: DataSet, asked: WindowBatch, scores: AttributeScores, target: str | None
) -> tuple[Matching | None, list[ClosestWindow] | None]:
    """Return which windows are as the target is described, each attribute by itself.

    A description of several attributes loses against one of a single attribute that says less, so
    which description fits best does not tell whether one fits.
    """
    import numpy as np

    if target is None:
        return None, None
    column = scores.names.index(target)
    parts = np.stack([part[:, column] for part in scores.by_attribute.values()])
    parts = parts[~np.isnan(parts).all(axis=1)]
    score, matches = parts.sum(axis=0), (parts > -1e-9).all(axis=0)
    measured = scores.measured
    order = np.lexsort((-measured.strength, -score, ~matches))  # the last key counts first
    ends = asked.end_s
    closest = [
        ClosestWindow(
            session_id=asked.session_ids[i],
            start_s=float(asked.start_s[i]),
            end_s=float(ends[i]),
            matches=bool(matches[i]),
            score=float(score[i]),
            cadence_hz=float(measured.cadence_hz[i]) if scores.rated[i] else None,
            regularity=float(measured.strength[i]),
        )
        for i in _first_of_each(asked.session_ids, order)[:SHOWN]
    ]
    names = np.array(asked.session_ids)[matches]
    found = Matching(n_windows=int(matches.sum()), n_sessions=len(set(names.tolist())))
    return _borne_out(found, _labels(dataset, asked), target, matches, scores), closest


def _first_of_each(sessions: Sequence[str], order: np.ndarray) -> list[int]:
    """Return indices in order, the first of each session before the second of any."""
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, int, int]] = []
    for i in order.tolist():
        ranked.append((seen[sessions[i]], len(ranked), i))
        seen[sessions[i]] += 1
    return [i for _, _, i in sorted(ranked)]


def _borne_out(
    found: Matching, truth: np.ndarray, target: str, matches: np.ndarray, scores: AttributeScores
) -> Matching:
    """Say how far the description and labels of its name agree, where there are such labels."""
    import numpy as np

    named = np.array([t == target for t in truth])
    if not named.any():
        return found
    rated = scores.measured.cadence_hz[named & scores.rated]
    return BorneOut(
        n_windows=found.n_windows,
        n_sessions=found.n_sessions,
        n_labelled=int(named.sum()),
        labelled_found_frac=float(matches[named].mean()),
        found_labelled_frac=float(named[matches].mean()) if matches.any() else None,
        labelled_cadence_hz=float(np.median(rated)) if len(rated) else None,
    )


def _judged(
    dataset: DataSet, asked: WindowBatch, scores: AttributeScores, seed: int
) -> tuple[DescribedMetrics | None, list[Confusion] | None]:
    """Accuracy and confusion over the windows that bear the name of a described activity."""
    import numpy as np

    from tool_use_om.heads.numeric.metrics import accuracy, bootstrap_interval

    truth = _labels(dataset, asked)
    known = np.flatnonzero([t in scores.names for t in truth])
    if not len(known):
        return None, None
    t, said = truth[known].astype(str), scores.labels[known]
    sessions = np.array(asked.session_ids)[known]
    found = bootstrap_interval(t, said, groups=sessions, statistic=accuracy, seed=seed, share=True)
    counts = Counter(zip(t.tolist(), said.tolist(), strict=True))
    confusion = [
        Confusion(label=true, said={name: counts[true, name] for name in scores.names})
        for true in sorted(set(t))
    ]
    return DescribedMetrics(accuracy=ShareEstimate.of(found)), confusion


def _labels(dataset: DataSet, asked: WindowBatch) -> np.ndarray:
    """The label of each window (B,) object, None where there is none."""
    import numpy as np

    from tool_use_om.data.format.labels import window_labels

    if not dataset.manifest.label_sets:
        return np.full(len(asked), None, dtype=object)
    name = main_label_set(dataset)
    rows = dataset.labels(list(dict.fromkeys(asked.session_ids)))
    return window_labels(rows, asked.session_ids, asked.start_s, asked.end_s, name)
