"""Prediction sets, abstention and drift of a classification, as run_task's result shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tool_use_om.tools.run import measures
from tool_use_om.tools.run.classify.found import Abstention
from tool_use_om.tools.run.drift import drift_between, drift_notes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from tool_use_om.heads.trust import prediction_sets
    from tool_use_om.heads.trust.prediction_sets import Keys, PredictionSets
    from tool_use_om.tools.call import arguments as a
    from tool_use_om.tools.run.classify.labelled import Labelled
    from tool_use_om.tools.run.classify.study import Study


@dataclass(frozen=True, kw_only=True)
class Certainty:
    """What the calibration split says about each held-out window.

    Parameters
    ----------
    sets : prediction set of each test window; None if nothing was calibrated
    coverage, abstention, drift : as the result shows them; None if nothing was calibrated
    detail : coverage of each label
    notes : what a reader must know
    """

    sets: Sequence[set[str]] | None
    coverage: measures.SetCoverage | None
    abstention: Abstention | None
    drift: measures.Drift | None
    detail: dict[str, Any]
    notes: tuple[str, ...]


def certainty(
    study: Study,
    classes: Sequence[str],
    proba: tuple[np.ndarray, np.ndarray],
    args: a.RunTask,
    seed: int,
    *,
    whole: Study | None = None,
    calibrated_on: str = "calibration sessions",
) -> Certainty:
    """Calibrate on the calibration part and measure on the labelled test windows.

    Parameters
    ----------
    study : a row for each judged unit
    proba : (n, K) probabilities of the calibration and of the test part
    whole : the windows of the splits, which drift is looked for in; default: `study`
    calibrated_on : what the calibration part is, in words: with folds in it, it was learned from,
        and judged by folds that had not seen it (cross-conformal prediction: Vovk, 2015)
    """
    import numpy as np

    from tool_use_om.heads.trust import prediction_sets
    from tool_use_om.heads.trust.prediction_sets import PredictionSets

    calibration, test = study.calibration, study.test
    if calibration is None or not len(calibration):
        note = "No calibration sessions: no prediction sets, no measured coverage."
        return Certainty(
            sets=None, coverage=None, abstention=None, drift=None, detail={}, notes=(note,)
        )
    sets = PredictionSets(
        classes, args.coverage, class_conditional=args.class_conditional, seed=seed
    ).calibrate(proba[0], list(calibration.y), keys_of(calibration))
    inside = sets.inside(proba[1], keys_of(test))
    abstention = prediction_sets.Abstention.of(inside, args.max_set_size)
    drift = _drift(whole or study, seed)
    known = _labelled(test)
    said = np.asarray(classes, dtype=np.str_)[proba[1].argmax(axis=1)]
    hits = sets.hits(inside[known], list(test.y[known]))
    return Certainty(
        sets=sets.sets(inside),
        coverage=_coverage(sets, inside, hits, test.groups[known], calibrated_on),
        abstention=_abstention(abstention, test, said, seed),
        drift=drift,
        detail={"coverage_by_label": _by_label(hits, test.y[known])},
        notes=tuple(n for n in (*_notes(sets), *drift_notes(drift)) if n),
    )


def _drift(study: Study, seed: int) -> measures.Drift:
    """Compare the test windows with the calibration ones, else with those learned from."""
    held, name = study.calibration, "calibration"
    if held is None or not len(held):
        held, name = study.train, "train"
    return drift_between(held.tokens, study.test.tokens, between=(name, "test"), seed=seed)


def keys_of(data: Labelled) -> Keys:
    """Return where the windows come from."""
    from tool_use_om.heads.trust.prediction_sets import Keys

    return Keys.of(data.tokens.session_ids, data.tokens.window_start_s)


def _labelled(data: Labelled) -> np.ndarray:
    import numpy as np

    return np.flatnonzero([label is not None for label in data.y])


def _coverage(
    sets: PredictionSets, inside: np.ndarray, hits: np.ndarray, groups: np.ndarray, by: str
) -> measures.SetCoverage:
    from tool_use_om.heads.trust.conformal import measured_coverage

    size = inside.sum(axis=1)
    found = measures.Coverage.of(measured_coverage(hits, sets.coverage, groups))
    return measures.SetCoverage(
        **found.to_json(),
        mean_set_size=float(size.mean()),
        empty_frac=float((size == 0).mean()),
        by="label" if sets.class_conditional else "all labels together",
        fallback_labels=list(sets.fallback_),
        n_calibration_sessions=sets.n_groups_,
        calibrated_on=by,
    )


def _abstention(
    abstention: prediction_sets.Abstention, test: Labelled, said: np.ndarray, seed: int
) -> Abstention:
    """The share without an answer, and the accuracy of the rest."""
    import numpy as np

    from tool_use_om.heads.numeric.metrics import bootstrap_interval

    known = _labelled(test)
    answered = known[~abstention.abstains[known]]
    right = said[answered] == test.y[answered].astype(np.str_)
    accuracy = None
    if len(answered):
        groups = test.groups[answered]
        found = bootstrap_interval(right, groups=groups, seed=seed, share=True)
        accuracy = measures.ShareEstimate.of(found)
    return Abstention(
        max_set_size=abstention.max_set_size,
        abstained_frac=abstention.share,
        n_answered=int((~abstention.abstains).sum()),
        accuracy_answered=accuracy,
    )


def _by_label(hits: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    return {
        str(label): {"empirical": float(hits[y == label].mean()), "n": int((y == label).sum())}
        for label in sorted(set(y))
    }


def _notes(sets: PredictionSets) -> list[str]:
    if not sets.fallback_:
        return [sets.note]
    named = ", ".join(sets.fallback_)
    return [
        sets.note,
        f"Too few calibration sessions to calibrate by themselves: {named}. "
        "They are calibrated with all labels together.",
    ]
