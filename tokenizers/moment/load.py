"""Build a tokenizer of the MOMENT family from its weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tool_use_om.data.errors import DataError, unknown
from tool_use_om.tokenizers.moment.checkpoint import CONFIG_NAME, load_moment, read_config
from tool_use_om.tokenizers.moment.model import Moment, MomentConfig
from tool_use_om.tokenizers.moment.reference import MomentfmEncoder
from tool_use_om.tokenizers.spec import TokenizerSpec
from tool_use_om.tokenizers.tokenizer import DEFAULT_BUDGET_MB, Tokenizer

# the shapes of the published config.json files; those of shipped weights are in their folders
SHAPES = {
    "moment-small": MomentConfig(d_model=512, d_ff=1024, n_layers=8, n_heads=6),
    "moment-base": MomentConfig(d_model=768, d_ff=2048, n_layers=12, n_heads=12),
    "moment-large": MomentConfig(d_model=1024, d_ff=2816, n_layers=24, n_heads=16),
}
_SHIPPED = Path(__file__).parents[1] / "weights"


def build(spec: TokenizerSpec, *, seed: int = 0, layers: int | None = None) -> Tokenizer:
    """Build the published shape with random weights (fewer `layers` for quick tests)."""
    shape = SHAPES.get(spec.name) or read_config(
        _SHIPPED / spec.weights.removeprefix("package:") / CONFIG_NAME
    )
    model = Moment(replace(shape, n_layers=layers or shape.n_layers), seed=seed)
    return Tokenizer(spec, model)


def load(
    spec: TokenizerSpec,
    source: str | Path,
    *,
    revision: str | None = None,
    backend: str = "own",
    budget_mb: float | None = None,
) -> Tokenizer:
    """Load weights of `spec`'s shape; see `registry.load_tokenizer`."""
    if backend not in {"own", "momentfm"}:
        raise unknown("backend", backend, ("own", "momentfm"))
    model = load_moment(source, revision=revision)
    _check_shape(spec, model, source)
    if backend == "momentfm" and model.config.inputs != "values":
        raise DataError(
            f"momentfm reads the values of a patch, {spec.name} more than that. Use backend='own'."
        )
    encoder = model if backend == "own" else MomentfmEncoder(model)
    return Tokenizer(spec, encoder, budget_mb=budget_mb or DEFAULT_BUDGET_MB)


def _check_shape(spec: TokenizerSpec, model: Moment, source: str | Path) -> None:
    """Raise DataError if the weights are those of another tokenizer."""
    c = model.config
    got = {"d_model": c.d_model, "patch_len": c.patch_len, "native_context": c.seq_len}
    for name, value in got.items():
        if value != getattr(spec, name):
            raise DataError(
                f"{source} does not fit {spec.name}: {name} is {value}, not {getattr(spec, name)}."
            )
