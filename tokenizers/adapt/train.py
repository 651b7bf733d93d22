"""Adapt a frozen tokenizer to an extreme domain: a LoRA adapter, saved apart from the weights.

The base weights never change (checked by their hash after training); an adapter is a folder of
peft's files and a card, and loading merges it into a copy of the weights in memory. Not covered:
tokenizers of other families, and adapters on top of adapters.

Source: Hu et al. (2022), *LoRA: Low-Rank Adaptation of Large Language Models*.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # the name torch's own documents use

from tool_use_om.data.errors import DataError
from tool_use_om.data.progress import Progress
from tool_use_om.data.values import Untyped
from tool_use_om.data.workspace import atomic_file, atomic_folder
from tool_use_om.tokenizers.adapt.adapter import (
    CARD_NAME,
    AdapterCard,
    AdaptSettings,
    _peft,
)
from tool_use_om.tokenizers.moment.checkpoint import weights_hash
from tool_use_om.tokenizers.moment.model import Moment
from tool_use_om.tokenizers.pretrain.loss import hidden_loss, hide
from tool_use_om.tokenizers.tokenizer import standardized
from tool_use_om.tokenizers.windows.windows import WindowBatch

HELD_SHARE = 0.2  # of the sessions given, kept to choose the step that is saved
CHECKS = 20  # how often in a run the held sessions are looked at


@dataclass(frozen=True, kw_only=True)
class _Material:
    """Standardised windows (N, C, T) on whole patches, classes (N,) and sessions held back."""

    series: Tensor
    classes: Tensor
    held: np.ndarray
    n_classes: int


def adapt(
    model: Moment,
    tokenizer: str,
    windows: WindowBatch,
    folder: Path,
    *,
    data: str,
    labels: np.ndarray | None = None,
    settings: AdaptSettings | None = None,
    progress: Progress | None = None,
) -> AdapterCard:
    """Train a LoRA adapter on windows and write it to `folder`, whole or not at all.

    Parameters
    ----------
    model : the base encoder; used up by the call (load it afresh to go on)
    tokenizer : its registered name, kept in the card
    windows : WindowBatch, training windows alone; those with a gap are left out
    folder : where the adapter goes
    data : what the windows are of, for the card
    labels : ndarray (B,) of str, for the objective "labels"
    progress : called with {"phase": "adapt", "done", "total", "unit"}

    Returns
    -------
    AdapterCard: losses on a fifth of the sessions, held back, before and at the step that is kept

    Raises
    ------
    DataError : too few whole windows or sessions, one class, or no labels for that objective; peft
        is not installed
    """
    settings = settings or AdaptSettings()
    material = _material(model, windows, labels, settings)
    base = weights_hash(model.eval())  # no dropout: it would draw from the global generator
    wrapped = _with_lora(model, settings)
    task = _Task(model=model, settings=settings, material=material)
    held_before, held, best = _train(task, wrapped, settings, progress)
    card = AdapterCard(
        tokenizer=tokenizer,
        base_weights_hash=base,
        settings=settings,
        data=data,
        n_windows=len(material.series),
        n_held=int(material.held.sum()),
        held_loss_before=held_before,
        held_loss=held,
        best_step=best,
        adapter_parameters=sum(p.numel() for n, p in wrapped.named_parameters() if "lora_" in n),
    )
    _write(wrapped, card, folder)
    if weights_hash(wrapped.unload()) != base:
        raise DataError("The base weights changed while the adapter was trained; it is not kept.")
    return card


def _material(
    model: Moment, windows: WindowBatch, labels: np.ndarray | None, settings: AdaptSettings
) -> _Material:
    """Prepare the windows, or say what is wrong with them."""
    if settings.objective == "labels" and labels is None:
        raise DataError("objective='labels' needs a label for each window; give `labels`.")
    names = np.asarray(windows.session_ids if labels is None else labels).astype(str)
    if len(names) != len(windows):
        raise DataError(
            f"`labels` must have one entry a window ({len(windows)}), got {len(names)}."
        )
    size = model.config.patch_len
    lead = windows.values.shape[-1] % size
    whole = np.flatnonzero(windows.mask[..., lead:].all(axis=(1, 2)))
    z = standardized(windows.values, windows.mask)[0][whole][..., lead:]
    sessions = np.asarray(windows.session_ids)[whole]
    classes, codes = np.unique(names[whole], return_inverse=True)
    held = _held(sessions, settings.seed)
    if settings.objective == "labels" and len(np.unique(codes[~held])) < 2:
        raise DataError("objective='labels' needs two classes at least among the windows.")
    if z.shape[-1] < 2 * size or len(whole) < 4 or not held.any() or held.all():
        raise DataError(
            f"Adapting needs 4 windows without gaps of {2 * size} samples, in two sessions, at "
            f"least; got {len(whole)} windows of {z.shape[-1]} samples in "
            f"{len(np.unique(sessions))} sessions."
        )
    return _Material(
        series=torch.from_numpy(np.ascontiguousarray(z)),
        classes=torch.from_numpy(codes),
        held=held,
        n_classes=len(classes),
    )


def _held(sessions: np.ndarray, seed: int) -> np.ndarray:
    """Return which windows belong to the sessions that are held back (bool)."""
    names = np.unique(sessions)
    order = np.random.default_rng((seed, 0)).permutation(len(names))
    chosen = names[order[: max(1, round(HELD_SHARE * len(names)))]]
    return np.isin(sessions, chosen)


def _with_lora(model: Moment, settings: AdaptSettings) -> Untyped:
    """Put LoRA on every linear map of the encoder stack; nothing else is trained."""
    peft = _peft()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        config = peft.LoraConfig(
            r=settings.rank,
            lora_alpha=2 * settings.rank,
            target_modules=r"encoder\.block\..*\.(q|k|v|o|wi_0|wi_1|wo)",
        )
        return peft.get_peft_model(model, config)


class _Task:
    """One objective: the loss of some windows."""

    def __init__(self, *, model: Moment, settings: AdaptSettings, material: _Material) -> None:
        self.model, self.material = model, material
        self.labels = settings.objective == "labels"
        _, channels, _ = material.series.shape
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            width = channels * model.config.d_model
            self.reader = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, material.n_classes))

    def loss(self, rows: np.ndarray, rng: np.random.Generator) -> Tensor:
        """Mean loss of the windows at `rows`."""
        x = self.material.series[torch.from_numpy(rows)]
        flat = x.flatten(0, 1)
        patches = flat.shape[-1] // self.model.config.patch_len
        if not self.labels:
            return hidden_loss(self.model, flat, hide(rng, len(flat), patches, 0.3, 0.4))[0]
        nothing = torch.zeros(len(flat), patches, dtype=torch.bool)
        _, tokens = hidden_loss(self.model, flat, nothing)
        pooled = tokens.mean(1).reshape(len(x), -1)
        told: Tensor = self.reader(pooled)
        return F.cross_entropy(told, self.material.classes[torch.from_numpy(rows)])

    def held(self, seed: int) -> float:
        """Loss of the windows held back, with the same hidden patches every time."""
        rows = np.flatnonzero(self.material.held)
        rng = np.random.default_rng((seed, 1))
        parts = [rows[i : i + 256] for i in range(0, len(rows), 256)]
        with torch.no_grad():
            losses = [float(self.loss(part, rng)) * len(part) for part in parts]
        return sum(losses) / len(rows)


def _train(
    task: _Task,
    wrapped: Untyped,
    settings: AdaptSettings,
    progress: Progress | None,
) -> tuple[float, float, int]:
    """Train; leave the adapter of the best step in place; return its losses and that step."""
    weights = [p for p in wrapped.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        [*weights, *task.reader.parameters()],
        lr=settings.learning_rate,
        weight_decay=0.01,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=settings.steps, pct_start=0.1
    )
    free = np.flatnonzero(~task.material.held)
    rng = np.random.default_rng((settings.seed, 2))
    before = best = task.held(settings.seed)
    kept, best_step = [w.detach().clone() for w in weights], 0
    every = max(1, settings.steps // CHECKS)
    for step in range(1, settings.steps + 1):
        loss = task.loss(rng.choice(free, min(settings.batch, len(free)), replace=False), rng)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()
        if step % every == 0 or step == settings.steps:
            now = task.held(settings.seed)
            if now < best:
                best, best_step = now, step
                kept = [w.detach().clone() for w in weights]
            if progress is not None:
                event = {"phase": "adapt", "done": step, "total": settings.steps, "unit": "steps"}
                progress(event)
    with torch.no_grad():
        for weight, value in zip(weights, kept, strict=True):
            weight.copy_(value)
    return before, best, best_step


def _write(wrapped: Untyped, card: AdapterCard, folder: Path) -> None:
    with atomic_folder(folder) as partial:
        wrapped.save_pretrained(str(partial), safe_serialization=True)
        (partial / "README.md").unlink(missing_ok=True)  # peft's empty form
        text = json.dumps(card.model_dump(), indent=2) + "\n"
        with atomic_file(partial / CARD_NAME) as file:
            file.write_text(text, encoding="utf-8")
