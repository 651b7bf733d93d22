"""Fine-tune the orchestrator on rows of the compact protocol: LoRA by TRL's SFTTrainer.

Made for a small model on a busy processor: logits on the answer's positions and over the words of
answers only, rows of one length together, adapters on the upper layers, an end set by the clock,
checkpoints that a killed run goes on from.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from tool_use_om.agent.training.clock import CLOCK, Clock
from tool_use_om.agent.training.compact_trainer import compact_trainer
from tool_use_om.data.errors import DataError
from tool_use_om.data.jsonl import read_lines
from tool_use_om.data.values import Untyped

LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_RANDOM_WORDS = 2000


@dataclass(frozen=True, kw_only=True)
class CompactConfig:
    """How to train.

    Parameters
    ----------
    minutes : float, of wall clock, all runs of the same folder together; the learning rate falls to
        zero with it. 0 = `epochs` passes, however long they take
    lora_layers : int, upper layers that get an adapter; 0 = all of them
    max_length : int, tokens a row may have; longer rows are left out and counted
    save_minutes : float, between checkpoints
    precision : str, of the frozen base; adapter and loss stay in float32. "auto" is
        bfloat16 on a GPU and on a processor with instructions for it, else float32
    """

    minutes: float = 0.0
    epochs: float = 1.0
    steps: int = 0
    batch_size: int = 4
    learning_rate: float = 4e-4
    lora_rank: int = 16
    lora_layers: int = 0
    max_length: int = 320
    save_minutes: float = 10.0
    seed: int = 0
    precision: Literal["auto", "float32", "bfloat16"] = "auto"


def read_compact(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file of the compact protocol; torn lines are warned about and skipped.

    Raises
    ------
    DataError : no file, no rows, or a row that is none or names a tool there is not (any more)
    """
    from tool_use_om.agent.orchestrator.protocol import read_plan

    if not path.is_file():
        raise DataError(f"No rows at {path}. Make them: `tuom traces generate --out {path}`.")
    rows = []
    for number, row in read_lines(path):
        if not isinstance(row, dict) or not {"prompt", "completion"} <= row.keys():
            raise DataError(f"{path} line {number} has no `prompt` and `completion`.")
        try:
            read_plan(str(row["completion"]))
        except (DataError, LookupError) as error:
            raise DataError(f"{path} line {number}: {error} Make the rows anew.") from error
        rows.append(row)
    if not rows:
        raise DataError(f"{path} has no rows to train on.")
    return rows


def tokenized(
    rows: Sequence[Mapping[str, Any]], tokenizer: Untyped, max_length: int
) -> list[dict[str, list[int]]]:
    """Return rows of ``input_ids`` and ``labels`` (-100 over the prompt); long ones left out."""
    begin = [tokenizer.bos_token_id] if tokenizer.bos_token_id is not None else []
    found = []
    for row in rows:
        asked = begin + tokenizer(row["prompt"], add_special_tokens=False)["input_ids"]
        said = tokenizer(row["completion"], add_special_tokens=False)["input_ids"]
        said = [*said, tokenizer.eos_token_id]
        if len(asked) + len(said) <= max_length:
            found.append({"input_ids": asked + said, "labels": [-100] * len(asked) + said})
    return found


def train_compact(
    data: Path, base: Path, out: Path, config: CompactConfig | None = None
) -> dict[str, Any]:
    """Train an adapter for the model in `base` on the rows of `data`; go on where `out` stopped.

    Returns
    -------
    What happened, also written as `training.json` beside the adapter

    Raises
    ------
    DataError : bad rows, a base that cannot be loaded, a folder of another run, a full disk
    """
    config = config or CompactConfig()
    rows = read_compact(data)
    config = replace(config, precision=settled(config.precision))
    recipe = {"base": fingerprint(base), "rows": len(rows), "config": asdict(config)}
    _check_recipe(out, recipe)
    network, tokenizer = load_base(base, config.precision)
    ready = tokenized(rows, tokenizer, config.max_length)
    trainer = _trainer(network, tokenizer, ready, out, config)
    last = last_checkpoint(out)
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    trainer.model.save_pretrained(str(out))
    report = {
        **recipe,
        "rows_left_out": len(rows) - len(ready),
        "steps": trainer.state.global_step,
        "rows_seen": trainer.state.global_step * config.batch_size,
        "losses": [
            [e["step"], round(e["loss"], 4)] for e in trainer.state.log_history if "loss" in e
        ],
        "minutes": round(trainer.clock.elapsed() / 60, 1),
        "trained_parameters": sum(p.numel() for p in network.parameters() if p.requires_grad),
    }
    (out / "training.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    return report


def _check_recipe(out: Path, recipe: Mapping[str, Any]) -> None:
    """Write what is trained into a new folder; refuse one that holds another run."""
    out.mkdir(parents=True, exist_ok=True)
    kept = out / "recipe.json"
    if kept.is_file():
        before = json.loads(kept.read_text(encoding="utf-8"))
        differ = [k for k in recipe if before.get(k) != json.loads(json.dumps(recipe[k]))]
        if differ:
            raise DataError(f"{out} holds a run with other {', '.join(differ)}. Give a new folder.")
    elif any(out.iterdir()):
        raise DataError(f"{out} is not empty and holds no run. Give a new folder.")
    else:
        kept.write_text(json.dumps(recipe, indent=1), encoding="utf-8")


def fingerprint(base: Path) -> str:
    """Return what tells a base from others: the hash of its config, without where it lies."""
    import hashlib

    try:
        config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"No base model in {base}: {error}. `tuom orchestrator install` puts one there."
        ) from error
    kept = {k: config.get(k) for k in _SHAPE}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]


_SHAPE = ("model_type", "hidden_size", "num_hidden_layers", "num_attention_heads",
          "num_key_value_heads", "intermediate_size", "vocab_size")  # fmt: skip


def settled(precision: str) -> Literal["float32", "bfloat16"]:
    """Return the precision that "auto" stands for on this machine; others as they are."""
    import torch

    if precision not in {"auto", "float32", "bfloat16"}:
        raise DataError(f"Precision is auto, float32 or bfloat16, not {precision!r}.")
    if precision == "auto":
        has = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
        return "bfloat16" if torch.cuda.is_available() or has() else "float32"
    return "bfloat16" if precision == "bfloat16" else "float32"


def load_base(base: Path, precision: str = "float32") -> tuple[Any, Any]:
    """Return the network (always bfloat16 on a GPU) and the text tokenizer of a folder."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    low = precision == "bfloat16" or torch.cuda.is_available()
    dtype = torch.bfloat16 if low else torch.float32
    try:
        tokenizer = AutoTokenizer.from_pretrained(base)
        network = AutoModelForCausalLM.from_pretrained(base, use_safetensors=True, dtype=dtype)
    except (OSError, ValueError) as error:
        said = " ".join(str(error).split())[:300]
        raise DataError(f"The base model in {base} cannot be loaded: {said}") from error
    return network, tokenizer


def last_checkpoint(out: Path) -> Path | None:
    """Return the newest whole checkpoint of a folder; torn ones are removed."""
    found = []
    for folder in out.glob("checkpoint-*"):
        whole = (folder / "trainer_state.json").is_file() and (folder / CLOCK).is_file()
        if whole:
            found.append((int(folder.name.rpartition("-")[2]), folder))
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return max(found)[1] if found else None


def _trainer(
    network: Untyped,
    tokenizer: Untyped,
    rows: Sequence[Mapping[str, Any]],
    out: Path,
    config: CompactConfig,
) -> Untyped:
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig

    on_gpu = torch.cuda.is_available()
    depth = int(network.config.num_hidden_layers)
    upper = list(range(depth - (config.lora_layers or depth), depth))
    # the clock ends the run; the step count only has to be out of its reach
    epochs = 1000.0 if config.minutes and not config.steps else config.epochs
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    arguments = SFTConfig(
        output_dir=str(out),
        max_steps=config.steps or -1,
        num_train_epochs=epochs,
        per_device_train_batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        train_sampling_strategy="group_by_length",
        max_length=config.max_length,
        use_cpu=not on_gpu,
        bf16=on_gpu or config.precision == "bfloat16",
        activation_checkpointing=False,
        max_grad_norm=1.0,
        logging_steps=5,
        save_strategy="no",
        report_to="none",
        seed=config.seed,
        disable_tqdm=True,
    )
    lora = LoraConfig(
        r=config.lora_rank,
        lora_alpha=2 * config.lora_rank,
        target_modules=list(LINEAR),
        layers_to_transform=upper,
        task_type="CAUSAL_LM",
    )
    last = last_checkpoint(out)
    before = json.loads((last / CLOCK).read_text())["seconds"] if last else 0.0
    return compact_trainer(
        network,
        arguments,
        Dataset.from_list([dict(row) for row in rows]),
        tokenizer,
        lora,
        clock=Clock(before),
        minutes=config.minutes,
        save_minutes=config.save_minutes,
        words=answer_words(rows, int(network.config.vocab_size), config.seed),
    )


def answer_words(rows: Sequence[Mapping[str, Any]], vocabulary: int, seed: int = 0) -> list[int]:
    """Return the tokens that the loss chooses between: all of the rows', and some others."""
    import numpy as np

    own = {int(i) for row in rows for i in row["input_ids"]}
    others = np.random.default_rng(seed).integers(0, vocabulary, min(_RANDOM_WORDS, vocabulary))
    return sorted(own | {int(i) for i in others})
