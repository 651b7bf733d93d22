"""The frozen tokenizers there are, as data: one `TokenizerSpec` adds one, none is loaded here."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tool_use_om.data.errors import unknown
from tool_use_om.tokenizers.spec import Precision, TokenizerSpec

if TYPE_CHECKING:
    from tool_use_om.tokenizers.tokenizer import Tokenizer

_SPECS = (
    TokenizerSpec(
        name="moment-tiny",
        family="moment",
        parameters=1_479_752,
        patch_len=8,
        d_model=192,
        native_context=512,
        channels="independent",
        licence="Apache-2.0",
        weights="package:moment-tiny",
        revision=None,
        size_mb=5.9,
        good_at="works offline on a laptop in seconds; motion, rhythms and steps at any rate",
        bad_at="small and trained on synthetic series only; needs context features where level or "
        "intensity matters",
        said=("tiny moment",),
    ),
    TokenizerSpec(
        name="moment-tiny-2",
        family="moment",
        parameters=501_392,
        patch_len=16,
        d_model=128,
        native_context=512,
        channels="independent",
        licence="Apache-2.0",
        weights="package:moment-tiny-2",
        revision=None,
        size_mb=2.0,
        good_at="telling shapes apart at two resolutions, with a fraction of moment-tiny's work; "
        "works offline",
        bad_at="windows of fewer than 32 samples; patches of 16 samples place events more "
        "coarsely; trained on synthetic series only",
        said=("contrastive moment",),
    ),
    TokenizerSpec(
        name="moment-small",
        family="moment",
        parameters=18_891_976,
        patch_len=8,
        d_model=512,
        native_context=512,
        channels="independent",
        licence="MIT",
        weights="AutonLab/MOMENT-1-small",
        revision="411e288267f82cce86296dbe4d6c8bc533cc162f",
        size_mb=151.6,
        good_at="general series of 64 to 512 samples; few labels",
        bad_at="must be downloaded; may have seen public benchmarks in its training",
        said=("small moment",),
    ),
    TokenizerSpec(
        name="moment-base",
        family="moment",
        parameters=84_967_304,
        patch_len=8,
        d_model=768,
        native_context=512,
        channels="independent",
        licence="MIT",
        weights="AutonLab/MOMENT-1-base",
        revision="5e44b0ea26376a176360f87831124e018f876d96",
        size_mb=453.9,
        good_at="general series, more accurate than small",
        bad_at="must be downloaded; about four times the work of small",
        said=("base moment",),
    ),
    TokenizerSpec(
        name="moment-large",
        family="moment",
        parameters=308_349_448,
        patch_len=8,
        d_model=1024,
        native_context=512,
        channels="independent",
        licence="MIT",
        weights="AutonLab/MOMENT-1-large",
        revision="ca58581bc7bea2ebed4e80dc0a3e4b8b609c6ecc",
        size_mb=1385.4,
        good_at="general series, the published results of the MOMENT paper",
        bad_at="must be downloaded; slow without a GPU, about sixteen times the work of small",
        said=("large moment",),
    ),
    TokenizerSpec(
        name="chronos-bolt-tiny",
        family="chronos-bolt",
        parameters=3_453_312,
        patch_len=16,
        d_model=256,
        native_context=2048,
        channels="independent",
        licence="Apache-2.0",
        weights="amazon/chronos-bolt-tiny",
        revision="a0e552de83495b5c28c14c71c374f3e33280b340",
        size_mb=34.6,
        good_at="forecasting features of longer series at little cost; gaps inside a window",
        bad_at="must be downloaded; trained to forecast, not to tell activities apart",
        library="chronos",
    ),
    TokenizerSpec(
        name="chronos-bolt-small",
        family="chronos-bolt",
        parameters=20_015_872,
        patch_len=16,
        d_model=512,
        native_context=2048,
        channels="independent",
        licence="Apache-2.0",
        weights="amazon/chronos-bolt-small",
        revision="772f3d25d38aec6d914c8949dab4462e2d46f5d8",
        size_mb=190.9,
        good_at="forecasting features of series up to 2048 samples",
        bad_at="must be downloaded; trained to forecast, not to tell activities apart",
        library="chronos",
    ),
    TokenizerSpec(
        name="chronos-2",
        family="chronos-2",
        parameters=115_824_384,
        patch_len=16,
        d_model=768,
        native_context=8192,
        channels="independent",
        licence="Apache-2.0",
        weights="amazon/chronos-2",
        revision="29ec3766d36d6f73f0696f85560a422f50e8498c",
        size_mb=477.9,
        good_at="forecasting features of series up to 8192 samples",
        bad_at="must be downloaded; slow without a GPU; channels are not mixed here",
        library="chronos",
    ),
    TokenizerSpec(
        name="timesfm-2.5",
        family="timesfm",
        parameters=198_521_280,
        patch_len=32,
        d_model=1280,
        native_context=16384,
        channels="independent",
        licence="Apache-2.0",
        weights="google/timesfm-2.5-200m-transformers",
        revision="5a9806b9b291fad9233b5249d88263f1846304d3",
        size_mb=925.2,
        good_at="forecasting features of very long series; each token knows its past alone",
        bad_at="must be downloaded; slow without a GPU; a token knows nothing of what follows it",
    ),
)
TOKENIZERS: dict[str, TokenizerSpec] = {spec.name: spec for spec in _SPECS}
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
    return TOKENIZERS[name]


def specs() -> list[TokenizerSpec]:
    """Return all specs, in the registry's order."""
    return list(TOKENIZERS.values())


def load_tokenizer(
    name: str,
    *,
    weights: str | Path | None = None,
    backend: Backend = "own",
    budget_mb: float | None = None,
    precision: Precision = "float32",
) -> Tokenizer:
    """Load a tokenizer, downloading its weights if they are neither shipped nor cached.

    Parameters
    ----------
    name : a name of `TOKENIZERS`
    weights : folder or hub name to load instead of the registered weights, same shape
    backend : "own", or "momentfm" to run the reference implementation with the same weights
    budget_mb : memory for activations; None = the tokenizer's default
    precision : what the encoder calculates in; nothing measured decides it, so that two machines
        agree. bfloat16 needs a processor with its instructions, int8 costs some accuracy

    Raises
    ------
    NotFoundError : unknown name or precision
    DataError : weights that are missing, damaged, of another shape, or pickled
    """
    chosen = spec(name)
    load: Callable[..., Tokenizer] = pkgutil.resolve_name(f"{FAMILIES[chosen.family]}:load")
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
    build: Callable[..., Tokenizer] = pkgutil.resolve_name(f"{FAMILIES[chosen.family]}:build")
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
