"""Tokenizers by name: one line adds one."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tool_use_om.data.errors import DataError, unknown
from tool_use_om.data.values import Untyped
from tool_use_om.tokenizers.spec import TokenizerSpec

if TYPE_CHECKING:
    from tool_use_om.tokenizers.moment.precision import Choice
    from tool_use_om.tokenizers.tokenizer import Tokenizer

# name → its TokenizerSpec
TOKENIZERS: dict[str, str] = {
    "moment-tiny": "tool_use_om.tokenizers.specs:MOMENT_TINY",
    "moment-small": "tool_use_om.tokenizers.specs:MOMENT_SMALL",
    "moment-base": "tool_use_om.tokenizers.specs:MOMENT_BASE",
    "moment-large": "tool_use_om.tokenizers.specs:MOMENT_LARGE",
    "chronos-bolt-tiny": "tool_use_om.tokenizers.specs:CHRONOS_BOLT_TINY",
    "chronos-bolt-small": "tool_use_om.tokenizers.specs:CHRONOS_BOLT_SMALL",
    "chronos-2": "tool_use_om.tokenizers.specs:CHRONOS_2",
    "timesfm-2.5": "tool_use_om.tokenizers.specs:TIMESFM_2_5",
}
# family → module with load(spec, weights folder or hub name, revision, backend, budget_mb) and
# build(spec, seed, layers), which makes the published shape with random weights
FAMILIES: dict[str, str] = {
    "moment": "tool_use_om.tokenizers.moment.load",
    "chronos-bolt": "tool_use_om.tokenizers.zoo.chronos",
    "chronos-2": "tool_use_om.tokenizers.zoo.chronos",
    "timesfm": "tool_use_om.tokenizers.zoo.timesfm",
}
DEFAULT_TOKENIZER = "moment-tiny"
PACKAGED = Path(__file__).parent / "weights"
Backend = Literal["own", "momentfm"]


def spec(name: str) -> TokenizerSpec:
    """Return what is known of a tokenizer; raise NotFoundError for an unknown name."""
    if name not in TOKENIZERS:
        raise unknown("tokenizer", name, TOKENIZERS)
    found = _imported(TOKENIZERS[name])
    if not isinstance(found, TokenizerSpec) or found.name != name:
        raise DataError(f"{TOKENIZERS[name]} is not the spec of {name!r}.")
    return found


def specs() -> list[TokenizerSpec]:
    """Return all specs, in the registry's order."""
    return [spec(name) for name in TOKENIZERS]


def load_tokenizer(
    name: str,
    *,
    weights: str | Path | None = None,
    backend: Backend = "own",
    budget_mb: float | None = None,
    precision: Choice = "auto",
) -> Tokenizer:
    """Load a tokenizer, downloading its weights if they are neither shipped nor cached.

    Parameters
    ----------
    name : a name of `TOKENIZERS`
    weights : folder or hub name to load instead of the registered weights, same shape
    backend : "own", or "momentfm" to run the reference implementation with the same weights
    budget_mb : memory for activations; None = the tokenizer's default
    precision : what the encoder calculates in; "auto" = bfloat16 where this machine is clearly
        faster in it, else float32; "int8" costs some accuracy. `Tokenizer.precision` says which

    Raises
    ------
    NotFoundError : unknown name or precision
    DataError : weights that are missing, damaged, of another shape, or pickled
    """
    chosen = spec(name)
    load: Callable[..., Tokenizer] = _imported(f"{FAMILIES[chosen.family]}:load")
    source = weights if weights is not None else local_folder(chosen) or chosen.weights
    revision = chosen.revision if weights is None else None
    loaded = load(chosen, source, revision=revision, backend=backend, budget_mb=budget_mb)
    return loaded.at_precision(precision)


def random_tokenizer(name: str, *, seed: int = 0, layers: int | None = None) -> Tokenizer:
    """Build a tokenizer's published shape with random weights: for speed and parity, not for use.

    Raises
    ------
    NotFoundError : unknown name
    DataError : a library that is not installed
    """
    chosen = spec(name)
    build: Callable[..., Tokenizer] = _imported(f"{FAMILIES[chosen.family]}:build")
    return build(chosen, seed=seed, layers=layers)


def local_folder(chosen: TokenizerSpec) -> Path | None:
    """Return the folder of weights that ship with this package, None for those of the hub."""
    kind, _, folder = chosen.weights.partition(":")
    return PACKAGED / folder if kind == "package" else None


def is_installed(chosen: TokenizerSpec) -> bool:
    """Tell whether the library that runs it is installed."""
    return chosen.library is None or find_spec(chosen.library) is not None


def is_here(chosen: TokenizerSpec) -> bool:
    """Tell whether the weights are on this machine: shipped, or in the hub's cache."""
    folder = local_folder(chosen)
    if folder is not None:
        return (folder / "model.safetensors").is_file()
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(
        chosen.weights, "model.safetensors", revision=chosen.revision or "main"
    )
    return isinstance(found, str)


def _imported(path: str) -> Untyped:
    """Import "module:name"."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
