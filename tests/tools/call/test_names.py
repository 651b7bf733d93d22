from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_use_om.data.errors import NotFoundError
from tool_use_om.tools.call.names import (
    resolve_channels,
    resolve_name,
    resolve_names,
    resolve_sessions,
)

CHANNELS = (
    "accelerometer.x",
    "accelerometer.y",
    "accelerometer.z",
    "gyroscope.x",
    "gyroscope.y",
    "gyroscope.z",
    "heart.rate",
)
SESSIONS = [f"bm-test-{i:03d}" for i in range(40)] + [f"bm-train-{i:03d}" for i in range(40)]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("accelerometer.x", ["accelerometer.x"]),
        ("acc x", ["accelerometer.x"]),
        ("Accelerometer_Y", ["accelerometer.y"]),
        ("z axis of the acceleration", ["accelerometer.z"]),
        ("acelerometer", ["accelerometer.x", "accelerometer.y", "accelerometer.z"]),
        ("gyro", ["gyroscope.x", "gyroscope.y", "gyroscope.z"]),
        ("x", ["accelerometer.x", "gyroscope.x"]),
        ("hr", ["heart.rate"]),
        ("all", list(CHANNELS)),
    ],
)
def test_resolve_channels_accepts_free_spelling(written: str, meant: list[str]) -> None:
    """A modality, its beginning, an axis or a small misspelling names the channels meant."""
    assert list(resolve_channels([written], CHANNELS)) == meant


def test_resolve_channels_returns_data_set_order_without_repeats() -> None:
    """However asked, channels come once each and in the data set's order."""
    found = resolve_channels(["gyro x", "acc", "acc x"], CHANNELS)
    assert found == ("accelerometer.x", "accelerometer.y", "accelerometer.z", "gyroscope.x")


def test_resolve_channels_names_the_nearest_when_unknown() -> None:
    """An unknown channel is an error that lists valid names, never a guess."""
    with pytest.raises(NotFoundError, match=r"magnetometer.*Did you mean.*accelerometer"):
        resolve_channels(["magnetometer"], CHANNELS)


@given(st.text(max_size=12))
def test_resolve_channels_returns_known_channels_or_raises(text: str) -> None:
    """Any text either names existing channels or is refused."""
    try:
        found = resolve_channels([text], CHANNELS)
    except NotFoundError:
        return
    assert found
    assert set(found) <= set(CHANNELS)


@pytest.mark.parametrize("written", ["Walking", "walking ", "walk", "walkin", "WALKING"])
def test_resolve_name_accepts_case_beginning_and_misspelling(written: str) -> None:
    """A label is found despite case, a cut end or a slip."""
    labels = ["walking", "running", "brush_teeth"]
    assert resolve_name("label", written, labels) == "walking"
    assert resolve_name("label", "Brush teeth", labels) == "brush_teeth"


def test_resolve_name_refuses_what_could_be_two() -> None:
    """A beginning that two names share is not guessed."""
    with pytest.raises(NotFoundError, match="Valid: running fast, running slow"):
        resolve_name("label", "running", ["running fast", "running slow"])


@pytest.mark.parametrize("written", ["person-99", "person 1", "person-0", "persn 19"])
def test_resolve_name_never_takes_one_number_for_another(written: str) -> None:
    """A number that no name holds is unknown, however alike the rest is."""
    with pytest.raises(NotFoundError, match="Unknown subject"):
        resolve_name("subject", written, ["person-09", "person-10"])


def test_resolve_names_keeps_the_order_asked() -> None:
    """Names come in the order given, each once."""
    assert resolve_names("head", ["knn", "Prototypes", "knn"], ["prototypes", "knn"]) == (
        "knn",
        "prototypes",
    )


@pytest.mark.parametrize("written", ["bm-test-023", "BM-TEST-023", "test 23", "bm test 023"])
def test_resolve_sessions_accepts_the_end_of_an_id(written: str) -> None:
    """The last words of an id, zeros aside, are enough where only one id ends so."""
    assert resolve_sessions([written], SESSIONS) == ("bm-test-023",)


@pytest.mark.parametrize("written", ["23", "session 23", "test 99"])
def test_resolve_sessions_refuses_ambiguous_and_unknown(written: str) -> None:
    """Two ids that end alike, or none, are an error."""
    with pytest.raises(NotFoundError, match="Unknown session"):
        resolve_sessions([written], SESSIONS)
