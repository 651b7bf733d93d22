"""configure_tokenizer sets patches, rates and context; a result says what was used."""

from __future__ import annotations

from typing import Any

import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.tokenizers.registry import DEFAULT_TOKENIZER
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.registry import run_tool


def test_configure_tokenizer_tells_patches_in_seconds(call: Any) -> None:
    """A patch of 0.4 s is 20 Hz; a stride of half of it is said back."""
    said = call("configure_tokenizer", window_s=4, patch_s=0.4, patch_stride_s=0.2)
    assert (said["rate_hz"], said["patch_s"], said["patches_per_window"]) == (20.0, 0.4, 10)
    assert said["patch_stride_s"] == 0.2
    assert "fusion" not in said


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"patch_s": 0.4, "target_rate_hz": 10}, r"`patch_s` and `target_rate_hz` contradict"),
        ({"patch_stride_s": 0.3}, r"`patch_stride_s` must be one of 0.8, 0.4, 0.2, 0.1 s"),
        ({"super_s": 4}, r"`super_s` must be at most half of window_s \(2 s\), got 4"),
        ({"patch_stride_s": 0.4, "fusion": "per_modality"}, r"`patch_stride_s` lays patches over"),
        ({"super_s": 1, "window_s": 0.5}, r"`window_s` must be in \[1, 10\] s"),
    ],
)
def test_configure_tokenizer_refuses_contradictions(
    call: Any, given: dict[str, Any], message: str
) -> None:
    """Rule, value and next step, as the tokenizer layer says them."""
    with pytest.raises(DataError, match=message):
        call("configure_tokenizer", **{"window_s": 4, **given})


def test_configure_tokenizer_names_an_unknown_context_feature(call: Any) -> None:
    """The nearest feature there is stands in the message."""
    with pytest.raises(LookupError, match=r"time_of_day"):
        call("configure_tokenizer", context_features=["time_of_dya"])


def test_a_forecast_refuses_tokens_it_cannot_step_through(call: Any) -> None:
    """Overlap and summaries are for the other tasks."""
    call("configure_tokenizer", window_s=4, patch_stride_s=0.4)
    call("select_task_head", task="forecast")
    with pytest.raises(DataError, match=r"steps from patch to patch: `patch_stride_s`"):
        call("run_task", horizon_s=1)


def test_a_result_says_how_it_was_encoded_and_what_the_cache_gave(call: Any) -> None:
    """The encoding block holds every choice; the second run takes all from the cache."""
    call("configure_tokenizer", window_s=4, super_s=2, context_features=["std", "log_rate"])
    call("select_task_head", task="classify", head="prototypes")
    outcome = call.outcome("run_task")
    found = outcome.result.data["detail"]["encoding"]
    assert (found["super_s"], found["fusion"]) == (2.0, "common")
    assert found["context_features"] == ["std", "log_rate"]
    assert "patch_stride_s" not in found
    assert call("run_task")["timing"]["cache_hit_ratio"] == 1.0


def test_a_result_names_the_rate_of_each_channel(ctx: Any) -> None:
    """With several rates kept, each channel's stands in the encoding block."""
    working_set = WorkingSet(dataset="synthetic-days", channels=("accelerometer.x", "heart.rate"))
    for tool, args in (
        ("configure_tokenizer", {"window_s": 8, "stride_s": 8, "fusion": "per_modality"}),
        ("select_task_head", {"task": "classify", "head": "prototypes"}),
    ):
        working_set = run_tool(tool, args, ctx, working_set).working_set
    found = run_tool("run_task", {}, ctx, working_set).result.data["detail"]["encoding"]
    assert found["fusion"] == "per_modality"
    assert found["rates_hz"] == {"accelerometer.x": 50.0, "heart.rate": 2.0}


def test_select_tokenizer_takes_the_default_where_smaller_ones_ship_beside_it(call: Any) -> None:
    """A question says nothing of encoders: it gets the one that the figures are measured with."""
    assert call("select_tokenizer")["tokenizer"] == DEFAULT_TOKENIZER
