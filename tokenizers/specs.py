"""The tokenizers there are, as data: read without loading any of them."""

from __future__ import annotations

from tool_use_om.tokenizers.spec import TokenizerSpec

MOMENT_TINY = TokenizerSpec(
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
)
MOMENT_SMALL = TokenizerSpec(
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
)
MOMENT_BASE = TokenizerSpec(
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
)
MOMENT_LARGE = TokenizerSpec(
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
)
