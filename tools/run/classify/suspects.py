"""run_task with suspect_labels: the recordings whose given labels the data speak against."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from tool_use_om.data.errors import DataError
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.content import (
    OWNS_ALL,
    TASK,
    Content,
    Count,
    Label,
    NamedHead,
    Row,
    Session,
    Share,
    Text,
)
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.names import resolve_name, resolve_sessions
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import Stopwatch
from tool_use_om.tools.look.selection import SHOWN, label_names, open_current
from tool_use_om.tools.run.classify.labelled import Labelled
from tool_use_om.tools.run.classify.study import Study, fit_head, prepare_run
from tool_use_om.tools.run.classify.vote import Voted, joined, voted
from tool_use_om.tools.run.finish import finish_run

if TYPE_CHECKING:
    import numpy as np

FEWEST = 3  # recordings of a label, so that models which have not seen one learn from others
MEANING = (
    "probability: of the label that is more likely, by models that have not seen the recording nor "
    "others of its subject; a person has to look at it"
)


class SuspectRow(Row):
    """A recording whose label is probably another."""

    session_id: Session
    given: Label
    likely: Label
    probability: Share
    probability_given: Share


class SuspectsFound(Content):
    """The recordings that may carry a wrong label, the clearest first."""

    key: ClassVar[str] = "suspects"

    task: Annotated[Literal["classify"], TASK] = "classify"
    head: NamedHead
    answered_by: Text
    target_label: Annotated[Label | None, OWNS_ALL]
    n_recordings: Count
    n_judged: Count
    n_suspects: Count
    agreed_frac: Share
    folds_keep: Text
    suspects: list[SuspectRow]
    meaning: Text
    notes: list[Text]


def run_suspects(ctx: ToolContext, working_set: WorkingSet, args: a.RunTask) -> ToolOutcome:
    """Judge each labelled recording by models that have not seen it; rank those that disagree.

    With a target label, or sessions, only their recordings are told.

    Raises
    ------
    DataError : fewer than two labels with three recordings each
    """
    from tool_use_om.heads.trust.suspects import suspects

    clock = Stopwatch()
    dataset = open_current(ctx, working_set)
    target = args.target_label and resolve_name("label", args.target_label, label_names(dataset))
    ids = dataset.sessions()["session_id"].tolist()
    asked = set(resolve_sessions(args.sessions, ids)) if args.sessions else set(ids)
    study = _of_all(prepare_run(ctx, working_set, args, clock, target))
    rare = _enough(study)
    with clock.lap("fit_s"):
        head = fit_head(working_set, study)
    found = voted(ctx.seed, working_set, study, head, clock)
    sessions, given, proba = _recordings(found)
    names = found.answerer.classes
    hits = suspects(proba, given)
    rows = [
        SuspectRow(
            session_id=sessions[i], given=str(names[given[i]]), likely=str(names[k]),
            probability=float(proba[i, k]), probability_given=float(proba[i, given[i]]),
        )
        for i, k in zip(hits.index.tolist(), hits.likely.tolist(), strict=True)
        if sessions[i] in asked and target in {None, str(names[given[i]])}
    ]  # fmt: skip
    agreed = proba[hits.judged].argmax(axis=1) == given[hits.judged]
    content = SuspectsFound(
        task="classify",
        head=head.name,
        answered_by=found.answerer.name,
        target_label=target,
        n_recordings=len(sessions),
        n_judged=int(hits.judged.sum()),
        n_suspects=len(rows),
        agreed_frac=float(agreed.mean()) if agreed.size else 0.0,
        folds_keep=_kept_together(study),
        suspects=rows[:SHOWN],
        meaning=MEANING,
        notes=[*study.plan.notes, *study.notes, *rare, *([found.note] if found.note else [])],
    )
    return finish_run(
        ctx,
        working_set,
        args,
        study.plan,
        content=content,
        detail={"suspects": [row.model_dump() for row in rows]},
        clock=clock,
    )


def _of_all(study: Study) -> Study:
    """Return the study with every labelled window to learn from and to judge, whatever its split.

    Groups are subjects where there are three at least, else sessions.
    """
    parts = [study.train, study.calibration, study.test.known()]
    every: Labelled | None = None
    for part in parts:
        if part is not None and len(part):
            every = part if every is None else joined(every, part)
    if every is None:
        raise DataError(f"{study.plan.dataset.name} has no labelled window to judge.")
    if len(set(every.groups)) < FEWEST:
        every = replace(every, groups=every.sessions)
    return replace(study, train=every, calibration=None, test=every)


def _kept_together(study: Study) -> str:
    by_subject = len(set(study.train.groups)) < len(set(study.train.sessions))
    return "subjects" if by_subject else "sessions"


def _enough(study: Study) -> list[str]:
    """Return a note on labels that are too rare to judge.

    Raises
    ------
    DataError : fewer than two labels have enough recordings
    """
    data = study.train
    pairs = set(zip(data.sessions.tolist(), map(str, data.y), strict=True))
    counts = Counter(label for _, label in pairs)
    rare = sorted(label for label, n in counts.items() if n < FEWEST)
    if len(counts) - len(rare) < 2:
        held = ", ".join(f"{label} {n}" for label, n in sorted(counts.items()))
        raise DataError(
            f"There are too few labelled recordings to doubt any: two labels need {FEWEST} each at "
            f"least, and there are {held}. Label more recordings, or ask which session is least "
            "like the others."
        )
    listed = ", ".join(rare)
    return (
        [f"Labels with fewer than {FEWEST} recordings cannot be judged: {listed}."] if rare else []
    )


def _recordings(found: Voted) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return session, given class and mean probabilities of each session's part with one label."""
    import numpy as np

    data = found.fitted
    codes = np.searchsorted(found.answerer.classes, data.y.astype(np.str_))
    keys: dict[tuple[str, int], int] = {}
    place = [
        keys.setdefault(key, len(keys))
        for key in zip(data.sessions.tolist(), codes.tolist(), strict=True)
    ]
    known = np.isfinite(found.held_out).all(axis=1)
    total = np.zeros((len(keys), found.held_out.shape[1]))
    np.add.at(total, np.array(place)[known], found.held_out[known])
    n = np.bincount(np.array(place)[known], minlength=len(keys))[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        proba: Any = np.where(n > 0, total / n, np.nan)
    return [s for s, _ in keys], np.array([c for _, c in keys]), proba
