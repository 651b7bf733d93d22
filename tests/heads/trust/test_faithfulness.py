"""The check passes where occlusion is right and fails where the named channel is not needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.heads.registry import make_head
from tool_use_om.heads.trust.attribution import check_faithfulness, delete


@pytest.mark.parametrize("name", ["prototypes", "linear_probe", "knn"])
def test_deleting_the_salient_channel_hurts_more(
    name: str, tokens: Any, more_tokens: Any, labels: list[str]
) -> None:
    """The classes differ in x only, so x is salient on both halves and its loss is felt."""
    head = make_head(name).fit(tokens, labels)  # type: ignore[attr-defined]  # a classifier
    found = check_faithfulness(head, more_tokens, labels, tokens)
    assert found.salient == ("accelerometer.x", "accelerometer.x")
    assert found.faithful
    assert found.difference.value == pytest.approx(
        found.salient_drop.value - found.random_drop.value
    )
    assert found.salient_accuracy_drop > found.random_accuracy_drop + 0.2
    assert (found.difference.n, found.difference.n_groups) == (24, 6)


def test_no_channel_is_called_faithful_when_none_matters(
    tokens: Any, more_tokens: Any, labels: list[str]
) -> None:
    """Without any signal the named channel is chance, and deleting it costs nothing certain."""
    rng = np.random.default_rng(0)
    noise = replace(tokens, values=rng.normal(size=tokens.values.shape).astype(np.float32))
    asked = replace(more_tokens, values=rng.normal(size=tokens.values.shape).astype(np.float32))
    head = make_head("prototypes").fit(noise, labels)  # type: ignore[attr-defined]  # a classifier
    assert not check_faithfulness(head, asked, labels, noise).faithful


def test_delete_takes_one_channel_from_donors(tokens: Any, more_tokens: Any) -> None:
    """Each deleted channel is that of some donor window; the others and the input stay."""
    before = tokens.values.copy()
    changed = delete(tokens, 0, more_tokens, np.random.default_rng(0))
    np.testing.assert_array_equal(tokens.values, before)
    np.testing.assert_array_equal(changed.values[:, 1], before[:, 1])
    donors = {row.tobytes() for row in more_tokens.values[:, 0]}
    assert all(row.tobytes() in donors for row in changed.values[:, 0])


def test_faithfulness_raises_without_another_channel_or_session(
    tokens: Any, more_tokens: Any, labels: list[str]
) -> None:
    """There must be something to compare with."""
    one = tokens.without_channels(["accelerometer.y"])
    head = make_head("prototypes").fit(one, labels)  # type: ignore[attr-defined]  # a classifier
    with pytest.raises(DataError, match="two channels"):
        check_faithfulness(head, more_tokens.without_channels(["accelerometer.y"]), labels, one)
