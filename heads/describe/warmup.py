"""Warm the convolution up before the language model is read through it: facts from curves alone.

It learns which pattern a curve follows and where it stands against its limit, by linear readings of
its tokens. A step costs a hundredth of one through the language model.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from tool_use_om.data.progress import Progress, track
from tool_use_om.heads.describe.encoder import (
    CURVES,
    N_SOFT,
    SignalEncoder,
    TemporalEncoder,
    rows_of,
)
from tool_use_om.heads.describe.resources import (
    CHANNELS,
    PATTERNS,
    Curve,
    ResourceCurveSynthesizer,
)

Array = np.ndarray
BATCH = 32
_RATE = 1.5e-3
_KINDS = tuple(PATTERNS)
_NUMBERS = 6
_UNLIMITED = 0.2  # share of curves shown without their limit, whose pattern alone is asked
_STREAM = 7_919  # so that its curves are none that questions are asked about


def warm_up(
    encoder: SignalEncoder, steps: int, seed: int, progress: Progress | None = None
) -> list[float]:
    """Train the convolution for some steps; return the loss of each. Tokenizers need none."""
    if encoder.source != CURVES or steps == 0:
        return []
    made = ResourceCurveSynthesizer(seed + _STREAM)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        reading = nn.Linear(N_SOFT * TemporalEncoder.width, len(_KINDS) + _NUMBERS)
    weights = [*encoder.encoder.parameters(), *reading.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=_RATE)
    losses = []
    for step in track(range(steps), progress, phase="warm up", unit="steps", total=steps):
        for group in optimizer.param_groups:
            group["lr"] = _RATE * (1 - step / steps)
        rows, kinds, numbers, known = _drawn(made, seed, step)
        read = reading(encoder.encoder(rows).flatten(1))
        loss = nn.functional.cross_entropy(read[:, : len(_KINDS)], kinds)
        apart = (read[:, len(_KINDS) :] - numbers).pow(2).mean(dim=1)
        loss = loss + 10 * (apart * known).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def _drawn(
    made: ResourceCurveSynthesizer, seed: int, step: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return rows (B, …), patterns (B,), numbers (B, _NUMBERS) and whether limits were shown."""
    rng = np.random.default_rng([seed, step, 3])
    rows, kinds, numbers, known = [], [], [], []
    for i in range(BATCH):
        kind = int(rng.integers(len(_KINDS)))
        name = CHANNELS[int(rng.integers(len(CHANNELS)))]
        curve = made.draw_pattern(BATCH * step + i, name, _KINDS[kind]).curves[0]
        limited = rng.random() >= _UNLIMITED
        rows.append(rows_of(curve.values, curve.limit if limited else None))
        kinds.append(kind)
        numbers.append(_numbers(curve))
        known.append(float(limited))
    return (
        torch.from_numpy(np.stack(rows)),
        torch.tensor(kinds),
        torch.tensor(np.stack(numbers), dtype=torch.float32),
        torch.tensor(known),
    )


def _numbers(curve: Curve) -> Array:
    """Return a curve's first, last, lowest, highest and mean share of the limit, and time at it."""
    share = curve.values / curve.limit
    ends = [np.median(share[:5]), np.median(share[-5:])]
    return np.array([*ends, share.min(), share.max(), share.mean(), (share >= 0.995).mean()])
