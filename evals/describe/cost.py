"""What a step costs: the whole output layer against the corpus's words, and that both agree."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch

from tool_use_om.evals.report import Table
from tool_use_om.heads.describe.prompts import prompt_of
from tool_use_om.heads.describe.reader import Batch, Reader
from tool_use_om.heads.describe.tasks import Task, Tasks

_TASKS: tuple[Task, ...] = ("A", "B", "C")


def cost(reader: Reader, words: Sequence[int], *, batch_size: int, repeats: int) -> Table:
    """Return a row a task: tokens, seconds of a forward and backward pass, both losses."""
    rows = []
    for task in _TASKS:
        samples = [Tasks(0).sample(i, task) for i in range(batch_size)]
        prompts = [prompt_of(s) for s in samples]
        batch = reader.batch(prompts, [s.answer for s in samples])
        short = min(_seconds(reader, batch, words, everywhere=False) for _ in range(repeats))
        long = min(_seconds(reader, batch, words, everywhere=True) for _ in range(repeats))
        rows.append({
            "task": task,
            "tokens a row": str(batch.ids.shape[1]),
            "s, answer's words": f"{short / batch_size:.3f}",
            "s, all positions and words": f"{long / batch_size:.3f}",
            "gain": f"{long / short:.2f}",
            "loss differs by": f"{_apart(reader, batch, words):.1e}",
        })  # fmt: skip
    note = (
        f"Seconds a row of a forward and backward pass, batches of {batch_size}, best of "
        f"{repeats}, {len(words)} words. The losses are of the short list and of the whole "
        "vocabulary with all other logits at minus infinity."
    )
    return Table(title="Cost of a step", note=note, rows=tuple(rows))


def _seconds(reader: Reader, batch: Batch, words: Sequence[int], *, everywhere: bool) -> float:
    began = time.perf_counter()
    loss = _whole(reader, batch) if everywhere else reader.loss(batch, words)[0]
    torch.autograd.backward(loss)
    reader.encoder.zero_grad()
    return time.perf_counter() - began


def _whole(reader: Reader, batch: Batch) -> torch.Tensor:
    """Return the loss as libraries compute it: logits of every position over every word."""
    weight = reader.network.get_output_embeddings().weight
    logits = (reader.hidden(batch)[:, :-1] @ weight.T).float()
    target = batch.ids[:, 1:].masked_fill(~batch.taught[:, 1:], -100)
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten())


def _apart(reader: Reader, batch: Batch, words: Sequence[int]) -> float:
    """Return how far the loss over words is from that over all words with others shut out."""
    with torch.inference_mode():
        taught = batch.taught[:, 1:]
        hidden, target = reader.hidden(batch)[:, :-1][taught], batch.ids[:, 1:][taught]
        weight = reader.network.get_output_embeddings().weight
        shut = torch.full((weight.shape[0],), -torch.inf)
        shut[list(words)] = 0.0
        whole = torch.nn.functional.cross_entropy((hidden @ weight.T).float() + shut, target)
        return abs(float(whole - reader.loss(batch, words)[0]))
