"""A result read back is its model, and each of its values knows where it stands."""

from __future__ import annotations

import pytest

from tool_use_om.tools.call.content import Meaning
from tool_use_om.tools.call.places import place_of, read
from tool_use_om.tools.run.search.found import NeighboursFound, UnusualFound

FOUND = {
    "task": "retrieve", "head": "similarity", "channels": ["a.x", "a/b"],
    "query": {"session_id": "s", "start_s": 0, "end_s": 4.5},
    "n_searched": {"sessions": 7, "windows": None},
    "neighbours": [{"session_id": "t", "start_s": 1.0, "end_s": 5.5, "distance": 0.25,
                    "label": None}],
}  # fmt: skip


def pointer(value: object) -> str | None:
    place = place_of(value)
    return place and place.pointer


def test_values_are_what_they_were_and_know_their_place() -> None:
    """Numbers count, texts are read, lists are gone through; each says its pointer."""
    found = read(NeighboursFound, FOUND)
    assert found.query.end_s - found.query.start_s == 4.5
    assert isinstance(found.query.start_s, int)
    assert found.channels == ["a.x", "a/b"]
    assert pointer(found.neighbours[0].distance) == "/neighbours/0/distance"
    assert pointer(found.channels[1]) == "/channels/1"
    assert pointer(found.channels) == "/channels"
    assert read(NeighboursFound, {**FOUND, **found.to_json()}).to_json() == found.to_json()


def test_a_place_says_what_its_type_says() -> None:
    """Seconds, counts, names and scores, without a look at the key."""
    found = read(NeighboursFound, FOUND)
    said = {
        "end_s": found.query.end_s,
        "n": found.n_searched.sessions,
        "d": found.neighbours[0].distance,
    }
    meanings = {key: place.meaning for key, v in said.items() if (place := place_of(v))}
    assert meanings == {
        "end_s": Meaning("measure", unit="s", of="end"),
        "n": Meaning("count"),
        "d": Meaning("score"),
    }


def test_what_was_computed_has_no_place() -> None:
    """A sum, a rounded value or a text made of others came from nowhere in the result."""
    found = read(NeighboursFound, FOUND)
    for value in (found.query.end_s + 1.0, str(found.head), found.channels[:1], 4.5):
        assert place_of(value) is None


def test_what_is_not_there_reads_as_nothing_and_what_no_field_names_is_an_error() -> None:
    """An older result may lack a field; a field that the model lacks is a mistake in the code."""
    found = read(UnusualFound, {"n_windows": 3})
    assert found.most_unusual.score is None  # type: ignore[comparison-overlap]  # an older result
    assert found.windows == []
    assert found.scan is None
    with pytest.raises(AttributeError, match="treshold"):
        found.treshold  # type: ignore[attr-defined]  # noqa: B018  # the misspelling is the point
