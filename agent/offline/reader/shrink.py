"""A small copy of the sentence encoder: fewer words, weights in eight bits; it ships with us.

Words are kept that questions about recordings use, and all short pieces, so that any other word is
read by its pieces. Weights are rounded to 255 steps a row (Jacob et al., 2018), and made whole
again when they are loaded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import atomic_file

WEIGHTS, WORDS = "encoder.safetensors", "encoder.json"
_TABLE = "embeddings.word_embeddings.weight"
_PLACES = "embeddings.position_embeddings.weight"
_PIECE = 3  # letters of the pieces that are all kept
_STEPS = 127


def kept_words(words: Mapping[str, Any], texts: Iterable[str]) -> list[str]:
    """Return the entries of a WordPiece vocabulary to keep, in their order.

    Parameters
    ----------
    words : a `tokenizers` file as JSON
    texts : whose words are kept whole
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(json.dumps(words))
    tokenizer.no_padding()
    used = {token for text in texts for token in tokenizer.encode(text).tokens}
    vocabulary: Mapping[str, int] = words["model"]["vocab"]
    short = {t for t in vocabulary if t.isascii() and len(t.removeprefix("##")) <= _PIECE} | {
        t for t in vocabulary if t.startswith("[") and not t.startswith("[unused")
    }
    return sorted((used | short) & vocabulary.keys(), key=lambda t: vocabulary[t])


def shrink(
    state: Mapping[str, np.ndarray],
    words: Mapping[str, Any],
    kept: list[str],
    folder: Path,
    *,
    heads: int,
    layers: int,
    longest: int,
) -> None:
    """Write the small copy of an encoder into `folder`.

    Parameters
    ----------
    state : name → array of a BERT checkpoint
    words : its `tokenizers` file as JSON
    kept : entries of its vocabulary, as `kept_words` gives
    heads, layers : attention heads; how many layers are used
    longest : tokens of a text at most
    """
    from safetensors.numpy import save

    vocabulary = words["model"]["vocab"]
    small = {
        name: value for name, value in state.items()
        if name.startswith(("embeddings.", *(f"encoder.layer.{i}." for i in range(layers))))
        and value.dtype.kind == "f"
    }  # fmt: skip
    small[_TABLE] = state[_TABLE][[vocabulary[token] for token in kept]]
    small[_PLACES] = state[_PLACES][:longest]
    arrays = {part: value for name in small for part, value in rounded(name, small[name]).items()}
    model = {**words["model"], "vocab": {token: i for i, token in enumerate(kept)}}
    own = {**words, "model": model, "padding": None, "truncation": None}
    own["added_tokens"] = [
        {**t, "id": model["vocab"][t["content"]]} for t in words["added_tokens"]
        if t["content"] in model["vocab"]
    ]  # fmt: skip
    own["post_processor"] = _renumbered(words.get("post_processor"), model["vocab"])
    card = {"num_attention_heads": heads, "num_hidden_layers": layers, "tokenizer": own}
    with atomic_file(folder / WEIGHTS) as partial:
        partial.write_bytes(save(arrays))
    with atomic_file(folder / WORDS) as partial:
        partial.write_text(json.dumps(card, ensure_ascii=False) + "\n", "utf-8")


def rounded(name: str, values: np.ndarray) -> dict[str, np.ndarray]:
    """Return a matrix as bytes and a scale for each row; a vector in half precision."""
    if values.ndim < 2:
        return {name: values.astype(np.float16)}
    scale = np.maximum(np.abs(values).max(axis=1, keepdims=True), 1e-12) / _STEPS
    whole = np.clip(np.rint(values / scale), -_STEPS, _STEPS).astype(np.int8)
    return {name: whole, f"{name}.scale": scale.astype(np.float32)}


def restored(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays that `rounded` made, in single precision."""
    return {
        name: value.astype(np.float32) * arrays.get(f"{name}.scale", np.float32(1.0))
        for name, value in arrays.items()
        if not name.endswith(".scale")
    }


def _renumbered(post: Any, vocabulary: Mapping[str, int]) -> Any:  # noqa: ANN401 - part of a file
    """Return a file's post-processor with the ids of the kept vocabulary."""
    if post is None or "special_tokens" not in post:
        raise DataError("The tokenizer's file marks no start and end of a text.")
    special = {
        token: {**own, "ids": [vocabulary[t] for t in own["tokens"]]}
        for token, own in post["special_tokens"].items()
    }
    return {**post, "special_tokens": special}
