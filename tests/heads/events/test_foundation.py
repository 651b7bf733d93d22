"""Pretrained forecasters whose weights are not here: loaded and called in their published shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.heads.events.made import made_set

from tool_use_om.data.errors import DataError
from tool_use_om.heads.events.foundation.timesfm import FOLDER, TimesFM
from tool_use_om.heads.events.windows import EventData, event_data


@pytest.fixture(scope="module")
def data() -> EventData:
    return event_data(made_set(700), "level > 0.8 in 3 s", context=70)


def test_without_weights_it_says_where_to_put_them(
    data: EventData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(FOLDER, raising=False)
    with pytest.raises(DataError, match=r"TUOM_TIMESFM.*timesfm-2\.5"):
        TimesFM().fit(data.train.windows, data.train.y)


@pytest.mark.slow
def test_weights_in_a_folder_are_what_answers(
    data: EventData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The published shape with two of its layers: saved, loaded by the model, and called alike."""
    from transformers import TimesFm2_5Config, TimesFm2_5ModelForPrediction

    config = TimesFm2_5Config()
    assert (config.hidden_size, config.num_hidden_layers, config.horizon_length) == (1280, 20, 128)
    config.num_hidden_layers = 2
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = TimesFm2_5ModelForPrediction(config).eval()
    model.save_pretrained(tmp_path)
    monkeypatch.setenv(FOLDER, str(tmp_path))
    few = data.test.windows.select(np.arange(6))
    found = TimesFM().fit(data.train.windows, data.train.y).predict_proba(few)
    by_hand = TimesFM()
    by_hand.use(model, few)
    np.testing.assert_allclose(found, by_hand.predict_proba(few), atol=1e-6)
    assert ((found >= 0) & (found <= 1)).all()
    alone = by_hand.predict_proba(few.select(np.array([3])))
    np.testing.assert_allclose(alone, found[3:4], atol=1e-4)  # whatever is beside it in the batch
    assert by_hand.n_parameters == sum(p.numel() for p in model.parameters())


def test_a_horizon_beyond_the_models_is_refused(data: EventData) -> None:
    class Small:
        class config:  # noqa: N801
            patch_length, horizon_length = 32, 2

    with pytest.raises(DataError, match="at most 2"):
        TimesFM().use(Small(), data.test.windows)
