"""Data-set cards: what a model knows before any tool ran."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tool_use_om.agent.cards import dataset_cards, id_pattern
from tool_use_om.agent.context import AgentContext
from tool_use_om.data.errors import DataError


def test_cards_describe_the_contexts_data_set_first(sample_workspace: Path) -> None:
    """Channels with units and rates, labels, splits, and ids that the pattern matches; as JSON."""
    pytest.importorskip("aeon")
    cards = dataset_cards(AgentContext(workspace=str(sample_workspace)), "How many?")
    card = cards[0]
    assert card["name"] == "basic-motions"
    assert card["n_sessions"] == 80
    assert {"id": "gyroscope.z", "unit": "a.u.", "rate_hz": 10.0} in card["channels"]
    assert "walking" in card["labels"]["activity"]
    assert set(card["splits"]) == {"train", "calibration", "test"}
    assert all(re.fullmatch(card["id_pattern"], i) for i in card["session_ids"])
    assert len(json.dumps(cards, allow_nan=False)) < 4000
    assert "synthetic-days" in [c["name"] for c in cards[1:]]


def test_cards_refuse_a_data_set_that_does_not_exist(tmp_path: Path) -> None:
    """The nearest names are told, in an error that a server shows."""
    with pytest.raises(DataError, match="basic-motions"):
        dataset_cards(AgentContext(workspace=str(tmp_path), dataset="basic-motion"), "?")


def test_cards_keep_going_when_a_neighbour_is_damaged(sample_workspace: Path) -> None:
    """A broken data set beside the asked one is named as unreadable, nothing more."""
    pytest.importorskip("aeon")
    broken = sample_workspace / "datasets" / "zz-broken"
    broken.mkdir(parents=True, exist_ok=True)
    try:
        (broken / "manifest.json").write_text("{")
        cards = dataset_cards(AgentContext(workspace=str(sample_workspace)), "?")
    finally:
        (broken / "manifest.json").unlink()
        broken.rmdir()
    [card] = [c for c in cards if c["name"] == "zz-broken"]
    assert set(card) == {"name", "unreadable"}


def test_cards_id_pattern_matches_every_id() -> None:
    """Digits vary, the rest is literal; too many forms fall back to the allowed characters."""
    ids = ["bm-train-000", "bm-test-039", "p1.day2"]
    pattern = id_pattern(ids)
    assert all(re.fullmatch(pattern, i) for i in ids)
    assert not re.fullmatch(pattern, "bm-other-000")
    assert re.fullmatch(id_pattern([f"{c}x" for c in "abcdefghijklmnop"]), "zx")
