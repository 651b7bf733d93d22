"""Who classifies in the suites: our heads, the agent's gated choice, and the peers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median_low
from typing import TYPE_CHECKING, Any

import numpy as np

from tool_use_om.evals.suites.classify.peers import CLASSIFIERS, peer
from tool_use_om.evals.suites.classify.windows import LabelledWindows, Part
from tool_use_om.heads.registry import choose_head, head_specs, make_head
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import Stopwatch
from tool_use_om.tools.run.classify.labelled import Labelled

if TYPE_CHECKING:
    from tool_use_om.heads.contract.base import ClassifierHead
    from tool_use_om.tools.run.classify.study import Study

Array = np.ndarray
AGENT = "agent"


def methods(mark: str) -> list[str]:
    """Return "<kind>/<name>" of all; what reads tokens ends in `mark`, the weights' hash."""
    heads = [f"head/{s.name}@{mark}" for s in head_specs("classify")]
    return [f"agent/{AGENT}@{mark}", *heads, *(f"peer/{name}" for name in CLASSIFIERS)]


def classified(kind: str, name: str, data: LabelledWindows, seed: int) -> tuple[Array, Any]:
    """Return the (n,) labels said of the judged windows, and what else a row keeps.

    Raises
    ------
    DataError : what the head or peer cannot fit
    """
    started = time.process_time()
    gate = None
    if kind == "agent":
        said, gate = agents_choice(data, seed)
    elif kind == "head":
        said = by_head(name, data.fit, data.test)
    else:
        said = peer(name)(data.fit.raw, data.fit.y, data.test.raw, seed)
    return said, {"seconds": time.process_time() - started, "gate": gate}


def by_head(name: str, fit: Part, test: Part) -> Array:
    """Return what a head fitted on tokens says; the commonest label where no patch is whole."""
    head = _fitted(name, fit)
    said = _commonest(fit.y, len(test))
    rows = test.encoded
    said[rows] = head.predict(test.tokens.select(rows)).astype(said.dtype)
    return said


def agents_choice(data: LabelledWindows, seed: int) -> tuple[Array, dict[str, Any]]:
    """Return what the agent would answer: the head by rule, or a raw fallback through the gate."""
    from tool_use_om.tools.run.classify.gate import gated

    name = head_by_rule(data.fit)
    head = _fitted(name, data.fit)
    clock = Stopwatch()
    given = WorkingSet().but(dataset=data.dataset.name, task="classify", head=name)
    chosen, gate = gated(seed, given, _study(data), head, clock)
    said = _commonest(data.fit.y, len(data.test))
    rows = np.arange(len(data.test)) if chosen.kind == "raw" else data.test.encoded
    proba = chosen.proba(_labelled(data.test.select(rows)))
    said[rows] = chosen.classes[proba.argmax(axis=1)].astype(said.dtype)
    return said, {"head": name, **gate, "cost_s": dict(clock.seconds)}


def head_by_rule(fit: Part) -> str:
    """Return the head that the tools choose for so many labelled sessions a class."""
    counts = [len(np.unique(fit.sessions[fit.y == label])) for label in np.unique(fit.y)]
    return choose_head("classify", median_low(counts)).name


def _fitted(name: str, fit: Part) -> ClassifierHead:
    from tool_use_om.heads.contract.base import ClassifierHead

    head = make_head(name)
    if not isinstance(head, ClassifierHead):
        raise TypeError(f"{name} is no classifying head")
    own = fit.select(fit.encoded)
    return head.fit(own.tokens, list(own.y), groups=list(own.groups))


def _study(data: LabelledWindows) -> Study:
    from tool_use_om.tools.run.classify.study import Study

    fit, test = (p.select(p.encoded) for p in (data.fit, data.test))
    return Study(
        plan=data.plan,
        label_set=data.label_set,
        train=_labelled(fit),
        calibration=None,
        test=_labelled(test),
    )


def _labelled(part: Part) -> Labelled:
    return Labelled(tokens=part.tokens, y=part.y.astype(object), groups=part.groups)


def _commonest(y: Array, n: int) -> Array:
    names, counts = np.unique(y, return_counts=True)
    return np.full(n, names[counts.argmax()], dtype=_width(names))


def _width(names: Sequence[str] | Array) -> np.dtype[Any]:
    return np.asarray(names, dtype=np.str_).dtype
