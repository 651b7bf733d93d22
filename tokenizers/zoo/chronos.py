"""Chronos-Bolt and Chronos-2 as frozen encoders, through `chronos-forecasting`.

Source: Ansari et al. (2024), *Chronos: Learning the Language of Time Series*; Ansari et al. (2025),
*Chronos-2: From Univariate to Universal Forecasting*. Shapes as in the published `config.json`.
Not covered: their forecasts (heads live in `tool_use_om.heads`), Chronos-2's mixing of variates:
each channel is a group of its own, so that a channel's tokens do not depend on the others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tool_use_om.data.errors import DataError
from tool_use_om.tokenizers.spec import TokenizerSpec
from tool_use_om.tokenizers.tokenizer import DEFAULT_BUDGET_MB, Tokenizer
from tool_use_om.tokenizers.zoo.library import LibraryEncoder, check_own_backend, load_pretrained

# name → d_model, d_ff, layers, heads
SHAPES = {
    "chronos-bolt-tiny": (256, 1024, 4, 4),
    "chronos-bolt-small": (512, 2048, 6, 8),
    "chronos-2": (768, 3072, 12, 12),
}
_TENTHS = [level / 10 for level in range(1, 10)]
_TWENTIETHS = [0.01, *(level / 20 for level in range(1, 20)), 0.99]


class ChronosBoltEncoder(LibraryEncoder):
    """The encoder half of Chronos-Bolt, without its register token."""

    def _tokens(self, series: Tensor, measured: Tensor) -> Tensor:
        context = torch.where(measured, series, torch.nan)
        hidden: Tensor = self.model.encode(context=context)[0]  # type: ignore[operator]  # a method of the library's module
        return hidden[:, : series.shape[1] // self.patch_len]


class Chronos2Encoder(LibraryEncoder):
    """Chronos-2's encoder, without its register and future tokens.

    Its attention between series grows with the square of how many come at once, though here each
    is alone: hence few at a time.
    """

    at_once = 16

    def _tokens(self, series: Tensor, measured: Tensor) -> Tensor:
        context = torch.where(measured, series, torch.nan)
        encoded: Any = self.model.encode(context=context)  # type: ignore[operator]  # as above
        hidden: Tensor = encoded[0].last_hidden_state
        return hidden[:, : series.shape[1] // self.patch_len]


def load(
    spec: TokenizerSpec,
    source: str | Path,
    *,
    revision: str | None = None,
    backend: str = "own",
    budget_mb: float | None = None,
) -> Tokenizer:
    """Load Chronos weights; see `registry.load_tokenizer`."""
    check_own_backend(backend)
    model_class = _classes(spec.family)[0]
    model = load_pretrained(model_class, source, revision=revision)
    return _tokenizer(spec, model, budget_mb)


def build(spec: TokenizerSpec, *, seed: int = 0, layers: int | None = None) -> Tokenizer:
    """Build the published shape with random weights (fewer `layers` for quick tests)."""
    model_class, config_class = _classes(spec.family)
    d_model, d_ff, published, heads = SHAPES[spec.name]
    sizes = {"d_model": d_model, "d_ff": d_ff, "d_kv": 64, "num_heads": heads}
    sizes["num_layers"] = layers or published
    config = config_class(**sizes, **_CONFIG[spec.family])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _tokenizer(spec, model_class(config).eval(), None)


def _tokenizer(spec: TokenizerSpec, model: nn.Module, budget_mb: float | None) -> Tokenizer:
    """Put the encoder half of `model` behind our interface; what only forecasts is dropped."""
    if getattr(model, "model_dim", None) != spec.d_model:
        raise DataError(
            f"These weights do not fit {spec.name}: d_model is {getattr(model, 'model_dim', None)}"
            f", not {spec.d_model}."
        )
    for unused in ("decoder", "output_patch_embedding"):
        if hasattr(model, unused):
            delattr(model, unused)
    made = ChronosBoltEncoder if spec.family == "chronos-bolt" else Chronos2Encoder
    return Tokenizer(spec, made(model, spec.patch_len), budget_mb=budget_mb or DEFAULT_BUDGET_MB)


def _classes(family: str) -> tuple[Any, Any]:
    """Return the library's model and configuration classes."""
    try:
        if family == "chronos-bolt":
            from chronos.chronos_bolt import ChronosBoltModelForForecasting
            from transformers import T5Config

            return ChronosBoltModelForForecasting, T5Config
        from chronos.chronos2 import Chronos2Model
        from chronos.chronos2.config import Chronos2CoreConfig
    except ImportError as error:
        raise DataError(
            "The Chronos tokenizers need chronos-forecasting: pip install 'tool-use-om[zoo]'."
        ) from error
    return Chronos2Model, Chronos2CoreConfig


_PATCHES = {"input_patch_size": 16, "input_patch_stride": 16, "use_reg_token": True}
_CONFIG: dict[str, dict[str, Any]] = {
    "chronos-bolt": {
        "feed_forward_proj": "relu",
        "initializer_factor": 0.05,
        "is_encoder_decoder": True,
        "pad_token_id": 0,
        "decoder_start_token_id": 0,
        "chronos_config": {
            "context_length": 2048,
            "prediction_length": 64,
            "quantiles": _TENTHS,
            **_PATCHES,
        },
    },
    "chronos-2": {
        "feed_forward_proj": "relu",
        "chronos_config": {
            "context_length": 8192,
            "max_output_patches": 64,
            "output_patch_size": 16,
            "quantiles": _TWENTIETHS,
            "time_encoding_scale": 8192,
            "use_arcsinh": True,
            **_PATCHES,
        },
    },
}
