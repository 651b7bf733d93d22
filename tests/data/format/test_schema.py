"""The manifest: names that can be files, units that are known, nothing twice."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tool_use_om.data.errors import NotFoundError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.format.schema import Channel, Modality


@pytest.mark.parametrize("name", ["", "a.b", "../x", "a/b", "-x", "x" * 65, "x\n"])
def test_modality_refuses_names_that_cannot_be_files(name: str) -> None:
    """Modality and channel names are single, plain words without a dot."""
    with pytest.raises(ValidationError, match="letters, digits"):
        Channel(name=name, unit="g")


def test_modality_refuses_repeated_channels() -> None:
    """Two channels whose names differ in case only would be one column to a person."""
    with pytest.raises(ValidationError, match="repeated: X, x"):
        Modality(
            name="m", rate_hz=1, channels=(Channel(name="x", unit="g"), Channel(name="X", unit="g"))
        )


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_modality_refuses_a_rate_that_is_none(rate: float) -> None:
    """A rate is a positive, finite number of hertz."""
    with pytest.raises(ValidationError):
        Modality(name="m", rate_hz=rate, channels=(Channel(name="x", unit="g"),))


def test_manifest_answers_by_channel_id(tiny: DataSet) -> None:
    """Unit and rate are found by "modality.channel"; an unknown id names the nearest."""
    manifest = tiny.manifest
    assert manifest.channel_ids == ("motion.x", "motion.y", "heart.rate")
    assert manifest.unit_of("heart.rate") == "bpm"
    assert manifest.rate_of("motion.y") == 10.0
    with pytest.raises(NotFoundError, match=r"heart\.rate"):
        manifest.unit_of("heart.rat")
