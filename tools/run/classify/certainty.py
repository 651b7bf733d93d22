"""Prediction sets, abstention and drift of a classification, as run_task's result shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tool_use_om.tools.call.outcome import coverage_json
from tool_use_om.tools.run.drift import drift_json, drift_notes

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from tool_use_om.heads.trust.prediction_sets import Abstention, Keys, PredictionSets
    from tool_use_om.tools.call import arguments as a
    from tool_use_om.tools.run.classify.labelled import Labelled
    from tool_use_om.tools.run.classify.study import Study


@dataclass(frozen=True, kw_only=True)
class Certainty:
    """What the calibration split says about each held-out window.

    Parameters
    ----------
    sets : prediction set of each test window; None if nothing was calibrated
    content : coverage, abstention and drift as the result shows them
    detail : coverage of each label
    notes : what a reader must know
    """

    sets: Sequence[set[str]] | None
    content: dict[str, Any]
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

    from tool_use_om.heads.trust.prediction_sets import Abstention, PredictionSets

    calibration, test = study.calibration, study.test
    if calibration is None or not len(calibration):
        nothing = {"coverage": None, "abstention": None, "drift": None}
        note = "No calibration sessions: no prediction sets, no measured coverage."
        return Certainty(sets=None, content=nothing, detail={}, notes=(note,))
    sets = PredictionSets(
        classes, args.coverage, class_conditional=args.class_conditional, seed=seed
    ).calibrate(proba[0], list(calibration.y), keys_of(calibration))
    inside = sets.inside(proba[1], keys_of(test))
    abstention = Abstention.of(inside, args.max_set_size)
    drift = _drift(whole or study, seed)
    known = _labelled(test)
    said = np.asarray(classes, dtype=np.str_)[proba[1].argmax(axis=1)]
    hits = sets.hits(inside[known], list(test.y[known]))
    return Certainty(
        sets=sets.sets(inside),
        content={
            "coverage": {
                **_coverage(sets, inside, hits, test.groups[known]),
                "calibrated_on": calibrated_on,
            },
            "abstention": _abstention(abstention, test, said, seed),
            "drift": drift,
        },
        detail={"coverage_by_label": _by_label(hits, test.y[known])},
        notes=tuple(n for n in (*_notes(sets), *drift_notes(drift)) if n),
    )


def _drift(study: Study, seed: int) -> dict[str, Any]:
    """Compare the test windows with the calibration ones, else with those learned from."""
    held, name = study.calibration, "calibration"
    if held is None or not len(held):
        held, name = study.train, "train"
    return drift_json(held.tokens, study.test.tokens, between=(name, "test"), seed=seed)


def keys_of(data: Labelled) -> Keys:
    """Return where the windows come from."""
    from tool_use_om.heads.trust.prediction_sets import Keys

    return Keys.of(data.tokens.session_ids, data.tokens.window_start_s)


def _labelled(data: Labelled) -> np.ndarray:
    import numpy as np

    return np.flatnonzero([label is not None for label in data.y])


def _coverage(
    sets: PredictionSets, inside: np.ndarray, hits: np.ndarray, groups: np.ndarray
) -> dict[str, Any]:
    from tool_use_om.heads.trust.conformal import measured_coverage

    size = inside.sum(axis=1)
    return {
        **coverage_json(measured_coverage(hits, sets.coverage, groups)),
        "mean_set_size": float(size.mean()),
        "empty_frac": float((size == 0).mean()),
        "by": "label" if sets.class_conditional else "all labels together",
        "fallback_labels": list(sets.fallback_),
        "n_calibration_sessions": sets.n_groups_,
    }


def _abstention(
    abstention: Abstention, test: Labelled, said: np.ndarray, seed: int
) -> dict[str, Any]:
    """The share without an answer, and the accuracy of the rest."""
    import numpy as np

    from tool_use_om.heads.numeric.metrics import bootstrap_interval
    from tool_use_om.tools.call.outcome import as_json

    known = _labelled(test)
    answered = known[~abstention.abstains[known]]
    right = said[answered] == test.y[answered].astype(np.str_)
    accuracy = None
    if len(answered):
        groups = test.groups[answered]
        accuracy = as_json(bootstrap_interval(right, groups=groups, seed=seed, share=True))
    return {
        "max_set_size": abstention.max_set_size,
        "abstained_frac": abstention.share,
        "n_answered": int((~abstention.abstains).sum()),
        "accuracy_answered": accuracy,
    }


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
