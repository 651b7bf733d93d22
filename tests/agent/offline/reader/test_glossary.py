"""German, French and Chinese are read word by word in English."""

from __future__ import annotations

import pytest

from tool_use_om.agent.offline.language.names import Names
from tool_use_om.agent.offline.reader.glossary import FOLDER, GLOSSED, glossed
from tool_use_om.agent.offline.reader.slots import read_slots

NAMES = Names.of(
    [
        {
            "name": "plant",
            "channels": [{"id": "pump.flow", "unit": "a.u."}],
            "labels": {"state": ["idling"]},
            "session_ids": ["run-003"],
            "id_pattern": r"run-\d+",
            "subject_ids": ["anna"],
        }
    ]
)


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ("Wie viele Aufzeichnungen gibt es?", "de", "how many recording session there is?"),
        ("Combien de séances y a-t-il ?", "fr", "how many recording session there is ?"),
        ("有多少条记录？", "zh", "have how many a recording session ？"),
        ("How many sessions?", "en", "How many sessions?"),
        ("¿Cuántas?", "es", "¿Cuántas?"),
    ],
)
def test_words_are_written_in_english(text: str, language: str, said: str) -> None:
    found = glossed(text, language)
    assert found.split()[:3] == said.split()[:3]


def test_the_longest_entry_wins() -> None:
    """ "sampling rate", not "sampling" and what is left of the word."""
    assert glossed("采样率", "zh") == "sampling rate"


def test_part_of_a_word_is_no_word() -> None:
    assert glossed("Minuteninzidenz", "de") == "minuteninzidenz"


def test_a_name_of_the_data_is_masked_before_words_are_read() -> None:
    slots = read_slots("Wie hoch ist der Mittelwert von pump.flow bei idling?", NAMES)
    assert slots.found["channel"] == ("pump.flow",)
    assert slots.found["label"] == ("idling",)
    assert "STAT mean" in slots.tags
    assert "channel" in slots.masked
    assert "walking" in slots.masked


@pytest.mark.parametrize("language", GLOSSED)
def test_each_line_is_a_meaning_and_what_says_so(language: str) -> None:
    for line in (FOLDER / f"{language}.txt").read_text("utf-8").splitlines():
        meaning, colon, said = line.partition(": ")
        assert meaning.isascii(), line
        assert colon, line
        assert all(one.strip() for one in said.split(", ")), line
