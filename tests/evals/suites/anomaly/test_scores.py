"""Anomaly scores by hand: windows to samples, events, alarms, the area; nothing to be gained."""

from __future__ import annotations

import numpy as np
import pytest

from tool_use_om.evals.suites.anomaly.peers import DETECTORS
from tool_use_om.evals.suites.anomaly.scores import event_hits, events, point_scores, vus_pr


def test_point_scores_are_the_mean_of_the_windows_over_a_sample() -> None:
    """By hand: windows of 4 at 0 and 2 scoring 1 and 3; sample 6 is in none and gets the least."""
    found = point_scores(np.array([1.0, 3.0]), np.array([0, 2]), width=4, n=7)
    assert found == pytest.approx([1, 1, 2, 2, 3, 3, 1])


def test_point_scores_agree_with_a_plain_loop() -> None:
    """Random windows against the definition."""
    rng = np.random.default_rng(0)
    starts, scores = np.sort(rng.integers(0, 90, 40)), rng.random(40)
    found = point_scores(scores, starts, width=9, n=100)
    for i in range(100):
        over = [s for s, at in zip(scores, starts, strict=True) if at <= i < at + 9]
        assert found[i] == pytest.approx(np.mean(over) if over else scores.min())


def test_events_are_the_labelled_stretches() -> None:
    """Stretches at both ends and of one sample are found."""
    assert events(np.array([1, 1, 0, 1, 0, 0, 1], bool)) == [(0, 2), (3, 4), (6, 7)]


def test_event_hits_grant_as_many_alarms_as_there_are_events() -> None:
    """By hand: two events, so two alarms; a second alarm in one event hits nothing more."""
    labels = np.zeros(100, bool)
    labels[20:40] = labels[70:75] = True
    scores = np.zeros(100)
    scores[[25, 36]] = 9.0, 8.0  # both in the first event, a window apart
    scores[72] = 5.0
    assert event_hits(labels, scores, width=10) == (1, 2)
    scores[36] = 1.0
    assert event_hits(labels, scores, width=10) == (2, 2)


def test_event_hits_gain_nothing_from_flagging_everything() -> None:
    """A score that is high everywhere is worth no more than its first sample."""
    labels = np.zeros(200, bool)
    labels[120:130] = True
    assert event_hits(labels, np.ones(200), width=10) == (0, 1)


def test_vus_pr_ranks_right_over_random_over_wrong() -> None:
    """The true labels score near 1, a random score near the labelled share, a constant 0."""
    labels = np.zeros(400, bool)
    labels[200:240] = True
    noise = np.random.default_rng(0).random(400)
    right = vus_pr(labels, labels + 0.1 * noise, 20)
    random = vus_pr(labels, noise, 20)
    assert right > 0.8
    assert 0.05 < random < 0.3
    assert vus_pr(labels, noise - 2 * labels, 20) < random
    assert vus_pr(labels, np.ones(400), 20) == 0.0


@pytest.mark.parametrize("name", [n for n in DETECTORS if n != "random"])
def test_detectors_score_a_strange_window_highest(name: str) -> None:
    """Among sines a burst of another kind and level stands out for every detector but chance."""
    t = np.arange(40) / 10
    usual = np.stack([np.sin(2 * np.pi * (t + shift)) for shift in np.linspace(0, 1, 30)])
    strange = 4 + np.random.default_rng(1).normal(size=40)
    judged = np.vstack([usual[:5] + 0.01, strange])
    assert int(np.argmax(DETECTORS[name](usual, judged, 0))) == 5
