"""DPO by TRL: from pairs of a right and a wrong plan, on top of a trained adapter."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tool_use_om.agent.training.compact import load_base
from tool_use_om.data.errors import DataError
from tool_use_om.data.jsonl import read_lines
from tool_use_om.data.values import Untyped
from tool_use_om.data.workspace import atomic_folder


@dataclass(frozen=True, kw_only=True)
class DpoConfig:
    """How to train; see TRL's DPOConfig."""

    steps: int = 0
    epochs: float = 1.0
    batch_size: int = 2
    learning_rate: float = 5e-6
    beta: float = 0.1
    max_length: int = 320
    seed: int = 0


def read_pairs(path: Path) -> list[dict[str, str]]:
    """Return the pairs of a file; raise DataError where there are none, or others."""
    if not path.is_file():
        raise DataError(f"No pairs at {path}. `tuom traces generate` writes them beside its rows.")
    wanted = ("prompt", "chosen", "rejected")
    pairs = []
    for number, row in read_lines(path):
        if not isinstance(row, dict) or not set(wanted) <= row.keys():
            raise DataError(f"{path} line {number} has no `prompt`, `chosen` and `rejected`.")
        if row["chosen"] == row["rejected"]:
            raise DataError(f"{path} line {number} prefers a plan to itself.")
        pairs.append({name: str(row[name]) for name in wanted})
    if not pairs:
        raise DataError(f"{path} has no pairs to train on.")
    return pairs


def prefer(
    data: Path, base: Path, adapter: Path, out: Path, config: DpoConfig | None = None
) -> dict[str, Any]:
    """Train an adapter on from pairs; write it to the new folder `out`, for the same base.

    Returns
    -------
    What happened; also in `training.json`, under "preference"

    Raises
    ------
    DataError : bad pairs, an existing `out`, a base or adapter that cannot be loaded
    """
    config = config or DpoConfig()
    if out.exists():
        raise DataError(f"{out} exists. Give a new folder, or move that one away.")
    pairs = read_pairs(data)
    recipe = adapter / "training.json"
    if not recipe.is_file():
        raise DataError(f"No trained adapter in {adapter}. Train one: tuom orchestrator train.")
    network, tokenizer = _with_adapter(base, adapter)
    with atomic_folder(out) as partial:
        trainer = _trainer(network, tokenizer, pairs, partial, config)
        trainer.train()
        trainer.model.save_pretrained(str(partial), selected_adapters=["default"])
        logs = [e for e in trainer.state.log_history if "loss" in e]
        report = {
            "pairs": len(pairs),
            "steps": trainer.state.global_step,
            "losses": [round(e["loss"], 4) for e in logs],
            "right_preferred": [e.get("rewards/accuracies") for e in logs],
            "config": asdict(config),
        }
        whole = json.loads(recipe.read_text(encoding="utf-8")) | {"preference": report}
        (partial / "training.json").write_text(json.dumps(whole, indent=1), encoding="utf-8")
        (partial / "README.md").unlink(missing_ok=True)  # a stub; training.json says it
    return report


def _with_adapter(base: Path, adapter: Path) -> tuple[Any, Any]:
    from peft import PeftModel

    network, tokenizer = load_base(base)
    try:
        return PeftModel.from_pretrained(network, str(adapter), is_trainable=True), tokenizer
    except (OSError, ValueError, RuntimeError) as error:
        said = " ".join(str(error).split())[:200]
        raise DataError(f"The adapter in {adapter} cannot be used: {said}") from error


def _trainer(
    network: Untyped, tokenizer: Untyped, pairs: list[dict[str, str]], out: Path, config: DpoConfig
) -> Untyped:
    import torch
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    on_gpu = torch.cuda.is_available()
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    arguments = DPOConfig(
        output_dir=str(out),
        max_steps=config.steps or -1,
        num_train_epochs=config.epochs,
        per_device_train_batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        beta=config.beta,
        max_length=config.max_length,
        use_cpu=not on_gpu,
        bf16=on_gpu,
        activation_checkpointing=False,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        seed=config.seed,
        disable_tqdm=True,
    )
    return DPOTrainer(
        model=network,
        args=arguments,
        train_dataset=Dataset.from_list(pairs),
        processing_class=tokenizer,
    )
