"""Names of the data: what is spelt exactly wins, what may be two things is none of them."""

from __future__ import annotations

from typing import Any

import pytest

from tool_use_om.agent.offline.language.parse import parse
from tool_use_om.agent.offline.language.query import Ask

PLANT: dict[str, Any] = {
    "name": "plant",
    "channels": [
        {"id": f"signal.{name}", "unit": "a.u.", "rate_hz": 10.0}
        for name in ("power_kW", "Power", "Speed2", "Speed", "vibration_mm_s", "Wirkleistung_kW")
    ],
    "labels": {"label": ["idle", "pump on"]},
    "session_ids": ["anna", "carl", "emil"],
    "id_pattern": "anna|carl|emil",
    "subject_ids": ["ben", "dora"],
    "n_subjects": 2,
    "duration_s": {"min": 30.0, "median": 30.0, "max": 30.0},
}


def ask_of(question: str) -> Ask:
    (ask,) = parse(question, [PLANT]).asks
    return ask


@pytest.mark.parametrize(
    ("said", "channel"),
    [
        ("power_kW", "power_kW"),
        ("power_KW", "power_kW"),
        ("signal.power_kW", "power_kW"),
        ("Power", "Power"),
        ("power", "Power"),
        ("Speed2", "Speed2"),
        ("speed", "Speed"),
        ("vibration_mm_s", "vibration_mm_s"),
        ("vibration", "vibration_mm_s"),
        ("Wirkleistung_kW", "Wirkleistung_kW"),
        ("wirkleistung", "Wirkleistung_kW"),
    ],
)
def test_exact_name_of_a_channel_wins(said: str, channel: str) -> None:
    """A channel is found by its spelling before any shorter, nearer or partly equal one."""
    assert ask_of(f"What is the mean of {said}?").channels == (f"signal.{channel}",)


@pytest.mark.parametrize("said", ["session anna", "Anna", "recording anna", "ANNA"])
def test_session_with_a_plain_name_is_found(said: str) -> None:
    """An id without digits is an id all the same."""
    ask = ask_of(f"Plot {said}")
    assert (ask.kind, ask.sessions) == ("plot", ("anna",))


@pytest.mark.parametrize("said", ["subject ben", "person Ben", "ben"])
def test_subject_with_a_plain_name_is_found(said: str) -> None:
    """Likewise for subjects."""
    assert ask_of(f"What is the mean of Speed of {said}?").subjects == ("ben",)
