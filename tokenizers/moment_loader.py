"""Build a tokenizer of the MOMENT family from its weights."""

from __future__ import annotations

from pathlib import Path

from tool_use_om.data.errors import DataError, unknown
from tool_use_om.tokenizers.checkpoint import load_moment
from tool_use_om.tokenizers.moment import Moment
from tool_use_om.tokenizers.reference import MomentfmEncoder
from tool_use_om.tokenizers.spec import TokenizerSpec
from tool_use_om.tokenizers.tokenizer import DEFAULT_BUDGET_MB, Tokenizer


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
