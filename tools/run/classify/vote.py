"""Who answers a classification: the head on tokens and a model of samples, in a calibrated vote.

Both are fitted on the training sessions, and on the calibration sessions too: what they are worth,
and what is certain, is measured on folds of these that keep people (sessions, where nobody says who
is who) together. The test split has no say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from tool_use_om.data.errors import DataError
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import Stopwatch, cut, whole
from tool_use_om.tools.run import measures
from tool_use_om.tools.run.classify.cases import Units
from tool_use_om.tools.run.classify.gate import Answerer, on_tokens, raw_windows
from tool_use_om.tools.run.classify.labelled import Labelled
from tool_use_om.tools.run.classify.study import Study, fit_head
from tool_use_om.tools.run.measures import Candidate, Ends

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.heads.contract.base import ClassifierHead
    from tool_use_om.heads.numeric.folds import Fold
    from tool_use_om.heads.samples.base import RawClassifier
    from tool_use_om.heads.trust.vote import Vote
    from tool_use_om.tokenizers.windows.windows import WindowBatch
    from tool_use_om.tools.encode.plan import Plan

PEER = "minirocket"
VOTE = "vote"
BUDGET_S = 120.0  # processor seconds that the model of samples may cost, estimated from counts
_SECONDS_A_VALUE = 5e-6  # of samples turned to random features
_SECONDS_A_CUBE = 4e-9  # of the ridges of all folds, over training rows cubed
_MOST_ROWS = 2000  # it learns from at most so many, evenly spaced
_MOST_SAMPLES = 10_000  # a longer session is read in windows
FEWEST_GROUPS = 3
BLOCKS = 10  # of time, that stand for groups where there are fewer
MOST_FOLDED = 12_000  # windows up to which heads are fitted on folds, too


@dataclass(frozen=True, kw_only=True)
class Voted:
    """What answers, what it was worth on folds, and what a result says of it.

    Parameters
    ----------
    answerer : gives the (n_units, K) probabilities of labelled windows
    fitted : the windows that were learned from, one row a judged unit
    held_out : (n_units, K) what was said of these by folds that had not seen them; NaN where none
    content : what the result says
    note : why a member is missing, in words; "" where none is
    members : who votes, each fitted; the answerer itself where nobody else does
    """

    answerer: Answerer
    fitted: Labelled
    held_out: np.ndarray
    content: measures.Vote | None
    note: str
    members: tuple[Answerer, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Member:
    """One who votes: by folds over units, and fitted on all."""

    name: str
    kind: str
    folded: Callable[[Sequence[Fold]], np.ndarray]
    fitted: Answerer


def fitting(study: Study, labels_per_class: int | None) -> Study:
    """Return the study with the calibration sessions learned from as well, where all labels count.

    Folds then calibrate. With a number of labels asked for, the calibration sessions stay apart.
    """
    held = study.calibration
    if labels_per_class is not None or held is None or not len(held):
        return study
    both = joined(study.train, held)
    if len(set(both.groups)) < FEWEST_GROUPS:  # folds of one recording would not be independent
        return study
    return replace(study, train=both)


def joined(first: Labelled, second: Labelled) -> Labelled:
    """Return the windows of both."""
    import numpy as np

    from tool_use_om.tokenizers.tokens import concatenate

    return Labelled(
        tokens=concatenate([first.tokens, second.tokens]),
        y=np.concatenate([first.y, second.y]),
        groups=np.concatenate([first.groups, second.groups]),
    )


def voted(
    seed: int, working_set: WorkingSet, study: Study, head: ClassifierHead, clock: Stopwatch
) -> Voted:
    """Return the vote of the fitted head and, within the budget, a model of samples.

    Parameters
    ----------
    study : what is learned from is its training part
    head : the head on tokens, fitted on that
    """
    import numpy as np

    units = Units.of(study.train, by_session=study.by_session)
    fitted = study.train.select(units.first)
    y = fitted.y.astype(np.str_)
    own = by_unit(on_tokens(head, study), study)
    never = np.full((len(units), len(head.classes_)), np.nan)
    folds = _folds(fitted, len(study.train))
    if not folds:
        note = "The training sessions are too few, or too many, for folds: no vote was weighed."
        return Voted(answerer=own, fitted=fitted, held_out=never, content=None, note=note)
    peer, note = _peer(seed, study, units, clock)
    members = [_token_member(working_set, study, units, own, clock), *([peer] if peer else [])]
    said = {m.name: m.folded(folds) for m in members}
    answerer, vote = _answerer(members, said, head.classes_, y)
    held_out = vote.proba(said)
    content = _content(seed, study, answerer, members, vote, said | {VOTE: held_out}, fitted)
    return Voted(
        answerer=answerer,
        fitted=fitted,
        held_out=held_out,
        content=content,
        note=note,
        members=tuple(m.fitted for m in members),
    )


def _folds(fitted: Labelled, n_rows: int) -> list[Fold]:
    """Return folds over units: more where there are few, none where that would cost too much.

    People, or sessions, stay together; where there are fewer than three, blocks of time do.
    """
    import numpy as np

    from tool_use_om.heads.numeric.folds import group_folds

    if n_rows > MOST_FOLDED:
        return []
    n, groups = len(fitted), fitted.groups
    if len(set(groups)) < FEWEST_GROUPS:
        block = np.arange(n) * BLOCKS // max(n, 1)
        groups = np.char.add(np.char.add(groups, "/"), block.astype(np.str_))
    n_folds = 10 if n <= 120 else 5 if n <= 1000 else 3
    return group_folds(np.unique(fitted.y.astype(np.str_), return_inverse=True)[1], groups, n_folds)


def by_unit(answerer: Answerer, study: Study) -> Answerer:
    """Return the answerer whose windows' votes are combined to those of the judged units."""
    said = answerer.proba

    def proba(data: Labelled) -> np.ndarray:
        return Units.of(data, by_session=study.by_session).mean(said(data))

    return replace(answerer, proba=_once(proba))


def _once(said: Callable[[Labelled], np.ndarray]) -> Callable[[Labelled], np.ndarray]:
    """Return the same function, which answers a question that comes twice from memory."""
    last: list[tuple[Labelled, np.ndarray]] = []

    def proba(data: Labelled) -> np.ndarray:
        if not last or last[0][0] is not data:
            last[:] = [(data, said(data))]
        return last[0][1]

    return proba


def _token_member(
    working_set: WorkingSet, study: Study, units: Units, own: Answerer, clock: Stopwatch
) -> _Member:
    def folded(folds: Sequence[Fold]) -> np.ndarray:
        import numpy as np

        found = np.full((len(units), len(own.classes)), np.nan)
        for train, held_out in folds:
            rows, asked = units.rows(train), study.train.select(units.rows(held_out))
            with clock.lap("folds_tokens_s"):
                part = replace(study, train=study.train.select(rows))
                head = fit_head(working_set, part)
                said = head.predict_proba(asked.tokens)
            own_units = Units.of(asked, by_session=study.by_session)
            found[held_out] = 0.0
            columns = np.searchsorted(own.classes, head.classes_)
            found[np.ix_(held_out, columns)] = own_units.mean(said)
        return found

    return _Member(name=own.name, kind="tokens", folded=folded, fitted=own)


def _peer(seed: int, study: Study, units: Units, clock: Stopwatch) -> tuple[_Member | None, str]:
    """Return the model of samples that votes, or why none does."""
    import numpy as np

    if find_spec("aeon") is None:
        return None, f"No vote with {PEER}: aeon is not installed (pip install 'tool-use-om[raw]')."
    reader = _Reader(plan=study.plan, by_session=study.by_session)
    thin = np.arange(len(units))[:: -(-len(units) // _MOST_ROWS)]
    cost = reader.seconds(study, units, len(thin))
    if cost > BUDGET_S:
        return None, (
            f"No vote with {PEER}: it would cost about {cost:.0f} processor seconds, over the "
            f"budget of {BUDGET_S:.0f}."
        )
    try:
        with clock.lap(f"{PEER}_fit_s"):
            return _raw_member(seed, study, units, thin, reader, clock), ""
    except DataError as error:
        return None, f"No vote with {PEER}: {error}"


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """How a model of samples reads labelled windows: a session whole where it is a case."""

    plan: Plan
    by_session: bool

    def windows(self, data: Labelled) -> tuple[WindowBatch, Units]:
        """Return the samples, and which judged unit each row belongs to."""
        import numpy as np

        units = Units.of(data, by_session=self.by_session)
        if not self.whole_sessions:
            return raw_windows(self.plan, data), units
        names = [data.tokens.session_ids[i] for i in units.first]
        longest = float(self.plan.dataset.sessions()["duration_s"].max())
        plan = self.plan.with_window(longest, longest)
        single = Units(place=np.arange(len(names)), first=np.arange(len(names)))
        return cut(plan, whole(plan.dataset, names)), single

    @property
    def whole_sessions(self) -> bool:
        """Whether each session is read in one piece."""
        longest = float(self.plan.dataset.sessions()["duration_s"].max())
        return self.by_session and longest * self.plan.rate_hz <= _MOST_SAMPLES

    def seconds(self, study: Study, units: Units, n_kept: int) -> float:
        """Return about how many processor seconds fitting and asking will take."""
        window = study.plan.config.window_s
        if self.whole_sessions:
            window = float(self.plan.dataset.sessions()["duration_s"].max())
        asked = len(Units.of(study.test, by_session=study.by_session))
        a_unit = 1.0 if self.whole_sessions else len(study.train) / max(len(units), 1)
        rows = (2 * n_kept + asked) * a_unit  # learned from on folds and on all
        values = rows * window * self.plan.rate_hz * len(self.plan.channels)
        return values * _SECONDS_A_VALUE + (n_kept * a_unit) ** 3 * _SECONDS_A_CUBE


def _raw_member(  # noqa: PLR0917  # what is learned from, and how it is read
    seed: int, study: Study, units: Units, kept: np.ndarray, reader: _Reader, clock: Stopwatch
) -> _Member:
    import numpy as np

    from tool_use_om.heads.samples.base import raw_classifier

    data = study.train.select(units.rows(kept))
    windows, own = reader.windows(data)
    first = Units.of(data, by_session=study.by_session).first
    y, groups = data.y[first][own.place].astype(np.str_), data.groups[first][own.place]
    missing = sorted(set(study.train.y.astype(np.str_)) - set(y))
    if missing:
        raise DataError(f"the sessions it would learn from lack {', '.join(missing)}.")
    raw = raw_classifier(PEER, seed).fit(windows, list(y), list(groups))

    def folded(folds: Sequence[Fold]) -> np.ndarray:
        place = np.full(len(units), -1)
        place[kept] = np.arange(len(kept))
        rows = [tuple(own.rows(place[p][place[p] >= 0]) for p in fold) for fold in folds]
        usable = [(a, b) for a, b in rows if len(a) and len(b) and len(set(y[a])) > 1]
        with clock.lap(f"folds_{PEER}_s"):
            judge = raw_classifier(PEER, seed)
            said = judge.fold_proba(windows, list(y), list(groups), usable)
        found = np.full((len(units), said.shape[1]), np.nan)
        found[kept] = own.mean(said)
        return found

    return _Member(name=PEER, kind="raw", folded=folded, fitted=_on_samples(raw, reader))


def _on_samples(raw: RawClassifier, reader: _Reader) -> Answerer:
    def proba(data: Labelled) -> np.ndarray:
        windows, units = reader.windows(data)
        return units.mean(raw.predict_proba(windows))

    return Answerer(
        name=raw.name, kind="raw", classes=raw.classes_, proba=_once(proba), memory_mb=raw.memory_mb
    )


def _answerer(
    members: Sequence[_Member], said: dict[str, np.ndarray], classes: np.ndarray, y: np.ndarray
) -> tuple[Answerer, Vote]:
    import numpy as np

    from tool_use_om.heads.trust.vote import weigh

    vote = weigh(said, np.searchsorted(classes, y))
    fitted = [m.fitted for m in members]

    def proba(data: Labelled) -> np.ndarray:
        return vote.proba({a.name: a.proba(data) for a in fitted})

    answerer = Answerer(
        name=VOTE if len(fitted) > 1 else fitted[0].name,
        kind="vote" if len(fitted) > 1 else "tokens",
        classes=classes,
        proba=_once(proba),
        memory_mb=sum(a.memory_mb for a in fitted),
    )
    return answerer, vote


def _content(  # noqa: PLR0917  # what was measured, and of whom
    seed: int,
    study: Study,
    answerer: Answerer,
    members: Sequence[_Member],
    vote: Vote,
    said: dict[str, np.ndarray],
    fitted: Labelled,
) -> measures.Vote | None:
    """Return each member's own figures on the folds, and on the test split for show."""
    import numpy as np

    from tool_use_om.heads.numeric.metrics import bootstrap_interval

    if len(members) < 2:
        return None
    units = Units.of(study.test, by_session=study.by_session)
    test = study.test.select(units.first)
    known = np.flatnonzero([label is not None for label in test.y])
    answerers = [*(m.fitted for m in members), answerer]
    rows = []
    for each in answerers:
        judged = np.flatnonzero(np.isfinite(said[each.name]).all(axis=1))
        right = each.classes[said[each.name][judged].argmax(axis=1)] == fitted.y[judged]
        found = each.classes[each.proba(study.test).argmax(axis=1)][known] == test.y[known]
        rows.append(
            Candidate(
                model=each.name,
                kind=each.kind,
                weight=vote.weights.get(each.name),
                folds=Ends.of(
                    bootstrap_interval(right, groups=fitted.groups[judged], seed=seed, share=True)
                ),
                test=Ends.of(
                    bootstrap_interval(found, groups=test.groups[known], seed=seed, share=True)
                ),
                memory_mb=each.memory_mb,
            )
        )
    told = ", ".join(f"{name} {weight:.2f}" for name, weight in vote.weights.items())
    return measures.Vote(
        answered_by=answerer.name,
        metric="accuracy",
        unit=study.unit,
        n_folded=vote.n_cases,
        budget_s=BUDGET_S,
        rows=rows,
        why=f"Their weights, set on {vote.n_cases} held-out training {study.unit}: {told}.",
    )
