"""TRL's SFTTrainer with a clock, a short softmax, and checkpoints that are whole or not there."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from tool_use_om.agent.training.clock import CLOCK, Clock, rate
from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Untyped


def compact_trainer(
    network: Untyped,
    arguments: Untyped,
    rows: Untyped,
    tokenizer: Untyped,
    lora: Untyped,
    *,
    clock: Clock,
    minutes: float,
    save_minutes: float,
    words: Sequence[int],
) -> Untyped:
    """Return the trainer; see `compact.CompactConfig`.

    Parameters
    ----------
    words : the tokens the softmax runs over, sorted; answers are made of them alone
    """
    made = _trainer_class(clock, minutes, words)(
        model=network,
        args=arguments,
        train_dataset=rows,
        processing_class=tokenizer,
        peft_config=lora,
        callbacks=[_ticking(clock, minutes, save_minutes)],
    )
    made.clock = clock
    return made


def _trainer_class(clock: Clock, minutes: float, words: Sequence[int]) -> Untyped:
    import torch
    from trl import SFTTrainer

    class Compact(SFTTrainer):  # type: ignore[misc]
        """Loss over the answer's positions and `words` only."""

        clock: Clock

        def create_scheduler(self, num_training_steps: int, optimizer: Untyped = None) -> Untyped:
            if not minutes:
                return super().create_scheduler(num_training_steps, optimizer)
            self.lr_scheduler: Untyped = torch.optim.lr_scheduler.LambdaLR(
                optimizer or self.optimizer, lambda _: max(1e-3, rate(clock.elapsed(), minutes))
            )
            return self.lr_scheduler

        def compute_loss(
            self,
            model: Untyped,
            inputs: Untyped,
            return_outputs: bool = False,  # noqa: FBT001, FBT002 - as the Trainer calls it
            **_: Untyped,
        ) -> Untyped:
            if self.accelerator.num_processes > 1:  # the whole forward is what joins processes
                return super().compute_loss(model, inputs, return_outputs=return_outputs, **_)
            inner = self.accelerator.unwrap_model(model).get_base_model()
            loss, logits = short_loss(inner, inputs, words)
            return (loss, {"logits": logits}) if return_outputs else loss

        def _save_checkpoint(self, model: Untyped, trial: Untyped) -> None:
            folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
            try:
                super()._save_checkpoint(model, trial)
                (folder / CLOCK).write_text(json.dumps({"seconds": clock.elapsed()}))
            except OSError as error:
                shutil.rmtree(folder, ignore_errors=True)
                raise DataError(
                    f"No checkpoint could be written to {folder.parent}: {error}. What was saved "
                    "before is whole: make room and run the same command again."
                ) from error

    return Compact


def short_loss(network: Untyped, inputs: Untyped, words: Sequence[int]) -> tuple[Untyped, Untyped]:
    """Return (mean negative log-likelihood of the labelled tokens, their logits over `words`)."""
    import torch

    labels = inputs["labels"][:, 1:]
    hidden = network.model(
        input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"]
    ).last_hidden_state[:, :-1]
    taught = labels != -100
    kept = torch.tensor(words, device=labels.device)
    logits = (hidden[taught] @ network.lm_head.weight[kept].T).float()
    target = torch.searchsorted(kept, labels[taught])
    return torch.nn.functional.cross_entropy(logits, target), logits


def _ticking(clock: Clock, minutes: float, save_minutes: float) -> Untyped:
    from transformers import TrainerCallback

    class Ticking(TrainerCallback):  # type: ignore[misc]
        """Saves and stops by the clock, and tells the loss."""

        saved_s = clock.elapsed()

        def on_step_end(
            self, args: Untyped, state: Untyped, control: Untyped, **_: Untyped
        ) -> Untyped:
            del args, state
            now = clock.elapsed()
            if save_minutes and now - self.saved_s >= 60 * save_minutes:
                control.should_save, self.saved_s = True, now
            if minutes and now >= 60 * minutes:
                control.should_training_stop = control.should_save = True
            return control

        def on_log(self, args: Untyped, state: Untyped, control: Untyped, **kw: Untyped) -> None:
            del args, control
            logs = kw.get("logs") or {}
            if "loss" in logs:
                told = {"step": state.global_step, "loss": round(logs["loss"], 4)}
                sys.stderr.write(json.dumps(told | {"seconds": round(clock.elapsed())}) + "\n")
                sys.stderr.flush()

    return Ticking()
