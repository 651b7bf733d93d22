"""request_labels: asks a person about the windows a head learns most from."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError, TuomError, unknown
from tool_use_om.tools.call import arguments as a
from tool_use_om.tools.call.content import Content, Count, NamedLabel, Span, Text
from tool_use_om.tools.call.context import ToolContext, ToolOutcome
from tool_use_om.tools.call.definition import ToolDef
from tool_use_om.tools.call.names import resolve_name
from tool_use_om.tools.call.outcome import finish
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import Stopwatch
from tool_use_om.tools.look.selection import SHOWN
from tool_use_om.tools.run.classify.study import fit_head, prepare

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.heads.trust.active import Pick
    from tool_use_om.tools.run.classify.labelled import Labelled
    from tool_use_om.tools.run.classify.study import Study

ATTEMPTS = 4  # so often a person is asked for labels that can be used


class AskedWindow(Span):
    """A window a person was asked about."""

    suggested: NamedLabel | None
    given: NamedLabel | None


class LabelsGiven(Content):
    """Which windows a person was asked about, and what came back."""

    label_set: Text
    n_asked: Count
    n_given: Count
    n_given_before: Count
    n_without_label: Count
    labels: dict[str, NamedLabel]
    windows: list[AskedWindow]
    n_agreeing: Count


OVERSAMPLE = 3  # so many times the budget is proposed before sessions take turns


def request_labels(ctx: ToolContext, working_set: WorkingSet, args: a.RequestLabels) -> ToolOutcome:
    """Ask for the labels of the windows that are most worth one.

    Asked about are training windows without a label; where all have one, those the head doubts are
    asked about again. Held-out sessions stay untouched. The answers are kept in this result, with
    those of earlier requests, not in the data set; later runs of the same working set use them.

    Raises
    ------
    DataError : nobody can be asked, or answers that are no mapping of window to label, again and
        again
    NotFoundError : unknown windows or labels, again and again; a person is asked anew before
    """
    study = prepare(ctx, working_set, Stopwatch())
    names = study.plan.dataset.manifest.label_sets
    label_set = study.label_set
    if args.label_set is not None:
        label_set = resolve_name("label set", args.label_set, names)
    windows = worth_asking(working_set, study, args.budget, ctx.seed)
    valid = list(names[label_set])
    asked = {"kind": "labels", "label_set": label_set, "labels": valid, "windows": windows}
    given = _given(ctx, asked)
    rows = [_row(w, given[w["window_id"]], label_set) for w in windows if w["window_id"] in given]
    before = _earlier(ctx, working_set, rows)
    outcome = finish(
        ctx,
        working_set.but(dataset=study.plan.dataset.name),
        args,
        tool="request_labels",
        content=LabelsGiven(
            label_set=label_set,
            n_asked=len(windows),
            n_given=len(rows),
            n_given_before=len(before),
            n_without_label=len(study.unlabelled or ()),
            labels=given,
            windows=[_asked_about(w, given) for w in windows[:SHOWN]],
            n_agreeing=sum(given.get(w["window_id"]) == w["suggested"] for w in windows),
        ),
        detail={"windows": windows, "labels": [*before, *rows]},
        inputs={"content_hash": study.plan.dataset.content_hash},
    )
    kept = outcome.working_set.but(given_labels=outcome.result.id)
    return ToolOutcome(content=outcome.content, working_set=kept, result=outcome.result)


def worth_asking(
    working_set: WorkingSet, study: Study, budget: int, seed: int
) -> list[dict[str, Any]]:
    """Return the windows to ask about, one of each session before a second one of any."""
    from tool_use_om.heads.trust.active import one_a_session, pick_windows

    pool = study.unlabelled
    fresh = pool is not None and len(pool) > 0
    if pool is None or not fresh:
        pool = study.train
    suggested, proba = _suggestions(working_set, study, pool)
    picks = pick_windows(
        pool.tokens,
        OVERSAMPLE * budget,
        labelled=study.train.tokens if fresh and len(study.train) else None,
        proba=proba,
        seed=seed,
    )
    kept = one_a_session(picks, pool.tokens.session_ids, budget)
    return [_window(pool, pick, suggested) for pick in kept]


def _suggestions(
    working_set: WorkingSet, study: Study, pool: Labelled
) -> tuple[list[str | None], np.ndarray | None]:
    """What the head makes of the pool; nothing before two labels are known."""
    if len({str(y) for y in study.train.y}) < 2:
        return [None] * len(pool), None
    head = fit_head(working_set, study)
    proba = head.predict_proba(pool.tokens)
    return [str(head.classes_[k]) for k in proba.argmax(axis=1)], proba


def _window(pool: Labelled, pick: Pick, suggested: list[str | None]) -> dict[str, Any]:
    tokens, i = pool.tokens, pick.index
    return {
        "window_id": f"{tokens.session_ids[i]}@{float(tokens.window_start_s[i]):g}",
        "session_id": tokens.session_ids[i],
        "start_s": float(tokens.window_start_s[i]),
        "end_s": float(tokens.end_s[i]),
        "suggested": suggested[i],
        "margin": pick.margin,
        "n_like_it": pick.group_size,
    }


def _asked_about(window: dict[str, Any], given: Mapping[str, str]) -> AskedWindow:
    span = {key: window[key] for key in ("session_id", "start_s", "end_s", "suggested")}
    return AskedWindow(**span, given=given.get(window["window_id"]))


def _row(window: dict[str, Any], label: str, label_set: str) -> dict[str, Any]:
    span = {key: window[key] for key in ("session_id", "start_s", "end_s")}
    return {**span, "label": label, "set": label_set}


def _earlier(
    ctx: ToolContext, working_set: WorkingSet, rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Labels of earlier requests, those answered anew left out."""
    if working_set.given_labels is None:
        return []
    anew = {(r["session_id"], r["start_s"], r["set"]) for r in rows}
    before = ctx.results.get(working_set.given_labels).data["detail"]["labels"]
    return [r for r in before if (r["session_id"], r["start_s"], r["set"]) not in anew]


def _given(ctx: ToolContext, asked: dict[str, Any]) -> dict[str, str]:
    """Return window → label; what cannot be used is asked for again, what can is kept."""
    windows, valid = list(asked["windows"]), list(asked["labels"])
    given: dict[str, str] = {}
    answer = ctx.ask(asked)
    for attempt in range(ATTEMPTS):
        try:
            return given | _checked(answer, windows, valid)
        except TuomError as error:
            if attempt + 1 == ATTEMPTS:
                raise
            good = _usable(answer, windows, valid)
            given |= good
            left = {str(w) for w in answer} - good.keys() if isinstance(answer, Mapping) else set()
            open_ = [w for w in windows if w["window_id"] not in given]
            windows = [w for w in open_ if w["window_id"] in left] or open_
            answer = ctx.ask({**asked, "windows": windows, "error": str(error)})
    return given


def _usable(answer: object, windows: list[dict[str, Any]], valid: list[str]) -> dict[str, str]:
    """Return those parts of an answer that name a window and a label, each checked alone."""
    good: dict[str, str] = {}
    for window, label in answer.items() if isinstance(answer, Mapping) else ():
        with suppress(TuomError):
            good |= _checked({window: label}, windows, valid)
    return good


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


REQUEST_LABELS = ToolDef(
    2,
    a.RequestLabels,
    request_labels,
    "Ask a person to label the most informative windows.",
)
