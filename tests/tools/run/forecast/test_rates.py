"""Forecasts of a recording whose channels have different rates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.schema import Channel, Modality
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.run.forecast.backtest import own_rate_plan

MODALITIES = (
    Modality(name="slow", rate_hz=1.0, channels=(Channel(name="y", unit="bpm"),)),
    Modality(name="fast", rate_hz=16.0, channels=(Channel(name="x", unit="g"),)),
)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Six sessions of 90 s, one channel at 1 Hz and one at 16 Hz."""
    workspace = Workspace.at(tmp_path_factory.mktemp("mixed"))
    rng = np.random.default_rng(0)
    facts: dict[str, Any] = {"title": "t", "licence": "none", "source": "s", "split_rule": "given"}
    target = workspace.folder("datasets") / "mixed"
    with DataSetWriter(
        target, name="mixed", synthetic=True, modalities=MODALITIES, debug=False, **facts
    ) as writer:
        for i, split in enumerate(["train", "train", "calibration", "calibration", "test", "test"]):
            signals = {
                m.name: (
                    np.arange(90 * m.rate_hz) / m.rate_hz,
                    rng.normal(size=(round(90 * m.rate_hz), 1)),
                )
                for m in MODALITIES
            }
            writer.add_session(f"s{i}", subject_id=f"p{i}", split=split, signals=signals)  # type: ignore[arg-type]  # a literal from the list
    return workspace


@pytest.fixture
def both() -> WorkingSet:
    """What a classification of all channels leaves behind: one rate for both, short windows."""
    settings = {"window_s": 4.0, "stride_s": 2.0, "target_rate_hz": 16.0, "context_features": True}
    chosen = {"dataset": "mixed", "encoding_channels": ("slow.y", "fast.x")}
    return WorkingSet.model_validate({**chosen, "tokenizer_config": settings})


def test_plan_keeps_the_forecast_channels_at_their_own_rate(
    mixed: Workspace, both: WorkingSet
) -> None:
    """No filter over later samples lies between the signal and the context it is judged from."""
    ctx = ToolContext(workspace=mixed)
    slow = own_rate_plan(ctx, both, ["slow.y"])
    assert (slow.channels, slow.rate_hz) == (("slow.y",), 1.0)
    fast = own_rate_plan(ctx, both, ["fast.x"])
    assert (fast.channels, fast.rate_hz) == (("slow.y", "fast.x"), 16.0)


def test_forecast_of_noise_is_no_better_than_noise(
    mixed: Workspace, both: WorkingSet, new_call: Callable[[ToolContext], Any]
) -> None:
    """White noise cannot be foreseen: no error below that of its own mean, about 0.8 deviations."""
    call = new_call(ToolContext(workspace=mixed))
    call.working_set = both
    call("select_task_head", task="forecast")
    content = call("run_task", target_channels=["slow.y"], horizon_s=3)
    assert content["metrics"]["mae"]["value"] > 0.7


def test_forecast_refuses_channels_of_different_rates(mixed: Workspace, both: WorkingSet) -> None:
    """The error lists each channel's rate."""
    with pytest.raises(DataError, match=r"slow\.y at 1 Hz, fast\.x at 16 Hz"):
        own_rate_plan(ToolContext(workspace=mixed), both, ["slow.y", "fast.x"])
