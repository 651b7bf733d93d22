"""Who answers a classification: the head on tokens or, where clearly better, a raw fallback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import SPLITS
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import Stopwatch, cut, parts_of
from tool_use_om.tools.run.classify.cases import with_ends
from tool_use_om.tools.run.classify.labelled import Labelled
from tool_use_om.tools.run.gate import gate_told
from tool_use_om.tools.run.measures import Candidate, Ends, Gate

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.heads.contract.base import ClassifierHead
    from tool_use_om.heads.numeric.metrics import Interval
    from tool_use_om.heads.samples.base import RawClassifier
    from tool_use_om.tokenizers.windows.windows import WindowBatch
    from tool_use_om.tools.encode.plan import Plan
    from tool_use_om.tools.run.classify.study import Study


@dataclass(frozen=True, kw_only=True)
class Answerer:
    """A fitted classifier of labelled windows, whatever it reads.

    Parameters
    ----------
    kind : "tokens" or "raw"
    proba : (n, K) probabilities of windows, in the order of `classes`
    memory_mb : of what was fitted, and of the encoder's weights under tokens
    """

    name: str
    kind: str
    classes: np.ndarray
    proba: Callable[[Labelled], np.ndarray]
    memory_mb: float


def on_tokens(head: ClassifierHead, study: Study) -> Answerer:
    """Return the fitted head as an answerer."""
    from tool_use_om.tokenizers.registry import spec

    arrays = head.to_state().arrays.values()
    return Answerer(
        name=head.name,
        kind="tokens",
        classes=head.classes_,
        proba=lambda data: head.predict_proba(data.tokens),
        memory_mb=sum(x.nbytes for x in arrays) / 1e6 + float(spec(study.plan.tokenizer).size_mb),
    )


def on_samples(raw: RawClassifier, plan: Plan) -> Answerer:
    """Return a fitted fallback as an answerer; it reads the samples of the same windows."""
    return Answerer(
        name=raw.name,
        kind="raw",
        classes=raw.classes_,
        proba=lambda data: raw.predict_proba(raw_windows(plan, data)),
        memory_mb=raw.memory_mb,
    )


def gated(
    seed: int,
    working_set: WorkingSet,
    study: Study,
    head: ClassifierHead,
    clock: Stopwatch,
) -> tuple[Answerer, Gate]:
    """Return who answers, and what the result says of the comparison.

    The head and each fallback are scored on the same folds of the training split (`folds` whole
    groups apart); the best fallback is then fitted on all of it, and both are scored on the test
    windows, for show: the decision is made before.
    """
    from tool_use_om.heads.samples.base import raw_classifier
    from tool_use_om.heads.trust.gate import decide

    own = on_tokens(head, study)
    windows = raw_windows(study.plan, study.train)
    try:
        hits, n_folds = _fold_hits(seed, working_set, study, windows, clock)
        decision = decide(own.name, hits, study.train.groups, seed=seed)
    except DataError as error:
        return own, Gate(escalated=False, answered_by=own.name, why_not=str(error))
    with clock.lap(f"{decision.rival}_fit_s"):
        raw = raw_classifier(decision.rival, seed).fit(
            windows, list(study.train.y), list(study.train.groups)
        )
    rival = on_samples(raw, study.plan)
    chosen = rival if decision.escalated else own
    with clock.lap("gate_test_s"):
        tested = {m.name: _test_accuracy(m, study, seed) for m in (own, rival)}
    rows = [_row(name, score, own, rival, tested) for name, score in decision.scores.items()]
    return chosen, gate_told(decision, rows, "accuracy", n_folds=n_folds)


def raw_windows(plan: Plan, data: Labelled) -> WindowBatch:
    """Cut the windows of `data` again, as samples, in the same order."""
    tokens = data.tokens
    held = set(tokens.session_ids)
    parts = [p for split in SPLITS for p in parts_of(plan.dataset, split) if p.session_id in held]
    batch = cut(plan, with_ends(plan, parts))
    place = {
        (name, round(float(start), 6)): i
        for i, (name, start) in enumerate(zip(batch.session_ids, batch.start_s, strict=True))
    }
    keys = zip(tokens.session_ids, tokens.window_start_s, strict=True)
    return batch.select([place[name, round(float(start), 6)] for name, start in keys])


def _fold_hits(
    seed: int, working_set: WorkingSet, study: Study, windows: WindowBatch, clock: Stopwatch
) -> tuple[dict[str, np.ndarray], int]:
    """Return name → (n,) 1 where the label was found on a held-out fold, NaN where none judged."""
    import numpy as np

    from tool_use_om.heads.numeric.folds import group_folds
    from tool_use_om.heads.samples.base import raw_classifier, raw_names
    from tool_use_om.tools.run.classify.study import fit_head

    train = study.train
    y = train.y.astype(np.str_)
    codes = np.unique(y, return_inverse=True)[1]
    folds = group_folds(codes, train.groups)
    if not folds:
        raise DataError("The training split is too small for held-out folds: nothing is compared.")
    own = str(working_set.head or "")
    hits: dict[str, np.ndarray] = {}
    for kept, held_out in folds:
        part = replace(study, train=train.select(kept))
        with clock.lap("gate_tokens_s"):
            head = fit_head(working_set, part)
            own = head.name
            said = head.predict(train.tokens.select(held_out))
        hits.setdefault(own, np.full(len(y), np.nan))[held_out] = said == y[held_out]
        for name in raw_names("classify"):
            with clock.lap(f"gate_{name}_s"):
                raw = raw_classifier(name, seed)
                raw.fit(windows.select(kept), list(y[kept]), list(train.groups[kept]))
                said = raw.predict(windows.select(held_out))
            hits.setdefault(name, np.full(len(y), np.nan))[held_out] = said == y[held_out]
    return hits, len(folds)


def _row(
    name: str, score: Interval, own: Answerer, rival: Answerer, tested: dict[str, Ends]
) -> Candidate:
    """One candidate: its score on the folds, and for the two finalists on the test windows."""
    model = own if name == own.name else rival
    return Candidate(
        model=name,
        kind="tokens" if name == own.name else "raw",
        folds=Ends.of(score),
        test=tested.get(name),
        memory_mb=model.memory_mb if name in tested else None,
    )


def _test_accuracy(model: Answerer, study: Study, seed: int) -> Ends:
    import numpy as np

    from tool_use_om.heads.numeric.metrics import bootstrap_interval

    known = study.test.known()
    said = model.classes[model.proba(known).argmax(axis=1)]
    right = said == known.y.astype(np.str_)
    return Ends.of(bootstrap_interval(right, groups=known.groups, seed=seed, share=True))
