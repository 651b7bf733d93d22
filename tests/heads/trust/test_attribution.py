"""Occlusion blames the channel the answer rests on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tool_use_om.heads.registry import make_head
from tool_use_om.heads.trust.attribution import channel_attribution, occlude


@pytest.mark.parametrize("name", ["prototypes", "linear_probe", "knn"])
def test_attribution_names_the_channel_that_tells_the_classes_apart(
    name: str, tokens: Any, more_tokens: Any, labels: list[str]
) -> None:
    """The classes differ in x only: without x accuracy falls, without y it does not."""
    head = make_head(name).fit(tokens, labels)  # type: ignore[attr-defined]
    drops = channel_attribution(head, more_tokens, labels)
    assert [d.channel for d in drops] == ["accelerometer.x", "accelerometer.y"]
    assert drops[0].accuracy_drop > 0.4
    assert drops[0].probability_drop > 0.3
    assert abs(drops[1].accuracy_drop) < 0.15


def test_occlude_changes_one_channel_of_a_copy(tokens: Any, labels: list[str]) -> None:
    """The occluded channel is the training mean everywhere; the input is as it was."""
    head = make_head("prototypes").fit(tokens, labels)  # type: ignore[attr-defined]
    before = tokens.values.copy()
    hidden = occlude(head, tokens, 0)
    np.testing.assert_array_equal(tokens.values, before)
    np.testing.assert_array_equal(hidden.values[:, 1], before[:, 1])
    np.testing.assert_allclose(
        hidden.values[:, 0],
        np.broadcast_to(before[:, 0].mean(axis=(0, 1)), hidden.values[:, 0].shape),
        rtol=1e-4,
    )


def test_attribution_counts_an_unknown_label_as_wrong(
    tokens: Any, more_tokens: Any, labels: list[str]
) -> None:
    """A label the head never saw cannot be right, with or without a channel."""
    head = make_head("prototypes").fit(tokens, labels)  # type: ignore[attr-defined]
    drops = channel_attribution(head, more_tokens, ["zumba"] * len(labels))
    assert all(d.accuracy_drop == 0 and d.probability_drop == 0 for d in drops)
