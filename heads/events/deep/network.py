"""What every architecture has in common: its size, its head, how it is trained and when it stops.

The rule of training, the same for all: AdamW; batches of 32; in each epoch the same number of
training windows, drawn anew and without repetition; log loss on at most 256 evenly spaced check
windows after each; it stops when that has not fallen, at the latest after four epochs, and the best
epoch's weights are kept.
"""

from __future__ import annotations

import copy
import math
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.heads.events.model import EventModel
from tool_use_om.heads.events.windows import EventWindows, Split

if TYPE_CHECKING:
    import torch
    from torch import nn

    from tool_use_om.heads.events.deep.networks.judged import Judged

Array = np.ndarray
HEADS = 8  # of every attention; widths are multiples of it
_LAYERS = ((5e6, 2), (5e7, 4), (math.inf, 8))  # up to so many parameters: so many layers
_WIDEST = 4096
_BATCH, _AT_ONCE = 32, 128
WINDOWS_AN_EPOCH, MOST_EPOCHS, PATIENCE, MOST_CHECKED = 512, 4, 1, 256
RATE, WARM_UP, DECAY, DROPOUT = 5e-4, 12, 0.01, 0.1


class NetworkModel(EventModel):
    """An architecture with a head for one probability, built to a number of parameters."""

    epochs: ClassVar[int] = MOST_EPOCHS

    def _fit(self, learnt: Split, check: Split) -> None:
        import torch

        with _seeded(self.seed):
            build = self._builder(learnt.windows)
            self.width_, self.layers_ = sized(build, self.parameters)
            self.network_ = build(self.width_, self.layers_).to(_device())
            share = float(learnt.y.mean())
            torch.nn.init.constant_(self.network_.last.bias, math.log(share / (1 - share)))
            self._train(learnt, check.thinned(MOST_CHECKED))

    def _builder(self, windows: EventWindows) -> Callable[[int, int], Judged]:
        import torch

        from tool_use_om.heads.events.deep.networks.judged import Judged

        shape = (len(windows.features), windows.context)

        def build(width: int, layers: int) -> Judged:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(self.seed)
                return Judged(self.body(*shape, width, layers), dropout=DROPOUT)

        return build

    @abstractmethod
    def body(self, n_features: int, context: int, width: int, layers: int) -> nn.Module:
        """Return a module from (B, context, F) windows to (B, d) descriptions; it knows its `d`."""

    @property
    def n_parameters(self) -> int:
        """Trained numbers."""
        return count(self.network_)

    def _train(self, learnt: Split, check: Split) -> None:
        import torch
        from torch.nn.functional import binary_cross_entropy_with_logits as log_loss

        network = self.network_
        rng = np.random.default_rng(self.seed)
        y = torch.as_tensor(learnt.y, dtype=torch.float32, device=_device())
        optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
        warm = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda s: min(1.0, (s + 1) / WARM_UP))
        best, kept, waited = math.inf, copy.deepcopy(network.state_dict()), 0
        size = min(WINDOWS_AN_EPOCH, len(learnt.y))
        for epoch in range(1, self.epochs + 1):
            started, losses = time.perf_counter(), []
            network.train()
            for rows in _batches(rng.permutation(len(learnt.y))[:size]):
                x = _tensor(learnt.windows.select(rows))
                with _mixed():
                    said = network(x)
                loss = log_loss(said.float(), y[rows])
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]  # of torch
                torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimiser.step()
                warm.step()
                losses.append(float(loss.detach()))
            seen = _log_loss(self._proba(check.windows), check.y)
            self._keep(epoch, float(np.mean(losses)), seen, time.perf_counter() - started)
            if seen < best - 1e-5:
                best, kept, waited = seen, copy.deepcopy(network.state_dict()), 0
            else:
                waited += 1
            if waited >= PATIENCE:
                break
        network.load_state_dict(kept)

    def _keep(self, epoch: int, loss: float, seen: float, seconds: float) -> None:
        if not math.isfinite(loss) or not math.isfinite(seen):
            raise DataError(
                f"{self.spec.name} did not stay finite in epoch {epoch} (seed {self.seed}). "
                "Try another seed, or fewer parameters."
            )
        self.curve.append({"step": float(epoch), "train": loss, "check": seen, "seconds": seconds})

    def _proba(self, windows: EventWindows) -> Array:
        import torch

        self.network_.eval()
        parts = []
        with torch.no_grad(), _seeded(self.seed):
            for rows in _batches(np.arange(len(windows)), _AT_ONCE):
                with _mixed():
                    said = self.network_(_tensor(windows.select(rows)))
                parts.append(torch.sigmoid(said.float()).cpu().numpy())
        return np.concatenate(parts)


def sized(build: Callable[[int, int], nn.Module], wanted: int) -> tuple[int, int]:
    """Return width and layers with the number of parameters nearest to the wanted one.

    Layers follow from the number alone: 2 up to 5 million, 4 up to 50, else 8. Widths are multiples
    of the heads'.

    Raises
    ------
    DataError : fewer than the narrowest network has
    """
    layers = next(n for most, n in _LAYERS if wanted <= most)
    low, high = 2 * HEADS, _WIDEST

    def size(width: int) -> int:
        import torch

        with torch.device("meta"):
            return count(build(width, layers))

    if size(low) > 2 * wanted:
        raise DataError(
            f"The narrowest network has {size(low):,} parameters, {wanted:,} were asked for. "
            f"Ask for at least {size(low):,}."
        )
    while high - low > HEADS:
        middle = (low + high) // 2 // HEADS * HEADS
        low, high = (middle, high) if size(middle) <= wanted else (low, middle)
    nearest = min((low, high), key=lambda width: abs(size(width) - wanted))
    return nearest, layers


def count(network: nn.Module) -> int:
    """Return the trained numbers of a network; a complex one is two."""
    trained = (p for p in network.parameters() if p.requires_grad)
    return sum(p.numel() * (2 if p.is_complex() else 1) for p in trained)


def _device() -> torch.device:
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _mixed() -> torch.autocast | nullcontext[None]:
    """Return bfloat16 for matrix products: on current CPUs and GPUs several times faster."""
    import torch

    return torch.autocast(_device().type, torch.bfloat16)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Draw from a seed within, and leave torch's and numpy's own generators as they were."""
    import torch

    before = np.random.get_state()  # noqa: NPY002  # FEDformer's library draws from it
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(before)  # noqa: NPY002


def _tensor(windows: EventWindows) -> torch.Tensor:
    import torch

    return torch.as_tensor(windows.values(), device=_device())


def _batches(rows: Array, size: int = _BATCH) -> list[Array]:
    """Return rows in parts; a last one of a single row joins the one before."""
    edges = list(range(0, len(rows), size))
    if len(edges) > 1 and len(rows) - edges[-1] == 1:
        edges.pop()
    return [rows[a:b] for a, b in zip(edges, [*edges[1:], len(rows)], strict=True)]


def _log_loss(said: Array, y: Array) -> float:
    sure = np.clip(said, 1e-6, 1 - 1e-6)
    return float(-(y * np.log(sure) + (1 - y) * np.log(1 - sure)).mean())
