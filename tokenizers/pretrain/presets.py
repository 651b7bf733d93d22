"""What a pretraining run is for, by name: options that belong together."""

from __future__ import annotations

from tool_use_om.data.errors import unknown
from tool_use_om.data.values import Json

REBUILD: dict[str, Json] = {}  # the configuration's own defaults: as moment-tiny was trained
# as moment-tiny-2 was trained. Source: Feofanov et al. (2025), Mantis (loss, temperature, views,
# rate, differences and statistics of patches); Xie et al. (2025), CauKer (series)
CONTRAST: dict[str, Json] = {
    "d_model": 128,
    "n_layers": 3,
    "patch_len": 16,
    "inputs": "described",
    "batch_samples": 131_072,
    "lengths": (128, 128, 256, 256, 512),
    "learning_rate": 2e-3,
    "hide_from": 0.1,
    "hide_to": 0.2,
    "rebuild": 0.1,
    "contrast": 1.0,
    "summary": 0.0,
    "views": "resized",
    "spread": True,
    "causal": 0.5,
}
PRESETS: dict[str, dict[str, Json]] = {"rebuild": REBUILD, "contrast": CONTRAST}


def preset(objective: str, **given: Json) -> dict[str, Json]:
    """Return the options of an objective, replaced by those given (None = not given).

    Width decides the feed-forward's width and the heads: twice, and one for 32 numbers.

    Raises
    ------
    NotFoundError : an unknown objective
    """
    if objective not in PRESETS:
        raise unknown("objective", objective, PRESETS)
    options = PRESETS[objective] | {k: v for k, v in given.items() if v is not None}
    if (width := options.get("d_model")) is not None:
        options = {"d_ff": 2 * width, "n_heads": max(1, width // 32)} | options
    return options
