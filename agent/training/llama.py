"""What it takes to train `meta-llama/Llama-3.2-3B-Instruct` on the same rows: memory and command.

Nothing is downloaded: the network is built on the meta device from its published configuration.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

LLAMA = "meta-llama/Llama-3.2-3B-Instruct"
FOLDER = LLAMA.rpartition("/")[2]
"""Where `download_line` puts it."""
SHAPE: dict[str, Any] = {
    "vocab_size": 128256,
    "hidden_size": 3072,
    "intermediate_size": 8192,
    "num_hidden_layers": 28,
    "num_attention_heads": 24,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "max_position_embeddings": 131072,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": True,
    "bos_token_id": 128000,
    "eos_token_id": 128009,
    "rope_parameters": {
        "rope_type": "llama3",
        "rope_theta": 500000.0,
        "factor": 32.0,
        "high_freq_factor": 4.0,
        "low_freq_factor": 1.0,
        "original_max_position_embeddings": 8192,
    },
}
"""As its config.json has it."""
CARDS_GB = (24, 40, 80)
_BF16, _FP32 = 2, 4
_GB = 1e9
_SPARE = 0.9  # of a card: the rest is the driver's and the allocator's
_ROOM_GB = 1.0  # kernels' scratch, and the logits of one piece of the softmax


@dataclass(frozen=True, kw_only=True)
class MemoryPlan:
    """What one card holds while it trains.

    Attributes
    ----------
    weights_gb : of the frozen base in bfloat16
    adapter_gb : its weights, gradients and two moments in float32
    per_token_kb : activations a token leaves: each layer's input (the layers are computed again on
        the way back) and all of the one layer at work
    tokens : how many fit into a batch at once; 0 = it does not fit
    """

    card_gb: int
    weights_gb: float
    adapter_gb: float
    per_token_kb: float
    tokens: int


@cache
def counted(lora_rank: int = 16) -> tuple[int, int]:
    """Return (parameters of the base, parameters of its adapter), counted on the meta device."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    from tool_use_om.agent.training.compact import LINEAR

    with torch.device("meta"):
        network = LlamaForCausalLM(LlamaConfig(**SHAPE))
        base = sum(p.numel() for p in network.parameters())
        lora = LoraConfig(r=lora_rank, target_modules=list(LINEAR), task_type="CAUSAL_LM")
        joined = get_peft_model(network, lora)
    return base, sum(p.numel() for p in joined.parameters() if p.requires_grad)


def memory_plan(card_gb: int, lora_rank: int = 16) -> MemoryPlan:
    """Return what a card of so many GB holds with LoRA, bfloat16 and activation checkpointing."""
    base, adapter = counted(lora_rank)
    weights, trained = base * _BF16 / _GB, adapter * 4 * _FP32 / _GB
    left = card_gb * _SPARE - weights - trained - _ROOM_GB
    each = _bytes_a_token(lora_rank)
    return MemoryPlan(
        card_gb=card_gb,
        weights_gb=round(weights, 2),
        adapter_gb=round(trained, 2),
        per_token_kb=round(each / 1e3, 1),
        tokens=max(0, int(left * _GB / each)),
    )


def _bytes_a_token(lora_rank: int) -> float:
    """Return the bytes a token needs on the way forward and back."""
    hidden, inner = SHAPE["hidden_size"], SHAPE["intermediate_size"]
    heads = (SHAPE["num_attention_heads"] + 2 * SHAPE["num_key_value_heads"]) * SHAPE["head_dim"]
    kept = SHAPE["num_hidden_layers"] * hidden * _BF16
    at_work = (6 * hidden + 2 * heads + 4 * inner + 7 * lora_rank) * (_BF16 + _FP32)
    return float(kept + at_work)


def download_line() -> str:
    """Return the command that fetches it; its licence must be accepted on the hub first."""
    return f"hf download {LLAMA} --local-dir {FOLDER}"


def launch_line(processes: int, data: str, out: str) -> str:
    """Return the command that trains it: one process a card, each with the whole frozen base.

    Two cards or more share the rows; where one card cannot hold the base, FSDP shares its layers.
    """
    spread = f"--multi_gpu --num_processes {processes} " if processes > 1 else ""
    command = (
        f"--no_python tuom orchestrator train --base {FOLDER} --data {data} "
        f"--out {out} --batch-size 16 --learning-rate 0.0002 --lora-layers 0 --epochs 3"
    )
    return f"accelerate launch {spread}--mixed_precision bf16 {command}"


def fsdp_line(processes: int, data: str, out: str) -> str:
    """Return the command for cards too small for the base: its layers are spread by FSDP 2."""
    spread = (
        f"--num_processes {processes} --use_fsdp --fsdp_version 2 "
        "--fsdp_auto_wrap_policy TRANSFORMER_BASED_WRAP "
        "--fsdp_transformer_layer_cls_to_wrap LlamaDecoderLayer "
        "--fsdp_state_dict_type FULL_STATE_DICT "
    )
    return launch_line(1, data, out).replace("launch ", f"launch {spread}", 1)
