"""Data-set cards as the prompts carry them."""

from __future__ import annotations

from typing import Any

import pytest


def _channels(ids: str, unit: str, rate_hz: float) -> list[dict[str, Any]]:
    return [{"id": i, "unit": unit, "rate_hz": rate_hz} for i in ids.split()]


@pytest.fixture
def cards() -> list[dict[str, Any]]:
    """Return three cards: motions (current), homes (labels of several words), people (subjects)."""
    xyz = "accelerometer.x accelerometer.y accelerometer.z"
    motions = {
        "name": "basic-motions",
        "channels": _channels(f"{xyz} gyroscope.x gyroscope.y gyroscope.z", "a.u.", 10.0),
        "labels": {"activity": ["badminton", "running", "standing", "walking"]},
        "session_ids": ["bm-train-000", "bm-test-012"],
        "id_pattern": r"bm-test-\d+|bm-train-\d+",
        "subject_ids": ["unknown"],
        "duration_s": {"min": 10.0, "median": 10.0, "max": 10.0},
    }
    homes = {
        "name": "homes",
        "channels": _channels(xyz, "g", 32.0),
        "labels": {
            "activity": [
                "Brush_teeth",
                "Climb_stairs",
                "Comb_hair",
                "Descend_stairs",
                "Drink_glass",
                "Eat_meat",
                "Eat_soup",
                "Getup_bed",
                "Sitdown_chair",
                "Standup_chair",
                "hand-wash",
                "Walk",
            ]
        },
        "session_ids": ["home-0001"],
        "id_pattern": r"home-\d+",
        "subject_ids": ["f1", "m2"],
        "duration_s": {"min": 4.0, "median": 12.0, "max": 180.0},
    }
    people = {
        "name": "synthetic-days",
        "channels": _channels(f"{xyz} ecg.lead heart.rate", "bpm", 50.0),
        "labels": {"activity": ["resting", "walking"], "anomaly": ["irregular beats", "shock"]},
        "session_ids": ["person-01-a"],
        "id_pattern": r"person-\d+-a|person-\d+-b",
        "subject_ids": ["person-01", "person-02"],
        "duration_s": {"min": 18.0, "median": 68.5, "max": 274.0},
    }
    return [motions, homes, people]
