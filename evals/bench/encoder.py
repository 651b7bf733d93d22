"""How fast our encoder is beside momentfm: one process, published shapes, the same weights."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tool_use_om.data.errors import DataError
from tool_use_om.tokenizers.moment.fused import FastMoment
from tool_use_om.tokenizers.moment.load import SHAPES
from tool_use_om.tokenizers.moment.model import Moment, MomentConfig
from tool_use_om.tokenizers.moment.reference import MomentfmEncoder
from tool_use_om.tokenizers.spec import Precision

CHANNELS = 6
LENGTHS = (512, 128)
SECONDS = 60.0  # for all shapes, lengths and precisions together
WINDOWS = {"moment-small": 2, "moment-base": 1, "moment-large": 1}
LEAST_ROUNDS = 2
_SHARES = {"moment-small": 0.5, "moment-base": 0.3, "moment-large": 0.2}


@dataclass(frozen=True, kw_only=True)
class Timing:
    """What calls took in turns: wall and processor seconds, (rounds, calls)."""

    wall_s: Tensor
    cpu_s: Tensor

    def ratio(self, call: int) -> tuple[float, float, float]:
        """How many times faster than the first call: of the best times, least, most of a round."""
        rounds = self.wall_s[:, 0] / self.wall_s[:, call]
        best = self.wall_s.amin(0)
        return float(best[0] / best[call]), float(rounds.min()), float(rounds.max())

    def cpu_ratio(self, call: int) -> float:
        """How much less processor time than the first call, best of each."""
        best = self.cpu_s.amin(0)
        return float(best[0] / best[call])


def bench_tokenizers(*, seconds: float = SECONDS) -> list[dict[str, Any]]:
    """Measure our encoder in each precision and momentfm at the published shapes.

    All hold the same random weights and encode the same windows of 6 channels under
    `inference_mode`, in turns, so that what else the machine does falls on all. Windows shorter
    than 512 samples are padded for momentfm, which always computes all 64 patches. bfloat16 is left
    out where the processor has no instructions for it: emulated figures say nothing.

    Parameters
    ----------
    seconds : float, time for all of it, about; every call is made at least twice

    Returns
    -------
    list of dict, one for each shape, length and precision: encoder, samples, channels, precision,
    windows_per_s of both (momentfm's None if it is not installed), speedup with the least and most
    of any round, speedup_cpu in processor time (steadier on a shared machine), max_abs_diff and
    min_cosine over all tokens, gflop_per_s reached by ours, matmul_gflop_per_s possible in
    float32, share of it, threads
    """
    possible = matmul_gflops(seconds=min(1.0, seconds))
    rows = []
    for name, windows in WINDOWS.items():
        model = Moment(SHAPES[name], seed=0).eval().requires_grad_(False)
        subject = _Subject(name=name, model=model, reference=_reference(model), windows=windows)
        for samples in LENGTHS:
            rows += subject.rows(samples, seconds * _SHARES[name] / len(LENGTHS), possible)
    return rows


def precisions() -> list[Precision]:
    """What can be measured here: bfloat16 only where the processor has instructions for it."""
    return ["float32", *(["bfloat16"] if bfloat16_instructions() else []), "int8"]  # type: ignore[list-item]  # literals, joined


def bfloat16_note() -> str:
    """Say whether bfloat16 could be measured."""
    found = bfloat16_instructions()
    if found is not None:
        return f"bfloat16 runs on this processor's {found} instructions."
    return (
        "This processor has no bfloat16 instructions: its speed (aims: 5 times momentfm at 512 "
        "samples, 20 times at 128) cannot be measured here and no number stands in for it."
    )


def matmul_gflops(size: int = 1024, seconds: float = 1.0) -> float:
    """Measured fp32 matmul rate of this machine with torch's threads, GFLOP/s."""
    square = torch.randn(size, size, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        shortest = in_turns([lambda: torch.mm(square, square)], seconds).wall_s.min()
    return 2 * size**3 / float(shortest) / 1e9


def encoder_flops(config: MomentConfig, patches: int) -> float:
    """Floating-point operations to encode one series of `patches` patches, as the model states it.

    Ours needs fewer (the first layer's queries, keys and values come from the patches directly);
    the rate it reaches is counted on this number all the same.
    """
    inner = config.n_heads * config.d_kv
    linear = 4 * config.d_model * inner + 3 * config.d_model * config.d_ff
    attention = 2 * patches * inner
    return 2.0 * patches * config.n_layers * (linear + attention)


def in_turns(calls: list[Callable[[], Tensor]], seconds: float) -> Timing:
    """Time the calls one after the other, again and again, for about `seconds`."""
    rounds: list[list[tuple[float, float]]] = []
    end = time.perf_counter() + seconds
    while len(rounds) < LEAST_ROUNDS or time.perf_counter() < end:
        rounds.append([_timed(call) for call in calls])
    both = torch.tensor(rounds, dtype=torch.float64)
    return Timing(wall_s=both[..., 0], cpu_s=both[..., 1])


def _timed(call: Callable[[], Tensor]) -> tuple[float, float]:
    """Wall and processor seconds of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, max(time.process_time() - cpu, 1e-9)


@dataclass(frozen=True, kw_only=True)
class _Subject:
    """One shape: our module, and momentfm's with its weights where it is installed."""

    name: str
    model: Moment
    reference: MomentfmEncoder | None
    windows: int

    def rows(self, samples: int, seconds: float, possible: float) -> list[dict[str, Any]]:
        """Measure one length."""
        generator = torch.Generator().manual_seed(samples)
        x = torch.randn(self.windows, CHANNELS, samples, generator=generator)
        names = precisions()
        encoders = [FastMoment(self.model, name).encode for name in names]
        base = self.model.encode if self.reference is None else self.reference.encode
        calls: list[Callable[[], Tensor]] = [lambda e=e: e(x) for e in (base, *encoders)]  # type: ignore[misc]  # bound now, not late
        with torch.inference_mode():
            outputs = [call() for call in calls]
            timing = in_turns(calls, seconds)
        facts = {
            "encoder": self.name,
            "samples": samples,
            "channels": CHANNELS,
            "matmul_gflop_per_s": possible,
            "threads": torch.get_num_threads(),
        }
        return [
            facts | {"precision": name} | self._compared(timing, index, outputs, samples, possible)
            for index, name in enumerate(names, start=1)
        ]

    def _compared(
        self, timing: Timing, index: int, outputs: list[Tensor], samples: int, possible: float
    ) -> dict[str, Any]:
        """One precision beside momentfm, or beside our plain module for the differences alone."""
        per_s = self.windows / timing.wall_s.amin(0)
        patches = samples // self.model.config.patch_len
        reached = CHANNELS * encoder_flops(self.model.config, patches) * float(per_s[index]) / 1e9
        best, least, most = timing.ratio(index)
        known = self.reference is not None
        return {
            "windows_per_s": float(per_s[index]),
            "momentfm_windows_per_s": float(per_s[0]) if known else None,
            "speedup": best if known else None,
            "speedup_range": (least, most) if known else None,
            "speedup_cpu": timing.cpu_ratio(index) if known else None,
            "max_abs_diff": float((outputs[index] - outputs[0]).abs().max()),
            "min_cosine": float(torch.cosine_similarity(outputs[index], outputs[0], dim=-1).min()),
            "gflop_per_s": reached,
            "share_of_matmul": reached / possible,
        }


def _reference(model: Moment) -> MomentfmEncoder | None:
    """Return momentfm's encoder with our weights, None if the package is not installed."""
    try:
        reference = MomentfmEncoder(model)
    except DataError:
        return None
    reference.eval().requires_grad_(False)
    return reference


def bfloat16_instructions() -> str | None:
    """Name this processor's instructions for bfloat16 products, None if it has none we know of."""
    known = {
        "AMX": "_is_amx_tile_supported",
        "AVX-512 BF16": "_is_avx512_bf16_supported",
    }
    for name, probe in known.items():
        found = getattr(torch.cpu, probe, None)  # private in torch: may go
        if found is not None and found():
            return name
    return None
