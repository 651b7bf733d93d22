"""Names and numbers are found and masked, so that a data set's own words do not matter."""

from __future__ import annotations

import pytest

from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.reader.places import filled, unused
from tool_use_om.agent.offline.reader.slots import read_slots
from tool_use_om.agent.offline.reader.tongues import language_of, plain

NAMES = Names(
    datasets=("plant",),
    channels=("pump.pressure", "pump.flow", "heart.rate"),
    units=("hPa", "a.u.", "bpm"),
    labels=("valve open", "idling"),
    session_ids=("run-003", "run-004"),
    id_pattern=r"run-\d+",
    subject_ids=("anna", "ivo"),
)


@pytest.mark.parametrize(
    ("question", "masked"),
    [
        ("Mean pump flow while idling?", "Mean channel while walking?"),
        ("pump.flow in run-003 of anna", "channel in session of subject"),
        ("P(heart rate > 60 bpm) within 3 minutes", "P(channel > 20) within 5 seconds"),
        ("平均pump.flow在run-003里", "mean channel 在 session in"),
        ("Mittelwert von pump.flow in den ersten 5 Sekunden",
         "mean of channel in the first 5 seconds"),
        ("a change on 2021-03-04 in pump.flow?", "a change on monday in channel?"),
    ],
)  # fmt: skip
def test_names_times_and_levels_are_masked(question: str, masked: str) -> None:
    assert read_slots(question, NAMES).masked == masked


def test_two_labels_are_two_words() -> None:
    one = read_slots("is idling unlike valve open, or is idling the same?", NAMES)
    assert one.found["label"] == ("idling", "valve open")
    assert one.masked == "is walking unlike running, or is walking the same?"


def test_places_are_filled_from_what_was_found() -> None:
    one = read_slots("mean pump.flow between 3 and 5 s", NAMES)
    assert filled("stat-between", one) == {
        "statistic": "mean", "channel": "pump.flow", "t0": "3", "t1": "5",
    }  # fmt: skip


def test_a_name_without_a_place_is_told() -> None:
    """A form that has no place for a label cannot answer a question that names one."""
    one = read_slots("how many sessions are longer than 5 seconds while idling", NAMES)
    assert unused("count-longer", one) == ["idling"]
    assert unused("stat-label", read_slots("mean pump.flow while idling", NAMES)) == []


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How many sessions are there?", "en"),
        ("Wie viele Aufnahmen gibt es?", "de"),
        ("Combien de séances y a-t-il ?", "fr"),
        ("有多少次记录?", "zh"),
        ("Сколько записей?", "?"),
        ("¿Cuántas grabaciones hay en el conjunto?", "es"),
        ("find walking", "en"),
    ],
)
def test_languages_are_told_apart(text: str, language: str) -> None:
    assert language_of(text) == language


def test_plain_text_changes_no_english_word() -> None:
    assert plain("the mean over 5 seconds,  or 2 min") == "the mean over 5 seconds, or 2 min"
