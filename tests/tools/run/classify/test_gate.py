"""The gate inside run_task: both are shown, the test split has no say, nothing is silent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tool_use_om.tokenizers.tokens import Tokens
from tool_use_om.tokenizers.windows.windows import WindowBatch
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.encode.plan import Stopwatch
from tool_use_om.tools.run.classify import gate as gate_classify
from tool_use_om.tools.run.classify.gate import gated
from tool_use_om.tools.run.classify.labelled import Labelled
from tool_use_om.tools.run.classify.study import Study, fit_head
from tool_use_om.tools.run.gate import gate_notes
from tool_use_om.tools.run.measures import Gate

pytest.importorskip("aeon")
LENGTH = 24


class Fixture:
    """Sessions of one window; the samples tell the labels, the tokens may or may not."""

    def __init__(self, *, tokens_know: bool) -> None:
        self.samples: dict[str, np.ndarray] = {}
        self.tokens_know = tokens_know
        plan: Any = SimpleNamespace(tokenizer="moment-tiny")
        self.study = Study(
            plan=plan,
            label_set="activity",
            train=self.part("t", 24, 0),
            calibration=None,
            test=self.part("e", 12, 1),
            unlabelled=self.part("t", 24, 0).unknown(),
        )

    def part(self, name: str, n: int, seed: int) -> Labelled:
        rng = np.random.default_rng(seed)
        y = np.array(["slow", "fast"] * (n // 2), dtype=object)
        sessions = tuple(f"{name}{i:02d}" for i in range(n))
        values = rng.normal(size=(n, 1, 3, 4))
        if self.tokens_know:
            values[y == "fast"] += 4.0
        for session, label in zip(sessions, y, strict=True):
            turn = 2 * np.pi * np.arange(LENGTH) / (4.0 if label == "fast" else 12.0)
            wave = np.sin(turn + rng.uniform(0, 6.28)) + rng.normal(0, 0.1, LENGTH)
            self.samples[session] = wave.astype(np.float32)
        tokens = Tokens(
            values=values.astype(np.float32),
            mask=np.ones((n, 1, 3), dtype=bool),
            start_s=np.zeros((n, 3)),
            patch_s=0.8,
            channels=("a.x",),
            session_ids=sessions,
            window_start_s=np.zeros(n),
            window_s=2.4,
            context=np.zeros((n, 1, 0), dtype=np.float32),
            context_names=(),
        )
        return Labelled(tokens=tokens, y=y, groups=np.array(sessions, dtype=np.str_))

    def windows(self, _plan: object, data: Labelled) -> WindowBatch:
        values = np.stack([self.samples[s] for s in data.tokens.session_ids])[:, None]
        return WindowBatch(
            values=values,
            mask=np.ones(values.shape, dtype=bool),
            rate_hz=10.0,
            start_s=np.zeros(len(values)),
            session_ids=data.tokens.session_ids,
            channels=("a.x",),
            units=("g",),
        )


def _gate(monkeypatch: pytest.MonkeyPatch, *, tokens_know: bool) -> tuple[str, Gate]:
    made = Fixture(tokens_know=tokens_know)
    monkeypatch.setattr(gate_classify, "raw_windows", made.windows)
    head = fit_head(WorkingSet(), made.study)
    answerer, gate = gated(0, WorkingSet(), made.study, head, Stopwatch())
    assert answerer.name == gate.answered_by
    return answerer.name, gate


def test_gate_escalates_when_the_tokens_do_not_hold_the_label(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tokens of noise against samples that tell: a fallback answers, both are shown with cost."""
    name, gate = _gate(monkeypatch, tokens_know=False)
    assert name in {"minirocket", "hydra"}
    assert gate.escalated
    told = gate.to_json()
    assert told["difference"]["clear"]
    shown = {row["kind"]: row for row in told["rows"] if "test" in row}
    assert shown["raw"]["test"]["value"] > shown["tokens"]["test"]["value"]
    assert all(row["memory_mb"] > 0 for row in shown.values())
    assert gate_notes(gate) == [gate.why]


def test_gate_keeps_the_head_when_the_tokens_are_good_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the head is right everywhere, nothing can be clearly better."""
    name, gate = _gate(monkeypatch, tokens_know=True)
    assert name == "prototypes"
    assert not gate.escalated
    assert {row.model for row in gate.rows or ()} == {"prototypes", "minirocket", "hydra"}


def test_gate_says_why_it_cannot_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training split without folds leaves the head to answer, and says so."""
    made = Fixture(tokens_know=True)
    monkeypatch.setattr(gate_classify, "raw_windows", made.windows)
    study = Study(
        plan=made.study.plan,
        label_set="activity",
        train=made.study.train.select(np.array([0, 1])),
        calibration=None,
        test=made.study.test,
        unlabelled=made.study.unlabelled,
    )
    head = fit_head(WorkingSet(), study)
    answerer, gate = gated(0, WorkingSet(), study, head, Stopwatch())
    assert answerer.name == "prototypes"
    assert not gate.escalated
    assert gate_notes(gate) == [gate.why_not]
