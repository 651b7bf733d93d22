"""The page of described activities says each set's confusion, not the mean alone."""

from __future__ import annotations

from tool_use_om.evals.bench.described import render


def test_described_page_shows_accuracy_and_confusion() -> None:
    """Accuracy over windows and the mean over activities; a set without labels has neither."""
    judged = {
        "metrics": {"accuracy": {"value": 0.75, "lower": 0.5, "upper": 0.9}},
        "fits": 1.0,
        "confusion": [
            {"label": "run", "said": {"run": 1, "walk": 1}},
            {"label": "walk", "said": {"run": 0, "walk": 2}},
        ],
    }
    page = render({"a": judged, "b": {**judged, "metrics": None, "confusion": None}}, "tuom x")
    assert "| a | 2 | 4 | 0.750 [0.500, 0.900] | 0.750 | 1.000 |" in page
    assert "| b | 0 | 0 | – | – | 1.000 |" in page
    assert "| run | 1 | 1 |" in page
