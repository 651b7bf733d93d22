"""Fine-tune an orchestrator by TRL: a LoRA adapter, loss on the last message of each row only.

One command for `meta-llama/Llama-3.2-3B-Instruct` on a GPU and for a small Llama on a CPU; what
comes out loads as `local:<folder>`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tool_use_om.agent.models.chat_template import DATE, as_turns, training_template
from tool_use_om.data.errors import DataError
from tool_use_om.data.jsonl import read_lines
from tool_use_om.data.values import Untyped
from tool_use_om.data.workspace import atomic_folder

# A name for `--model` that means: make a small Llama of random weights beside the adapter.
RANDOM = "random"


@dataclass(frozen=True, kw_only=True)
class SftConfig:
    """How to train; the defaults suit a 3 B model on one GPU and a tiny one on a CPU.

    Parameters
    ----------
    steps : int, optimiser steps; 0 = as many as `epochs` make
    max_length : int, tokens a row may have; longer rows would lose what they teach: they are left
        out and counted
    hold_out : ("key=value", …), rows whose `meta` says so are kept for the evaluation loss
    lora_rank : int, rank of the adapter on all linear layers; its alpha is twice that
    """

    steps: int = 0
    epochs: float = 3.0
    max_length: int = 16384
    batch_size: int = 1
    accumulate: int = 1
    learning_rate: float = 2e-4
    lora_rank: int = 16
    hold_out: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class SftReport:
    """What a training run did; also written as `training.json` into its folder."""

    model: str
    rows: int
    rows_held_out: int
    rows_too_long: int
    longest_row_tokens: int
    assistant_tokens: int
    trained_parameters: int
    losses: tuple[float, ...]
    held_out_loss: float | None
    device: str
    config: dict[str, Any]


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a TRL JSONL file; raise DataError where there are none, or others."""
    if not path.is_file():
        raise DataError(
            f"No rows at {path}. Make them: `tuom traces export --format trl --out {path}`."
        )
    rows = []
    for number, row in read_lines(path):
        if not isinstance(row, dict) or not row.get("messages"):
            raise DataError(f"{path} line {number} has no `messages`; it is not a TRL row.")
        turns = as_turns(row["messages"])
        if turns[-1]["role"] != "assistant" or len(turns) < 2:
            raise DataError(f"{path} line {number} does not end with what the assistant shall say.")
        rows.append({**row, "messages": turns})
    if not rows:
        raise DataError(f"{path} has no rows to train on.")
    return rows


def split_rows(
    rows: Sequence[dict[str, Any]], hold_out: Sequence[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return (training rows, held-out rows) by the `key=value` of their `meta`."""
    wanted = [tuple(rule.split("=", 1)) for rule in hold_out]
    if any(len(rule) != 2 for rule in wanted):
        raise DataError(f"`hold_out` must be key=value, such as dataset=hmp; got {list(hold_out)}.")

    def held(row: Mapping[str, Any]) -> bool:
        meta = row.get("meta") or {}
        return any(str(meta.get(key)) == value for key, value in wanted)

    train, out = [r for r in rows if not held(r)], [r for r in rows if held(r)]
    if hold_out and not (train and out):
        raise DataError(
            f"{list(hold_out)} leaves {len(train)} rows to train on, {len(out)} held out."
        )
    return train, out


def train(data: Path, model: str, out: Path, config: SftConfig | None = None) -> SftReport:
    """Train a LoRA adapter for `model` on the rows of `data`; write it to the folder `out`.

    Parameters
    ----------
    data : Path, JSONL rows of `messages` and `tools` (`tuom traces export --format trl`)
    model : str, a checkpoint folder, a hub id, or "random" for a small Llama of random weights
    out : Path, a folder that does not exist yet; it holds adapter, text tokenizer, training.json

    Raises
    ------
    DataError : no rows, a bad `hold_out`, an existing `out`, or the [train] extra is missing
    """
    config = config or SftConfig()
    if out.exists():
        raise DataError(f"{out} exists. Give a new folder, or move that one away.")
    _need_train_extra()
    rows = read_rows(data)
    training, held = split_rows(rows, config.hold_out)
    with atomic_folder(out) as partial:
        base = _random_base(rows, partial / "base", config.seed) if model == RANDOM else model
        network, tokenizer = _load_base(str(base))
        fitting, longest, said = _fitting(tokenizer, training, config.max_length)
        if not fitting:
            raise DataError(
                f"Every row is longer than `max_length` {config.max_length}; the longest has "
                f"{longest} tokens. Raise it."
            )
        trainer = _trainer(
            network,
            tokenizer,
            fitting,
            held,
            args=_arguments(partial, config),
            lora_rank=config.lora_rank,
            whole_words=model == RANDOM,
        )
        trainer.train()
        _save(trainer, partial, relative="base" if model == RANDOM else None)
        report = SftReport(
            model=model,
            rows=len(fitting),
            rows_held_out=len(held),
            rows_too_long=len(training) - len(fitting),
            longest_row_tokens=longest,
            assistant_tokens=said,
            held_out_loss=float(trainer.evaluate()["eval_loss"]) if held else None,
            config=asdict(config),
            **_what_happened(trainer),
        )
        (partial / "training.json").write_text(json.dumps(asdict(report), indent=1))
    return report


def _what_happened(trainer: Untyped) -> dict[str, Any]:
    trained = (p.numel() for p in trainer.model.parameters() if p.requires_grad)
    return {
        "trained_parameters": sum(trained),
        "losses": tuple(float(e["loss"]) for e in trainer.state.log_history if "loss" in e),
        "device": str(trainer.args.device),
    }


def _need_train_extra() -> None:
    try:
        import peft  # noqa: F401 - only whether it is there
        import trl  # noqa: F401 - likewise
    except ImportError as error:
        raise DataError("Training needs TRL and peft: pip install 'tool-use-om[train]'.") from error


def _random_base(rows: Sequence[Mapping[str, Any]], folder: Path, seed: int) -> Path:
    from tool_use_om.agent.training.tiny_llama import make_text_tokenizer, save_tiny_llama

    texts = [json.dumps(row, ensure_ascii=False) for row in rows]
    return save_tiny_llama(folder, make_text_tokenizer(texts), seed=seed)


def _load_base(base: str) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    dtype = torch.bfloat16 if torch.cuda.is_available() else torch.float32
    try:
        tokenizer = AutoTokenizer.from_pretrained(base)
        network = AutoModelForCausalLM.from_pretrained(base, use_safetensors=True, dtype=dtype)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{base} cannot be loaded as a Llama: {' '.join(str(error).split())[:300]}"
        ) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = "<|finetune_right_pad_id|>"  # noqa: S105 - a token of text
    tokenizer.chat_template = training_template()
    return network, tokenizer


def _dataset(rows: Sequence[Mapping[str, Any]]) -> Untyped:
    from datasets import Dataset

    return Dataset.from_list([_taught(row) for row in rows], on_mixed_types="use_json")


def _taught(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row in the form in which TRL learns the last message and only reads the others."""
    *prompt, last = row["messages"]
    tools = {"tools": row["tools"]} if row.get("tools") else {}
    dated = {"chat_template_kwargs": {"date_string": DATE}}
    return {"prompt": prompt, "completion": [last], **tools, **dated}


def _trainer(
    network: Untyped,
    tokenizer: Untyped,
    training: Sequence[Mapping[str, Any]],
    held: Sequence[Mapping[str, Any]],
    *,
    args: Untyped,
    lora_rank: int,
    whole_words: bool,
) -> Untyped:
    from peft import LoraConfig
    from trl import SFTTrainer

    lora = LoraConfig(
        r=lora_rank,
        lora_alpha=2 * lora_rank,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
        # Random words cannot be learned around: a random base trains its embeddings too.
        modules_to_save=["embed_tokens", "lm_head"] if whole_words else None,
    )
    return SFTTrainer(
        model=network,
        args=args,
        train_dataset=_dataset(training),
        eval_dataset=_dataset(held) if held else None,
        processing_class=tokenizer,
        peft_config=lora,
    )


def _arguments(out: Path, config: SftConfig) -> Untyped:
    import torch
    from trl import SFTConfig

    on_gpu = torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(out),
        max_steps=config.steps or -1,
        num_train_epochs=config.epochs,
        per_device_train_batch_size=config.batch_size,
        gradient_accumulation_steps=config.accumulate,
        learning_rate=config.learning_rate,
        max_length=config.max_length,
        assistant_only_loss=True,
        use_cpu=not on_gpu,
        bf16=on_gpu,
        activation_checkpointing=on_gpu,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        seed=config.seed,
    )


def _fitting(
    tokenizer: Untyped,
    rows: Sequence[Mapping[str, Any]],
    max_length: int,
) -> tuple[list[Mapping[str, Any]], int, int]:
    """Return (rows of at most `max_length` tokens, tokens of the longest row, tokens to learn)."""
    fitting, longest, said = [], 0, 0
    for row in rows:
        whole = _n_tokens(tokenizer, row["messages"], row.get("tools"))
        longest = max(longest, whole)
        if whole <= max_length:
            fitting.append(row)
            said += whole - _n_tokens(tokenizer, row["messages"][:-1], row.get("tools"), asked=True)
    return fitting, longest, said


def _n_tokens(tokenizer: Untyped, messages: Untyped, tools: Untyped, *, asked: bool = False) -> int:
    out = tokenizer.apply_chat_template(
        messages,
        tools=tools or None,
        date_string=DATE,
        return_dict=True,
        add_generation_prompt=asked,
    )
    return len(out["input_ids"])


def _save(trainer: Untyped, out: Path, *, relative: str | None) -> None:
    trainer.save_model(str(out))
    for name in ("training_args.bin", "README.md"):  # a pickle and a stub; training.json says it
        (out / name).unlink(missing_ok=True)
    trainer.processing_class.save_pretrained(str(out))
    if relative is not None:
        path = out / "adapter_config.json"
        config = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**config, "base_model_name_or_path": relative}, indent=2))
