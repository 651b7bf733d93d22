"""What is known of a tokenizer before it is loaded; what a language model chooses from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# what an encoder may calculate in: float32 unless another is asked for, so that two machines agree
Precision = Literal["float32", "bfloat16", "int8"]
LARGE = 50_000_000  # parameters from which a faster precision is worth proposing, never taking


@dataclass(frozen=True, kw_only=True)
class TokenizerSpec:
    """One frozen patch encoder.

    `parameters` counts the encoder's own (no text vocabulary). `patch_len` and `native_context` are
    samples at the rate the windows are brought to. `weights` is a folder inside this package
    ("package:…") or a hub name; `revision` pins the latter. `size_mb` is the size of the weights
    file: what would be downloaded, or what is shipped. `library` is a module that must be there
    and comes with the extra "zoo"; None = nothing but this package is needed. `said` are the words
    people use for it besides its name.
    """

    name: str
    family: str
    parameters: int
    patch_len: int
    d_model: int
    native_context: int
    channels: Literal["independent"]
    licence: str
    weights: str
    revision: str | None
    size_mb: float
    good_at: str
    bad_at: str
    library: str | None = None
    said: tuple[str, ...] = ()
