"""The pretraining corpus: an endless, seeded stream of synthetic batches, and its recipe's hash."""

from __future__ import annotations

import hashlib
import json
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tool_use_om.data.errors import DataError, unknown
from tool_use_om.data.synthetic.curves.draws import Rng, Series, coin, log_uniform, unit

Family = Callable[[Rng, int, int], Series]

FAMILIES: dict[str, str] = {
    "trend": "tool_use_om.data.synthetic.curves.smooth:trend",
    "seasonality": "tool_use_om.data.synthetic.curves.smooth:seasonality",
    "gaussian_process": "tool_use_om.data.synthetic.curves.smooth:gaussian_process",
    "chirps": "tool_use_om.data.synthetic.curves.smooth:chirps",
    "arma": "tool_use_om.data.synthetic.curves.shifts:arma",
    "regimes": "tool_use_om.data.synthetic.curves.shifts:regimes",
    "events": "tool_use_om.data.synthetic.curves.shifts:events",
    "resources": "tool_use_om.data.synthetic.curves.shifts:resources",
    "gait": "tool_use_om.data.synthetic.curves.bodies:gait",
    "beats": "tool_use_om.data.synthetic.curves.bodies:beats",
    "mixup": "tool_use_om.tokenizers.pretrain.corpus:mixup",
    "causal": "tool_use_om.data.synthetic.curves.causal:causal",
}

# relative share of each family in the stream; `Corpus.causal` gives that family its own
SHARES: dict[str, float] = dict.fromkeys(FAMILIES, 1.0) | {
    "causal": 0.0,
    "gaussian_process": 1.5,
    "events": 1.5,
    "gait": 1.5,
    "mixup": 1.5,
}

DRAWS = "tool_use_om.data.synthetic.curves.draws"  # what all families draw with
TRAINING, VALIDATION = 0, 1  # first word of the seed: the two streams can never meet
LONGEST = 4096


def family(name: str) -> Family:
    """Return the family called `name`; raise NotFoundError for a name that is not registered."""
    if name not in FAMILIES:
        raise unknown("synthetic family", name, FAMILIES)
    found: Family = pkgutil.resolve_name(FAMILIES[name])
    return found


def draw(name: str, rng: Rng, n: int, length: int) -> NDArray[np.float32]:
    """Return (n, length) finished float32 series of one family: scaled, flipped, measured."""
    if n < 1 or not 8 <= length <= LONGEST:
        raise DataError(
            f"A draw needs n >= 1 and 8 <= length <= {LONGEST}, got n={n}, length={length}."
        )
    return measured(rng, family(name)(rng, n, length)).astype(np.float32)


def measured(rng: Rng, x: Series) -> Series:
    """Return `x` as an instrument would give it: some flipped, noisy, rounded or clipped."""
    n = x.shape[0]
    y = unit(x) * (1 - 2 * coin(rng, n, 0.5))
    noise = log_uniform(rng, 0.01, 0.5, (n, 1)) * coin(rng, n, 0.3)
    y = y + noise * rng.standard_normal(y.shape)
    step = log_uniform(rng, 0.02, 0.5, (n, 1))
    y = np.where(coin(rng, n, 0.1) > 0, np.rint(y / step) * step, y)
    limit = rng.uniform(0.8, 2.5, (n, 1))
    return unit(np.where(coin(rng, n, 0.1) > 0, np.clip(y, -limit, limit), y))


def mixup(rng: Rng, n: int, length: int) -> Series:
    """Return weighted sums of two or three series of the other families, some cut and joined.

    Source: TSMixup in Ansari et al. (2024), Chronos.
    """
    others = [name for name in FAMILIES if name not in ("mixup", "causal")]
    parts = np.empty((3 * n, length))
    owner = rng.integers(0, len(others), 3 * n)
    for k, name in enumerate(others):
        if (count := int((owner == k).sum())) > 0:
            parts[owner == k] = unit(family(name)(rng, count, length))
    a, b, c = parts.reshape(3, n, length)
    weights = rng.dirichlet((1.5, 1.5, 1.5), n)
    weights[:, 2] *= rng.random(n) < 0.5
    mixed = weights[:, :1] * a + weights[:, 1:2] * b + weights[:, 2:] * c
    joined = np.where(np.arange(length)[None, :] < rng.integers(0, length, (n, 1)), a, b)
    return np.where(coin(rng, n, 0.25) > 0, joined, mixed)


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A stream of batches fully determined by (seed, batch index).

    Parameters
    ----------
    seed : int, names the stream
    batch_samples : int, samples in a batch; a batch of length T has batch_samples // T series
    lengths : window lengths in samples, drawn uniformly, one a batch (so that batches are dense)
    causal : share of the family "causal" in the stream, 0 to 1; the others share the rest
    """

    seed: int = 0
    batch_samples: int = 32_768
    lengths: tuple[int, ...] = (64, 96, 128, 192, 256, 384, 512)
    causal: float = 0.0

    def shares(self) -> dict[str, float]:
        """Return the share of each family in the stream; they sum to one."""
        total = sum(SHARES.values())
        rest = {name: share * (1 - self.causal) / total for name, share in SHARES.items()}
        return rest | {"causal": self.causal}

    def length(self, index: int) -> int:
        """Return the length in samples of the series of batch `index`."""
        rng = np.random.default_rng((TRAINING, self.seed, index))
        return int(rng.choice(self.lengths))

    def batch(
        self, index: int, *, stretch: float = 1.0, rows: float = 1.0
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return training batch `index`: series (B, T) of unit variance, family numbers (B,).

        `stretch` draws the same number of series, each longer by that factor (to be cropped);
        `rows` that share of them (each to be seen more than once).
        """
        rng = np.random.default_rng((TRAINING, self.seed, index))
        length = int(rng.choice(self.lengths))
        n = max(2, round(self.batch_samples // length * rows))
        length = round(length * stretch)
        owner = rng.choice(len(FAMILIES), size=n, p=list(self.shares().values()))
        series = np.empty((n, length), dtype=np.float32)
        for k, name in enumerate(FAMILIES):
            if (count := int((owner == k).sum())) > 0:
                series[owner == k] = draw(name, rng, count, length)
        return series, owner

    def validation(self, name: str, n: int = 64, length: int = 256) -> NDArray[np.float32]:
        """Return (n, length) held-out series of one family, from a stream training never reads."""
        rng = np.random.default_rng((VALIDATION, self.seed, list(FAMILIES).index(name)))
        return draw(name, rng, n, length)

    def recipe(self) -> dict[str, object]:
        """Return what determines the stream: families, shares, lengths, seed and source code."""
        modules = sorted({where.partition(":")[0] for where in FAMILIES.values()} | {DRAWS})
        files = [Path(str(pkgutil.resolve_name(name).__file__)) for name in modules]
        source = hashlib.sha256(b"".join(file.read_bytes() for file in files))
        return {
            "families": {n: s for n, s in self.shares().items() if s > 0},
            "lengths": list(self.lengths),
            "batch_samples": self.batch_samples,
            "seed": self.seed,
            "source_sha256": source.hexdigest(),
        }

    def recipe_hash(self) -> str:
        """Return the SHA-256 of the recipe as canonical JSON."""
        text = json.dumps(self.recipe(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
