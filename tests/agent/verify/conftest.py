"""Results of calls as the tests of the check refer to them."""

from __future__ import annotations

from typing import Any

import pytest

from tool_use_om.agent.verify.facts import Sources

STATS: dict[str, Any] = {
    "statistic": "variance", "by": "channel", "n_sessions": 20, "labels": ["running"], "n_rows": 3,
    "rows": [
        {"channel": "accelerometer.x", "value": 117.708, "unit": "(a.u.)^2", "n": 2000},
        {"channel": "gyroscope.z", "value": 27.126, "unit": "(a.u.)^2", "n": 2000},
        {"channel": "gyroscope.y", "value": 2.95412, "unit": "(a.u.)^2", "n": 2000},
    ],
    "highest": {"channel": "accelerometer.x", "value": 117.708, "unit": "(a.u.)^2"},
    "lowest": {"channel": "gyroscope.y", "value": 2.95412, "unit": "(a.u.)^2"},
    "ratio": 39.845,
}  # fmt: skip
FOUND: dict[str, Any] = {
    "task": "classify", "target_label": "walking", "n_segments": 2, "n_sessions_found": 2,
    "judged_on": {"split": "test", "n_sessions": 40},
    "segments": [
        {"session_id": "bm-test-020", "start_s": 0.0, "end_s": 10.0, "confidence": 0.98765},
        {"session_id": "bm-test-021", "start_s": 2.0, "end_s": 10.0, "confidence": 0.5},
    ],
    "metrics": {"accuracy": {"value": 0.9473, "lower": 0.871, "upper": 0.99, "n": 160},
                "mae": {"value": 0.42, "unit": "m/s^2", "baseline": 0.61}},
    "chance": {"accuracy": 0.25}, "coverage": {"nominal": 0.9, "empirical": 0.925},
    "beats_baseline": False, "notes": ["accuracy 99 %"], "why": "windows of 2.56 s",
    "drift": {"between": ["calibration", "test"], "n_sessions": [16, 40], "drifted": False},
    "trend": [{"channel": "gyroscope.y", "value": -0.03, "unit": "a.u./s"}],
    "unusual": [], "duration_s": {"min": 4.0, "max": 90.0}, "timing": {"fit_s": 7.0},
}  # fmt: skip
CARDS = [{"name": "towers", "channels": [], "labels": {"activity": ["running", "walking"]}}]
RESULTS: list[dict[str, Any]] = [
    {"result_id": None, "tool": "run_task", "args": {}, "content": {"error": "99 is too much"}},
    {"result_id": "r-a", "tool": "show_channel_stats", "args": {"statistic": "variance"},
     "content": STATS},
    {"result_id": "r-b", "tool": "run_task",
     "args": {"target_label": "walking", "coverage": 0.9, "descriptions": [{"name": "99 percent"}]},
     "content": FOUND},
]  # fmt: skip


@pytest.fixture
def sources() -> Sources:
    """Return the results a reference of the tests resolves into: r1 and r2."""
    return Sources.of(RESULTS, CARDS)
