"""Anomalies are searched for, also where a label is called so."""

from __future__ import annotations

from typing import Any

import pytest

from tool_use_om.agent.offline.language.parse import parse


def card(**labels: list[str]) -> dict[str, Any]:
    return {
        "name": "plant",
        "channels": [{"id": "pump.value", "unit": "bar"}],
        "labels": labels,
        "session_ids": ["a1"],
        "duration_s": {"min": 100, "max": 200},
    }


@pytest.mark.parametrize(
    "question",
    [
        "Find anomalies",
        "Find the anomalies in the data",
        "Detect anomalies",
        "Where are the anomalies?",
        "Anything unusual?",
    ],
)
@pytest.mark.parametrize("labels", [["anomaly"], ["normal", "anomaly"], ["Anomaly"], ["outlier"]])
def test_find_anomalies_searches_them_and_forgets_where_they_are(
    question: str, labels: list[str]
) -> None:
    """No classification is planned, and the labels narrow nothing."""
    (ask,) = parse(question, [card(state=labels)]).asks
    assert (ask.kind, ask.labels) == ("anomaly", ())


def test_a_label_that_could_mean_an_activity_is_found_as_one() -> None:
    """A fault beside other states is a state; where there is none beside it, it is what is odd."""
    (ask,) = parse("Find faults", [card(state=["idle", "fault"])]).asks
    assert (ask.kind, ask.labels) == ("find", ("fault",))
    (ask,) = parse("Find faults", [card(state=["fault"])]).asks
    assert (ask.kind, ask.labels) == ("anomaly", ())
    (ask,) = parse("Find everything except anomaly", [card(state=["normal", "anomaly"])]).asks
    assert ask.kind == "find"
