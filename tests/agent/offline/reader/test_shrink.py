"""The small copy of the encoder reads nearly as the whole one does."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

from tool_use_om.agent.offline.reader import encoder as module
from tool_use_om.agent.offline.reader.encoder import SentenceEncoder, sentence_encoder
from tool_use_om.agent.offline.reader.shrink import (
    WEIGHTS,
    WORDS,
    kept_words,
    restored,
    rounded,
    shrink,
)
from tool_use_om.data.errors import DataError

VOCABULARY = (
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[unused0]", "how", "many", "sessions", "walking",
    "perambulate", "s", "##s", "##ion",
)  # fmt: skip


@pytest.fixture
def words() -> Tokenizer:
    vocabulary = {w: i for i, w in enumerate(VOCABULARY)}
    found = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    found.normalizer = normalizers.BertNormalizer()
    found.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    found.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return found


def test_rounding_is_within_half_a_step_of_each_row() -> None:
    values = np.random.default_rng(0).normal(size=(5, 40)).astype(np.float32)
    values[3] *= 100
    again = restored(rounded("a", values))["a"]
    assert (np.abs(again - values).max(axis=1) <= np.abs(values).max(axis=1) / 254 * 1.01).all()


def test_used_words_special_tokens_and_short_pieces_are_kept(words: Tokenizer) -> None:
    kept = kept_words(json.loads(words.to_str()), ["many walking"])
    assert "walking" in kept
    assert "perambulate" not in kept
    assert "sessions" not in kept
    assert {"[PAD]", "[CLS]", "how", "s", "##s", "##ion"} <= set(kept)
    assert "[unused0]" not in kept


def test_a_small_copy_reads_as_the_whole(
    words: Tokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(VOCABULARY), hidden_size=24, num_hidden_layers=6, num_attention_heads=4,
        intermediate_size=48, max_position_embeddings=128,
    )  # fmt: skip
    bert = BertModel(config, add_pooling_layer=False).eval()
    state = {name: value.numpy() for name, value in bert.state_dict().items()}
    card = json.loads(words.to_str())
    kept = kept_words(card, ["how many sessions walking"])
    shrink(state, card, kept, tmp_path, heads=4, layers=6, longest=96)
    monkeypatch.setattr(module, "SMALL", tmp_path)
    sentence_encoder.cache_clear()
    words.enable_padding(pad_id=0, pad_token="[PAD]")
    texts = ["how many sessions", "walking"]
    whole = SentenceEncoder(state, words, 4).encode(texts)
    small = sentence_encoder().encode(texts)
    sentence_encoder.cache_clear()
    assert ((whole * small).sum(axis=1) / 2 > 0.995).all()
    assert {p.name for p in tmp_path.iterdir()} == {WEIGHTS, WORDS}


def test_a_damaged_copy_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / WEIGHTS).write_bytes(b"no")
    (tmp_path / WORDS).write_text('{"tokenizer": {}}')
    monkeypatch.setattr(module, "SMALL", tmp_path)
    sentence_encoder.cache_clear()
    with pytest.raises(DataError, match="damaged"):
        sentence_encoder()
    sentence_encoder.cache_clear()


def test_the_shipped_copy_is_small() -> None:
    files = [module.SMALL / name for name in (WEIGHTS, WORDS)]
    assert sum(f.stat().st_size for f in files) <= 16e6
