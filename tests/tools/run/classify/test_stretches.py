from __future__ import annotations

import numpy as np
import pandas as pd

from tool_use_om.tokenizers.tokens import Tokens
from tool_use_om.tools.run.classify.stretches import Predicted, found_stretches, with_truth


def windows(starts: list[tuple[str, float]]) -> Tokens:
    """Windows of 4 s with two patches of one channel."""
    n = len(starts)
    start = np.array([s for _, s in starts])
    return Tokens(
        values=np.zeros((n, 1, 2, 1), np.float32),
        mask=np.ones((n, 1, 2), bool),
        start_s=start[:, None] + [0.0, 2.0],
        patch_s=2.0,
        channels=("a.x",),
        session_ids=tuple(s for s, _ in starts),
        window_start_s=start,
        window_s=4.0,
        context=np.zeros((n, 1, 0), np.float32),
        context_names=(),
    )


def said(labels: str, walk: list[float], sets: list[set[str]] | None = None) -> Predicted:
    names = {"w": "walk", "r": "run"}
    return Predicted(
        classes=("run", "walk"),
        label=np.array([names[c] for c in labels]),
        proba=np.stack([1 - np.array(walk), walk], axis=1),
        sets=sets,
    )


def test_consecutive_windows_merge_and_gaps_split() -> None:
    """Windows that touch or overlap make one stretch; another label or session ends it."""
    tokens = windows([("a", 0.0), ("a", 2.0), ("a", 4.0), ("a", 6.0), ("b", 0.0)])
    rows = found_stretches(tokens, said("wwrww", [0.9, 0.7, 0.2, 0.6, 0.95]), ["walk"])
    spans = [(r.session_id, r.start_s, r.end_s) for r in rows]
    assert spans == [("b", 0.0, 4.0), ("a", 0.0, 6.0), ("a", 6.0, 10.0)]
    assert rows[1].confidence == 0.8


def test_order_of_windows_does_not_matter() -> None:
    """Shuffled windows give the same stretches."""
    starts = [("a", 0.0), ("a", 2.0), ("b", 4.0), ("b", 8.0)]
    proba = [0.9, 0.8, 0.7, 0.6]
    straight = found_stretches(windows(starts), said("wwww", proba), ["walk"])
    order = [2, 0, 3, 1]
    shuffled = found_stretches(
        windows([starts[i] for i in order]), said("wwww", [proba[i] for i in order]), ["walk"]
    )
    assert straight == shuffled


def test_a_stretch_is_in_the_set_only_if_each_window_is() -> None:
    """One window whose set leaves the label out takes the stretch with it."""
    tokens = windows([("a", 0.0), ("a", 2.0), ("b", 0.0)])
    sets = [{"walk"}, {"run"}, {"walk", "run"}]
    rows = found_stretches(tokens, said("www", [0.9, 0.9, 0.9], sets), ["walk"])
    assert {r.session_id: r.in_prediction_set for r in rows} == {"a": False, "b": True}


def test_with_truth_measures_the_share_the_labels_confirm() -> None:
    """Half a stretch labelled otherwise confirms half; a session without labels tells nothing."""
    labels = pd.DataFrame(
        {
            "session_id": ["a", "a"],
            "start_s": [0.0, 2.0],
            "end_s": [2.0, 9.0],
            "label": ["walk", "run"],
        }
    )
    rows = found_stretches(windows([("a", 0.0), ("b", 0.0)]), said("ww", [0.9, 0.8]), ["walk"])
    assert [r.confirmed_frac for r in with_truth(rows, labels)] == [0.5, None]
