"""A random-weight Llama of a few layers with its own text tokenizer: small enough for any CPU.

It exists so that the whole road from traces to a fine-tuned `local:<folder>` runs, and is tested,
without a download. It knows nothing until it is trained.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tool_use_om.agent.models.chat_template import training_template

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_BEGIN, _PAD, _END = "<|begin_of_text|>", "<|finetune_right_pad_id|>", "<|eot_id|>"
SPECIAL = (
    _BEGIN,
    "<|end_of_text|>",
    _PAD,
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eom_id|>",
    _END,
    "<|python_tag|>",
)


def make_text_tokenizer(texts: Iterable[str], *, vocab_size: int = 2048) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE text tokenizer with Llama 3.2's special tokens and our template.

    Parameters
    ----------
    texts : the words it should be short on, e.g. rendered conversations
    vocab_size : int, tokens at most, special ones and the 256 bytes included
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator(texts, trainer)
    made = PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token=_BEGIN,
        eos_token=_END,
        pad_token=_PAD,
    )
    made.chat_template = training_template()
    return made


def save_tiny_llama(
    folder: Path,
    tokenizer: PreTrainedTokenizerFast,
    *,
    d_model: int = 64,
    n_layers: int = 2,
    seed: int = 0,
) -> Path:
    """Write a Llama of random weights (safetensors) and its text tokenizer; return the folder."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=d_model,
        intermediate_size=4 * d_model,
        num_hidden_layers=n_layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=32768,
        tie_word_embeddings=False,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
