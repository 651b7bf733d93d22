"""TimesFM 2.5 as a frozen encoder, through transformers.

A decoder: each token has seen only what lies before it, and the scale that is removed is that of
the patches so far. Source: Das et al. (2024), *A decoder-only foundation model for time-series
forecasting*; shape as in the published `config.json` of version 2.5. Not covered: its forecasts.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from tool_use_om.data.errors import DataError
from tool_use_om.tokenizers.spec import TokenizerSpec
from tool_use_om.tokenizers.tokenizer import DEFAULT_BUDGET_MB, Tokenizer
from tool_use_om.tokenizers.zoo.library import LibraryEncoder, check_own_backend, load_pretrained


class TimesFmEncoder(LibraryEncoder):
    """TimesFM's stack of decoder layers, before its forecasting heads."""

    at_once = 64

    def _tokens(self, series: Tensor, measured: Tensor) -> Tensor:
        padding = (~measured).to(torch.long)
        hidden: Tensor = self.model(series, past_values_padding=padding).last_hidden_state
        return hidden


def load(
    spec: TokenizerSpec,
    source: str | Path,
    *,
    revision: str | None = None,
    backend: str = "own",
    budget_mb: float | None = None,
) -> Tokenizer:
    """Load TimesFM weights; see `registry.load_tokenizer`."""
    from transformers import TimesFm2_5ModelForPrediction

    check_own_backend(backend)
    whole = load_pretrained(TimesFm2_5ModelForPrediction, source, revision=revision)
    return _tokenizer(spec, whole.get_submodule("model"), budget_mb)


def build(spec: TokenizerSpec, *, seed: int = 0, layers: int | None = None) -> Tokenizer:
    """Build the published shape with random weights (fewer `layers` for quick tests)."""
    from transformers import TimesFm2_5Config, TimesFm2_5Model

    config = TimesFm2_5Config()
    config.num_hidden_layers = layers or config.num_hidden_layers
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _tokenizer(spec, TimesFm2_5Model(config).eval(), None)


def _tokenizer(spec: TokenizerSpec, model: nn.Module, budget_mb: float | None) -> Tokenizer:
    width = getattr(model.config, "hidden_size", None)
    if width != spec.d_model:
        raise DataError(
            f"These weights do not fit {spec.name}: d_model is {width}, not {spec.d_model}."
        )
    encoder = TimesFmEncoder(model, spec.patch_len)
    return Tokenizer(spec, encoder, budget_mb=budget_mb or DEFAULT_BUDGET_MB)
