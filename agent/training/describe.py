"""Train a signal encoder through a frozen language model on the describing corpus.

Everything drawn is a function of (seed, step), so a resumed run repeats what an unbroken one would
have done. Batches are of one task, as its rows are about equally long.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tool_use_om.agent.training.clock import Clock, rate
from tool_use_om.agent.training.events import EventWriter
from tool_use_om.data.errors import DataError
from tool_use_om.data.progress import Progress
from tool_use_om.data.values import Untyped
from tool_use_om.data.workspace import atomic_file, atomic_folder

if TYPE_CHECKING:
    from tool_use_om.heads.describe.prompts import Prompt
    from tool_use_om.heads.describe.reader import Reader

EPOCH = 1024  # samples that a folder's name counts as an epoch
WEIGHTS, CARD = "encoder.safetensors", "reader.json"
_KEPT = 2  # checkpoints
_WORDS_FROM = 1500  # samples whose answers' words are chosen between
_CLIP = 1.0


@dataclass(frozen=True, kw_only=True)
class DescribeConfig:
    """How to train.

    Parameters
    ----------
    source : "curves" or a registered tokenizer's name
    minutes : float, of wall clock over all starts; the learning rates fall to zero with it
    steps : int, optimiser steps; used where `minutes` is 0
    warm_steps : int, of the encoder alone, before the first step
    exam : path of TimeSeriesExam's questions, whose lessons are taken instead of resource curves
    start_from : folder of a trained reader of the same source, the stage before this one
    """

    source: str = "curves"
    minutes: float = 0.0
    steps: int = 0
    batch_size: int = 8
    encoder_rate: float = 3e-4
    projector_rate: float = 1e-3
    warm_steps: int = 1000
    save_minutes: float = 5.0
    save_steps: int = 0
    seed: int = 0
    exam: str = ""
    start_from: str = ""


def train_reader(
    reader: Reader, out: Path, config: DescribeConfig, progress: Progress | None = None
) -> dict[str, Any]:
    """Train until the clock or the steps end; go on from the folder's last checkpoint.

    Returns
    -------
    What happened, also written as `reader.json` beside the weights

    Raises
    ------
    DataError : neither minutes nor steps, a folder of another run, no room on the disk
    """
    run = _Run(reader, out, config)
    before = reader.frozen_hash()
    for step in run.left():
        found = run.step(step)
        if progress is not None:
            progress({"phase": "train", "unit": "steps", **run.part(step), **found})
        if run.due(step):
            run.save(step + 1)
    run.save(run.done)
    after = reader.frozen_hash()
    if before != after:
        raise DataError("The language model's weights have changed in training: this is a fault.")
    return run.finish({"language_model_hash": after})


class _Run:
    """The state of one run: optimiser, clock, events, losses."""

    def __init__(self, reader: Reader, out: Path, config: DescribeConfig) -> None:
        import torch

        if not config.minutes and not config.steps:
            raise DataError("Give --minutes or --steps: one of them ends the training.")
        self.reader, self.out, self.config = reader, out, config
        _check_recipe(out, asdict(config) | {"width": width_of(reader)})
        encoder = reader.encoder
        self.optimizer = torch.optim.AdamW([
            {"params": list(encoder.encoder.parameters()), "lr": config.encoder_rate},
            {"params": list(encoder.projector.parameters()), "lr": config.projector_rate},
        ])  # fmt: skip
        self._rates = [config.encoder_rate, config.projector_rate]
        self.lessons = _lessons(config)
        self.words = corpus_words(reader, config.seed)
        self.done, seconds = 0, 0.0
        self.losses: list[list[Any]] = []
        last = last_checkpoint(out)
        if last is not None:
            self.done, self.losses, seconds = self._load(last)
        self.clock = Clock(seconds)
        self.saved_s = self.clock.elapsed()
        self.events = EventWriter(out / "events")
        if last is None:
            self._warm_up()

    def _warm_up(self) -> None:
        from tool_use_om.heads.describe.warmup import warm_up

        if self.config.start_from:
            _put_weights(Path(self.config.start_from), self.reader)
            self.save(0)
            return
        losses = warm_up(self.reader.encoder, self.config.warm_steps, self.config.seed)
        for step in range(0, len(losses), 20):
            self.events.add(step, {"warm_up/loss": losses[step]})
        self.save(0)

    def left(self) -> Iterator[int]:
        """Yield the steps still to do."""
        while self.part(self.done)["done"] < self.part(self.done)["total"]:
            yield self.done

    def part(self, step: int) -> dict[str, float]:
        """Return how far the run is."""
        if self.config.minutes:
            return {"done": int(self.clock.elapsed()), "total": int(60 * self.config.minutes)}
        return {"done": step, "total": self.config.steps}

    def step(self, step: int) -> dict[str, float]:
        """Make one step; return its loss and the share of tokens that were likeliest."""
        import torch

        here = self.part(step)
        share = max(1e-3, rate(here["done"] + 1, here["total"] / 60))
        for group, peak in zip(self.optimizer.param_groups, self._rates, strict=True):
            group["lr"] = peak * share
        prompts = self.lessons(step)
        batch = self.reader.batch(prompts, [p.answer for p in prompts])
        loss, right, _ = self.reader.loss(batch, self.words)
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.reader.encoder.parameters(), _CLIP)
        self.optimizer.step()
        found = {"loss": float(loss.detach()), "token_accuracy": float(right.float().mean())}
        kind = _kind_of(self.config, prompts[0])
        self.events.add(step, {f"{kind}/{k}": v for k, v in found.items()} | {"rate": share})
        self.losses.append([step, kind, round(found["loss"], 6)])
        self.done = step + 1
        return found

    def due(self, step: int) -> bool:
        """Say whether it is time for a checkpoint."""
        every = self.config.save_steps
        if every:
            return (step + 1) % every == 0
        return self.clock.elapsed() - self.saved_s >= 60 * self.config.save_minutes

    def save(self, step: int) -> None:
        """Write a checkpoint, whole or not at all; older ones go."""
        from tool_use_om.tokenizers.pretrain.state import save_state

        epoch = step * self.config.batch_size // EPOCH
        target = self.out / f"epoch_{epoch}_step_{step}"
        state = {"step": step, "losses": self.losses, "seconds": self.clock.elapsed()}
        if not target.exists():
            try:
                with atomic_folder(target) as partial:
                    save_state(partial, self.reader.encoder, self.optimizer, state)
            except OSError as error:
                raise DataError(
                    f"No checkpoint could be written to {self.out}: {error}. What was saved before "
                    "is whole: make room and run the same command again."
                ) from error
        self.saved_s = self.clock.elapsed()
        for old in _checkpoints(self.out)[:-_KEPT]:
            shutil.rmtree(old, ignore_errors=True)

    def _load(self, folder: Path) -> tuple[int, list[list[Any]], float]:
        from tool_use_om.tokenizers.pretrain.state import load_state

        state = load_state(folder, self.reader.encoder, self.optimizer)
        return int(state["step"]), list(state["losses"]), float(state["seconds"])

    def finish(self, more: Mapping[str, Any]) -> dict[str, Any]:
        """Write the trained encoder and its card."""
        from safetensors.torch import save_file

        weights = {k: v.detach().contiguous() for k, v in self.reader.encoder.state_dict().items()}
        with atomic_file(self.out / WEIGHTS) as partial:
            save_file(weights, partial)
        card = {
            "source": self.config.source,
            "width": width_of(self.reader),
            "config": asdict(self.config),
            "steps": self.done,
            "samples": self.done * self.config.batch_size,
            "minutes": round(self.clock.elapsed() / 60, 2),
            "trained_parameters": sum(p.numel() for p in self.reader.encoder.parameters()),
            "losses": self.losses,
            **more,
        }
        with atomic_file(self.out / CARD) as partial:
            partial.write_text(json.dumps(card, indent=1), encoding="utf-8")
        return card


def _kind_of(config: DescribeConfig, prompt: Prompt) -> str:
    if config.exam:
        return "exam"
    return "A" if not prompt.options else "B" if len(prompt.options) > 2 else "C"


def _lessons(config: DescribeConfig) -> Callable[[int], list[Prompt]]:
    """Return what gives the prompts of a step, a function of the seed and the step alone."""
    if not config.exam:
        return lambda step: batch_of(config, step)
    import numpy as np

    from tool_use_om.heads.describe.exam import exam_prompt, lessons_of, read_exam

    items = lessons_of(read_exam(Path(config.exam)))

    def drawn(step: int) -> list[Prompt]:
        rng = np.random.default_rng([config.seed, step, 4])
        return [exam_prompt(items[i]) for i in rng.integers(len(items), size=config.batch_size)]

    return drawn


def batch_of(config: DescribeConfig, step: int) -> list[Prompt]:
    """Return the prompts of a step: of one task, drawn by the tasks' shares."""
    import numpy as np

    from tool_use_om.heads.describe.prompts import prompt_of
    from tool_use_om.heads.describe.tasks import SHARES, Tasks

    names, shares = zip(*SHARES, strict=True)
    rng = np.random.default_rng([config.seed, step, 2])
    task = names[int(rng.choice(len(names), p=shares))]
    first = step * config.batch_size
    tasks = Tasks(config.seed)
    return [prompt_of(tasks.sample(first + i, task)) for i in range(config.batch_size)]


def corpus_words(reader: Reader, seed: int) -> list[int]:
    """Return the tokens that answers of the corpus are made of, sorted."""
    from tool_use_om.heads.describe.exam import LETTERS
    from tool_use_om.heads.describe.resources import CHANNELS
    from tool_use_om.heads.describe.sentences import every_form
    from tool_use_om.heads.describe.tasks import Tasks

    tasks = Tasks(seed)
    found = {i for digit in range(100) for i in reader.ids_of(f" {digit}.{digit:02d}")}
    found |= {i for text in every_form(CHANNELS) for i in reader.answer_ids(text)}
    found |= {i for letter in LETTERS for i in reader.answer_ids(letter)}
    for number in range(_WORDS_FROM):
        sample = tasks.sample(number)
        for answer in (sample.answer, *sample.options):
            found |= set(reader.answer_ids(answer))
    return sorted(found)


def width_of(reader: Reader) -> int:
    """Return how wide the language model's embedding is."""
    return int(reader.network.get_input_embeddings().weight.shape[1])


def load_reader(folder: Path, network: Untyped, tokenizer: Untyped) -> Reader:
    """Return a trained reader over a language model; of a run that goes on, its last checkpoint.

    Raises
    ------
    DataError : no trained reader there, or one for a model of another width
    """
    from tool_use_om.heads.describe.reader import Reader

    reader = Reader(network, tokenizer, str(_card(folder)["source"]))
    _put_weights(folder, reader)
    return reader


def _card(folder: Path) -> dict[str, Any]:
    """Return what a reader is: of its card, or of the recipe of a run that has not ended."""
    ended = (folder / CARD).is_file() or last_checkpoint(folder) is None
    try:
        text = (folder / (CARD if ended else "recipe.json")).read_text(encoding="utf-8")
        card: dict[str, Any] = json.loads(text)
    except (OSError, ValueError) as error:
        raise _no_reader(folder, error) from error
    return card


def _no_reader(folder: Path, error: Exception) -> DataError:
    said = f"No trained reader in {folder}: {error}. "
    return DataError(said + "Train one: tuom describe pretrain --out FOLDER --minutes 60.")


def _put_weights(folder: Path, reader: Reader) -> None:
    """Put trained weights into a reader; raise DataError where they do not fit."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from tool_use_om.tokenizers.pretrain.state import STATE_NAME

    card = _card(folder)
    if card["width"] != width_of(reader):
        raise DataError(
            f"The reader in {folder} is for a language model of width {card['width']}, this one is "
            f"{width_of(reader)} wide. Give the model it was trained with, or train anew."
        )
    if card["source"] != reader.encoder.source:
        raise DataError(
            f"The reader in {folder} reads {card['source']}, not {reader.encoder.source}: give "
            f"--source {card['source']}."
        )
    last = last_checkpoint(folder)
    ended = (folder / CARD).is_file() or last is None
    try:
        kept = load_file(folder / WEIGHTS if ended else (last or folder) / STATE_NAME)
        if not ended:
            kept = {k[6:]: v for k, v in kept.items() if k.startswith("model.")}
        reader.encoder.load_state_dict(kept)
    except (OSError, RuntimeError, SafetensorError) as error:
        raise _no_reader(folder, error) from error


def last_checkpoint(out: Path) -> Path | None:
    """Return the newest checkpoint of a run, None if there is none."""
    return next(reversed(_checkpoints(out)), None)


def _checkpoints(out: Path) -> list[Path]:
    found = [f for f in out.glob("epoch_*_step_*") if f.is_dir()]
    return sorted(found, key=lambda f: int(f.name.rpartition("_")[2]))


def _check_recipe(out: Path, recipe: Mapping[str, Any]) -> None:
    """Write what is trained into a new folder; refuse one that holds another run."""
    out.mkdir(parents=True, exist_ok=True)
    kept = out / "recipe.json"
    if not kept.is_file():
        with atomic_file(kept) as partial:
            partial.write_text(json.dumps(recipe, indent=1), encoding="utf-8")
        return
    before = json.loads(kept.read_text(encoding="utf-8"))
    differ = [k for k, v in recipe.items() if before.get(k, v) != v]
    if differ:
        raise DataError(f"{out} holds a run with other {', '.join(differ)}. Give a new folder.")
