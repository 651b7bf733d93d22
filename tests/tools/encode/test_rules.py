from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.tokenizers.windows.config import PartialConfig
from tool_use_om.tools.encode.rules import encoding_settings

SPEC: Any = SimpleNamespace(patch_len=8, native_context=512)


def selection(durations: list[float], labelled: Sequence[float] = (), **rates: float) -> Any:
    """Sessions of these lengths with one channel at each rate."""
    manifest = SimpleNamespace(
        rate_of=rates.__getitem__, label_sets={"s": ("a",)} if labelled else {}
    )
    spans = pd.DataFrame({"start_s": [0.0] * len(labelled), "end_s": labelled})
    return SimpleNamespace(
        dataset=SimpleNamespace(manifest=manifest, labels=lambda label_set: spans),
        sessions=pd.DataFrame({"duration_s": durations}),
    )


@pytest.mark.parametrize(
    ("rate", "durations", "window_s"),
    [
        (10.0, [10.0] * 5, 4.0),
        (32.0, [2.0] + [6.0] * 20, 4.0),
        (50.0, [3.0] * 5, 2.88),
        (1.0, [3600.0] * 5, 256.0),
        (1 / 60, [86400.0] * 3, 15360.0),
        (10.0, [1.0] * 5, 1.0),
    ],
)
def test_window_follows_rate_and_session_length(
    rate: float, durations: list[float], window_s: float
) -> None:
    """About 4 s of movement or 32 slow patches, whole patches, as nine in ten sessions allow."""
    chosen = encoding_settings(selection(durations, c=rate), ["c"], SPEC, PartialConfig())
    assert chosen.config.window_s == pytest.approx(window_s)
    assert chosen.config.stride_s == pytest.approx(window_s / 2)
    assert f"window_s={window_s:g}" in chosen.why


def test_window_fits_the_labelled_stretches() -> None:
    """A window longer than what is labelled would have no label."""
    chosen = encoding_settings(
        selection([60.0] * 3, [2.0, 2.4, 9.0], c=50.0), ["c"], SPEC, PartialConfig()
    )
    assert chosen.config.window_s == pytest.approx(2.4)


def test_one_rate_is_left_as_it_is() -> None:
    """Channels of one rate are not resampled, however fast."""
    chosen = encoding_settings(selection([60.0], c=128.0), ["c"], SPEC, PartialConfig())
    assert (chosen.rate_hz, chosen.config.target_rate_hz) == (128.0, None)


@pytest.mark.parametrize(
    ("rates", "target"),
    [({"a": 50.0, "e": 128.0, "h": 1.0}, 50.0), ({"e": 256.0, "f": 128.0}, 128.0)],
)
def test_different_rates_are_brought_to_one_that_is_affordable(
    rates: dict[str, float], target: float
) -> None:
    """The highest rate up to 50 Hz is taken, else the lowest, and said."""
    chosen = encoding_settings(selection([60.0], **rates), list(rates), SPEC, PartialConfig())
    assert chosen.config.target_rate_hz == target
    assert f"target_rate_hz={target:g}" in chosen.why


def test_wishes_are_kept() -> None:
    """What is asked for stays as asked."""
    wish = PartialConfig(
        window_s=2.0, stride_s=0.5, target_rate_hz=20.0, patch_s=0.4, patch_stride_s=0.1,
        fusion="common", context_features=False,
    )  # fmt: skip
    chosen = encoding_settings(selection([60.0], c=10.0), ["c"], SPEC, wish)
    assert chosen.config.model_dump(exclude={"bridge_s", "join_s"}) == wish.model_dump()
    assert chosen.why == "all as asked"


@pytest.mark.parametrize("window_s", [0.1, 61.0])
def test_a_window_that_cannot_be_is_refused(window_s: float) -> None:
    """Shorter than a patch, or longer than every session or the encoder's context."""
    with pytest.raises(DataError, match=r"`window_s` must be in \[0.8, 51.2\]"):
        encoding_settings(selection([60.0], c=10.0), ["c"], SPEC, PartialConfig(window_s=window_s))
