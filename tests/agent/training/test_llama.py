"""Llama 3.2 without its weights: parameters, memory, and real steps over its true vocabulary."""

from __future__ import annotations

import pytest

from tool_use_om.agent.training.compact_trainer import short_loss
from tool_use_om.agent.training.llama import (
    SHAPE,
    counted,
    fsdp_line,
    launch_line,
    memory_plan,
)

pytestmark = [
    # peft 0.21 reads an attribute that transformers 5.23 has renamed; nothing of ours does.
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
]


def test_base_has_the_published_number_of_parameters() -> None:
    """3.21 billion, as its model card says; the adapter has what its ranks make."""
    base, adapter = counted(16)
    assert base == 3_212_749_824
    each = 2 * 3072 + 2 * (3072 + 1024) + 2 * 3072 + 3 * (3072 + 8192)
    assert adapter == 28 * 16 * each


def test_memory_grows_with_the_card_and_fits_the_smallest() -> None:
    """The base in bfloat16 takes 6.4 GB; every card holds a row, a larger one more."""
    plans = [memory_plan(card) for card in (24, 40, 80)]
    assert {p.weights_gb for p in plans} == {6.43}
    assert plans[0].tokens > 4096
    assert plans[0].tokens < plans[1].tokens < plans[2].tokens
    assert memory_plan(6).tokens == 0


def test_commands_name_the_model_and_the_way_to_share_it() -> None:
    """One process a card; FSDP where a card is too small."""
    assert "--num_processes 4" in launch_line(4, "r.jsonl", "out")
    assert "--num_processes" not in launch_line(1, "r.jsonl", "out")
    assert "--fsdp_transformer_layer_cls_to_wrap LlamaDecoderLayer" in fsdp_line(4, "r", "o")
    assert "tuom orchestrator train --base Llama-3.2-3B-Instruct" in launch_line(1, "r", "o")


def test_few_layers_of_its_vocabulary_take_real_steps() -> None:
    """Two narrow layers over 128 256 words: the loss of one batch falls step by step."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    narrow = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "head_dim": 8}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    torch.manual_seed(0)
    network = LlamaForCausalLM(LlamaConfig(**(SHAPE | narrow | heads)))
    ids = torch.tensor([[128000, 5, 70000, 128255, 128009]])
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids),
             "labels": torch.tensor([[-100, -100, 70000, 128255, 128009]])}  # fmt: skip
    step = torch.optim.AdamW(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(5):
        loss, logits = short_loss(network, batch, [5, 70000, 128009, 128255])
        loss.backward()
        step.step()
        step.zero_grad()
        losses.append(float(loss.detach()))
    assert logits.shape == (3, 4)
    assert losses[-1] < losses[0]
    assert losses[0] == pytest.approx(torch.log(torch.tensor(4.0)).item(), abs=0.4)
