"""The sentence encoder's forward pass is BERT's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertModel

from tool_use_om.agent.offline.reader.encoder import LAYERS, SentenceEncoder

WORDS = ("[PAD]", "[UNK]", "how", "many", "sessions", "are", "there", "walking")


@pytest.fixture
def bert() -> BertModel:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=24, num_hidden_layers=6, num_attention_heads=4,
        intermediate_size=48, max_position_embeddings=16,
    )  # fmt: skip
    return BertModel(config, add_pooling_layer=False).eval()


def test_encoder_reads_as_transformers_does(bert: BertModel) -> None:
    """Means over real tokens of four layers, each of length one, whatever is padded beside."""
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_padding(pad_id=0, pad_token="[PAD]")
    weights = {name: value.numpy() for name, value in bert.state_dict().items()}
    texts = ["how many sessions are there", "walking"]
    found = SentenceEncoder(weights, tokenizer, 4).encode(texts)
    for text, vector in zip(texts, found, strict=True):
        ids = torch.tensor([tokenizer.encode(text).ids])
        with torch.inference_mode():
            layers = bert(input_ids=ids, output_hidden_states=True).hidden_states
        parts = [layers[i][0].mean(0).numpy() for i in LAYERS]
        wanted = np.hstack([part / np.linalg.norm(part) for part in parts])
        np.testing.assert_allclose(vector, wanted, atol=1e-5)
