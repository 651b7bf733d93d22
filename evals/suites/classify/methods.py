"""Who classifies in the suites: our heads, the agent's own answer, and the peers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.suites.classify.peers import CLASSIFIERS, peer
from tool_use_om.evals.suites.classify.windows import LabelledWindows, Part
from tool_use_om.heads.registry import head_specs, make_head
from tool_use_om.tokenizers.tokens import Tokens
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import Stopwatch
from tool_use_om.tools.look.selection import main_label_set
from tool_use_om.tools.registry import run_tool
from tool_use_om.tools.run.classify.cases import Units
from tool_use_om.tools.run.classify.study import fit_head, prepare
from tool_use_om.tools.run.classify.vote import fitting, voted

if TYPE_CHECKING:
    from tool_use_om.heads.contract.base import ClassifierHead
    from tool_use_om.tokenizers.windows.windows import WindowBatch

Array = np.ndarray
AGENT = "agent"


def methods() -> list[tuple[str, str]]:
    """Return (kind, name) of all."""
    heads = [("head", s.name) for s in head_specs("classify")]
    return [("agent", AGENT), *heads, *(("peer", name) for name in CLASSIFIERS)]


def classified(  # the method, what it is judged on, and where the tools look for it
    kind: str, name: str, data: LabelledWindows, seed: int, workspace: Workspace
) -> tuple[Array, Any]:
    """Return the (n,) labels said of the judged windows, and what else a row keeps.

    Raises
    ------
    DataError : what the head or peer cannot fit
    """
    started = time.process_time()
    vote = None
    if kind == "agent":
        said, vote = agents_choice(data, seed, workspace)
    elif kind == "head":
        said = by_head(name, data.fit, data.test)
    else:
        said = peer(name)(data.fit.raw, data.fit.y, data.test.raw, seed)
    return said, {"seconds": time.process_time() - started, "vote": vote}


def by_head(name: str, fit: Part, test: Part) -> Array:
    """Return what a head fitted on tokens says; the commonest label where no patch is whole."""
    head = _fitted(name, fit)
    said = _commonest(fit.y, len(test))
    rows = test.encoded
    said[rows] = head.predict(test.tokens.select(rows)).astype(said.dtype)
    return said


def agents_choice(
    data: LabelledWindows, seed: int, workspace: Workspace
) -> tuple[Array, dict[str, Any]]:
    """Return what a plain question gets: the tools' own head, windows and vote, no option set.

    Where the tools judge whole sessions, a window is told its session's label; where they cut more
    windows than the suite, which judges cases, a case is told what its windows say together.
    """
    ctx, clock = ToolContext(workspace=workspace, seed=seed), Stopwatch()
    given = WorkingSet().but(dataset=data.dataset.name, tokenizer=data.plan.tokenizer)
    given = run_tool("select_task_head", {"task": "classify"}, ctx, given).working_set
    study = prepare(ctx, given, clock, target=_a_label(data))
    learnt = fitting(study, None)
    found = voted(seed, given, learnt, fit_head(given, learnt), clock)
    units = Units.of(study.test, by_session=study.by_session)
    judged, proba = study.test.select(units.first), found.answerer.proba(study.test)
    by_session = study.by_session or data.by_case
    if by_session and not study.by_session:
        whole = Units.of(judged, by_session=True)
        judged, proba = judged.select(whole.first), whole.mean(proba)
    told = dict(zip(_keys(judged.tokens, by_session=by_session),
                    found.answerer.classes[proba.argmax(axis=1)], strict=True))  # fmt: skip
    said = _commonest(data.fit.y, len(data.test)).astype(object)
    for row, key in enumerate(_keys(data.test.windows, by_session=by_session)):
        said[row] = told.get(key, said[row])
    vote = {"answered_by": found.answerer.name, "head": given.head, "note": found.note}
    told_of = found.content.to_json() if found.content else {}
    return said.astype(np.str_), {**vote, **told_of, "cost_s": dict(clock.seconds)}


def _a_label(data: LabelledWindows) -> str | None:
    """Return a label that a question names to mean the suite's label set; None if it is usual."""
    dataset = data.dataset
    if main_label_set(dataset) == data.label_set:
        return None
    names = dataset.manifest.label_sets[data.label_set]
    return next((n for n in names if main_label_set(dataset, n) == data.label_set), None)


def _keys(windows: Tokens | WindowBatch, *, by_session: bool) -> list[tuple[str, float]]:
    """Return what tells windows apart: where they start, or for whole sessions the session."""
    starts = windows.window_start_s if isinstance(windows, Tokens) else windows.start_s
    at = [0.0 if by_session else round(float(start), 6) for start in starts]
    return list(zip(windows.session_ids, at, strict=True))


def _fitted(name: str, fit: Part) -> ClassifierHead:
    from tool_use_om.heads.contract.base import ClassifierHead

    head = make_head(name)
    if not isinstance(head, ClassifierHead):
        raise TypeError(f"{name} is no classifying head")
    own = fit.select(fit.encoded)
    return head.fit(own.tokens, list(own.y), groups=list(own.groups))


def _commonest(y: Array, n: int) -> Array:
    names, counts = np.unique(y, return_counts=True)
    return np.full(n, names[counts.argmax()], dtype=_width(names))


def _width(names: Sequence[str] | Array) -> np.dtype[Any]:
    return np.asarray(names, dtype=np.str_).dtype
