"""The frozen sentence encoder: our small copy of all-MiniLM-L6-v2, or the whole of it.

The small copy ships in `weights/` (see `shrink`). The whole is loaded from a package or from the
hub's cache, never downloaded. Either is loaded when first asked.
"""

from __future__ import annotations

import hashlib
import json
import threading
import zipfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tool_use_om.agent.offline.reader import shrink
from tool_use_om.data.errors import DataError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

NAME = "sentence-transformers/all-MiniLM-L6-v2"
_FILES = ("config.json", "tokenizer.json", "model.safetensors")
SMALL = Path(__file__).with_name("weights")
"""Where the small copy is."""
LONGEST = 96
"""Tokens of a text at most; what is behind them is not read."""
_BATCH = 32
LAYERS = (1, 3, 5, 6)
"""Layers that are read: the first keep more of the words, the last more of the meaning."""


def installed() -> bool:
    """Say whether an encoder can be loaded here, without loading it."""
    return _shipped() or whole_installed()


def whole_installed() -> bool:
    """Say whether the whole encoder can be loaded here."""
    return _package() is not None or _cached() is not None


def identity() -> str:
    """Return what tells the encoder in use from another: the hash of its files, and its layers."""
    files = [SMALL / shrink.WEIGHTS, SMALL / shrink.WORDS] if _shipped() else []
    found = hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()
    return f"{found if files else NAME} {LAYERS}"


def _shipped() -> bool:
    return (SMALL / shrink.WEIGHTS).is_file() and (SMALL / shrink.WORDS).is_file()


@lru_cache(maxsize=1)
def _package() -> Path | None:
    """Return the package's zip of weights; the package itself is not imported."""
    found = find_spec("all_minilm_l6_v2")
    folders = found.submodule_search_locations if found else None
    place = Path(next(iter(folders))) / "model.zip" if folders else None
    return place if place is not None and place.is_file() else None


@lru_cache(maxsize=1)
def _cached() -> tuple[Path, ...] | None:
    """Return the files in the hub's cache, in the order of `_FILES`; None where one is missing."""
    from huggingface_hub import try_to_load_from_cache

    found = [try_to_load_from_cache(NAME, file) for file in _FILES]
    return tuple(Path(str(f)) for f in found) if all(isinstance(f, str) for f in found) else None


def _read() -> tuple[bytes, ...]:
    """Return config, text tokenizer and weights."""
    if (package := _package()) is not None:
        with zipfile.ZipFile(package) as archive:
            return tuple(archive.read(name) for name in _FILES)
    if (cached := _cached()) is not None:
        return tuple(file.read_bytes() for file in cached)
    raise DataError(
        f"The sentence encoder {NAME} is not installed: pip install 'tool-use-om[language]'."
    )


class SentenceEncoder:
    """Sentence vectors: mean over the tokens of four layers, each of length one, side by side.

    The forward pass is written in numpy: loading torch and transformers for one short sentence
    takes a hundred times as long as reading it. Equal to transformers' BERT to 1e-5.

    Parameters
    ----------
    weights : name → array, as the checkpoint has them
    tokenizer : a `tokenizers.Tokenizer` that truncates and pads
    heads : attention heads

    Source: Devlin et al. (2019), BERT; Wang et al. (2020), MiniLM.
    """

    def __init__(
        self,
        weights: Mapping[str, np.ndarray],
        tokenizer: Tokenizer,
        heads: int,
    ) -> None:
        self._weights, self._tokenizer, self._heads = weights, tokenizer, heads
        self._one_at_a_time = threading.Lock()

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return vectors (B, 1536), float32."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        width = self._weights["embeddings.word_embeddings.weight"].shape[1]
        out = np.zeros((len(texts), width * len(LAYERS)), np.float32)
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            with self._one_at_a_time:
                out[chosen] = self._vectors([texts[i] for i in chosen])
        return out

    def _vectors(self, texts: list[str]) -> np.ndarray:
        read = self._tokenizer.encode_batch(texts)
        ids = np.array([one.ids for one in read])
        mask = np.array([one.attention_mask for one in read], np.float32)
        hidden = self._embedded(ids)
        means = []
        for layer in range(max(LAYERS)):
            hidden = self._layer(hidden, mask, f"encoder.layer.{layer}")
            if layer + 1 in LAYERS:
                mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
                means.append(mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12))
        return np.hstack(means)

    def _embedded(self, ids: np.ndarray) -> np.ndarray:
        words = self._weights["embeddings.word_embeddings.weight"][ids]
        places = self._weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        kinds = self._weights["embeddings.token_type_embeddings.weight"][0]
        return self._normed(words + places + kinds, "embeddings.LayerNorm")

    def _layer(self, hidden: np.ndarray, mask: np.ndarray, at: str) -> np.ndarray:
        """Return (B, T, D) after one block: attention, then the feed-forward part."""
        batch, length, width = hidden.shape
        shape = (batch, length, self._heads, width // self._heads)
        query, key, value = (
            self._dense(hidden, f"{at}.attention.self.{name}").reshape(shape).swapaxes(1, 2)
            for name in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(-1, -2) / np.float32(np.sqrt(shape[-1]))
        scores += (1.0 - mask[:, None, None, :]) * np.float32(-1e9)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        seen = (scores @ value).swapaxes(1, 2).reshape(batch, length, width)
        seen = self._dense(seen, f"{at}.attention.output.dense")
        hidden = self._normed(hidden + seen, f"{at}.attention.output.LayerNorm")
        wide = _gelu(self._dense(hidden, f"{at}.intermediate.dense"))
        return self._normed(
            hidden + self._dense(wide, f"{at}.output.dense"), f"{at}.output.LayerNorm"
        )

    def _dense(self, x: np.ndarray, at: str) -> np.ndarray:
        return np.asarray(x @ self._weights[f"{at}.weight"].T + self._weights[f"{at}.bias"])

    def _normed(self, x: np.ndarray, at: str) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        scale = np.sqrt((centred**2).mean(-1, keepdims=True) + np.float32(1e-12))
        return np.asarray(
            centred / scale * self._weights[f"{at}.weight"] + self._weights[f"{at}.bias"]
        )


def _gelu(x: np.ndarray) -> np.ndarray:
    """Return x Φ(x); the error function as Abramowitz and Stegun (1964), 7.1.26: within 1.5e-7."""
    z = np.abs(x) * np.float32(np.sqrt(0.5))
    t = 1.0 / (1.0 + np.float32(0.3275911) * z)
    series = t * (
        0.254829592
        + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * np.float32(1.061405429))))
    )
    erf = np.sign(x) * (1.0 - series * np.exp(-z * z))
    return np.asarray((0.5 * x * (1.0 + erf)).astype(np.float32))


@lru_cache(maxsize=1)
def sentence_encoder() -> SentenceEncoder:
    """Return the small copy, or the whole where there is none; loaded once a process.

    Raises
    ------
    DataError : neither is installed, or its files are damaged
    """
    if not _shipped():
        return whole_encoder()
    weights = (SMALL / shrink.WEIGHTS).read_bytes()
    card = (SMALL / shrink.WORDS).read_bytes()
    return _loaded(card, json.dumps(json.loads(card)["tokenizer"]).encode(), weights)


@lru_cache(maxsize=1)
def whole_encoder() -> SentenceEncoder:
    """Return the encoder as it was published, loaded once a process.

    Raises
    ------
    DataError : it is not installed, or its files are damaged
    """
    return _loaded(*_read())


def whole_parts() -> tuple[dict[str, np.ndarray], dict[str, Any], dict[str, Any]]:
    """Return the weights of the whole encoder, its tokenizer's file and its configuration.

    Raises
    ------
    DataError : it is not installed
    """
    from safetensors.numpy import load

    config, words, weights = _read()
    return load(weights), json.loads(words), json.loads(config)


def _loaded(config: bytes, words: bytes, weights: bytes) -> SentenceEncoder:
    from safetensors import SafetensorError
    from safetensors.numpy import load
    from tokenizers import Tokenizer

    try:
        settings = json.loads(config)
        _ = json.loads(words)["model"]["vocab"]  # else `tokenizers` raises a bare Exception
        tokenizer = Tokenizer.from_str(words.decode())
        state = shrink.restored(load(weights))
        heads, layers = int(settings["num_attention_heads"]), int(settings["num_hidden_layers"])
    except (ValueError, KeyError, SafetensorError) as error:
        raise DataError(f"The files of {NAME} are damaged ({error}). Install it again.") from error
    needed = [f"encoder.layer.{max(LAYERS) - 1}.output.dense.weight"]
    needed += ["embeddings.word_embeddings.weight", "embeddings.LayerNorm.bias"]
    if lacking := [name for name in needed if name not in state]:
        raise DataError(f"The weights of {NAME} lack {', '.join(lacking)}. Install it again.")
    if layers < max(LAYERS):
        raise DataError(f"{NAME} has {layers} layers here, {max(LAYERS)} are needed.")
    tokenizer.enable_truncation(LONGEST)
    tokenizer.enable_padding(pad_id=0, pad_token="[PAD]")  # noqa: S106 - a token of text
    return SentenceEncoder(state, tokenizer, heads)
