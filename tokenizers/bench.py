"""How fast our encoder is beside momentfm: one process, one shape, one set of weights."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tool_use_om.data.errors import DataError
from tool_use_om.tokenizers.moment import Moment, MomentConfig
from tool_use_om.tokenizers.reference import MomentfmEncoder

SMALL = MomentConfig(d_model=512, d_ff=1024, n_layers=8, n_heads=6)
CHANNELS = 6
WINDOWS = 2
LENGTHS = (512, 128)
SECONDS = 6.0  # measured for each encoder and length, in turns


def bench_tokenizers(*, seconds: float = SECONDS) -> list[dict[str, Any]]:
    """Measure windows a second of our encoder and of momentfm at MOMENT-1-small's shape.

    Both hold the same random weights and encode the same windows of 6 channels in fp32 under
    `inference_mode`, in turns, so that what else the machine does falls on both. Windows shorter
    than 512 samples are padded for momentfm, which always computes all 64 patches.

    Parameters
    ----------
    seconds : float, time measured for each encoder and length

    Returns
    -------
    list of dict, one for each length: samples, channels, windows_per_s of both (momentfm's None if
    it is not installed), speedup, max_abs_diff over all tokens, gflop_per_s reached by ours,
    matmul_gflop_per_s possible, threads
    """
    model = Moment(SMALL, seed=0).eval().requires_grad_(False)
    reference = _reference(model)
    possible = matmul_gflops(seconds=min(1.0, seconds))
    return [_row(model, reference, samples, seconds, possible) for samples in LENGTHS]


def matmul_gflops(size: int = 1024, seconds: float = 1.0) -> float:
    """Measured fp32 matmul rate of this machine with torch's threads, GFLOP/s."""
    square = torch.randn(size, size, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        rate = 1 / _shortest([lambda: torch.mm(square, square)], seconds)[0]
    return 2 * size**3 * rate / 1e9


def encoder_flops(config: MomentConfig, patches: int) -> float:
    """Floating-point operations to encode one series of `patches` patches."""
    inner = config.n_heads * config.d_kv
    linear = 4 * config.d_model * inner + 3 * config.d_model * config.d_ff
    attention = 2 * patches * inner
    return 2.0 * patches * config.n_layers * (linear + attention)


def _row(
    model: Moment, reference: MomentfmEncoder | None, samples: int, seconds: float, possible: float
) -> dict[str, Any]:
    """Measure one length."""
    generator = torch.Generator().manual_seed(samples)
    x = torch.randn(WINDOWS, CHANNELS, samples, generator=generator)
    with torch.inference_mode():
        ours: list[Callable[[], Tensor]] = [lambda: model.encode(x)]
        theirs = [] if reference is None else [lambda: reference.encode(x)]
        outputs = [encode() for encode in ours + theirs]
        taken = _shortest(ours + theirs, seconds)
    per_s = [WINDOWS / t for t in taken]
    flops = CHANNELS * encoder_flops(model.config, samples // model.config.patch_len)
    known = reference is not None
    return {
        "samples": samples,
        "channels": CHANNELS,
        "windows_per_s": per_s[0],
        "momentfm_windows_per_s": per_s[1] if known else None,
        "speedup": per_s[0] / per_s[1] if known else None,
        "max_abs_diff": float((outputs[0] - outputs[1]).abs().max()) if known else None,
        "gflop_per_s": flops * per_s[0] / 1e9,
        "matmul_gflop_per_s": possible,
        "threads": torch.get_num_threads(),
    }


def _shortest(calls: list[Callable[[], Tensor]], seconds: float) -> list[float]:
    """Shortest time of each call, taken in turns for `seconds` each."""
    best = [float("inf")] * len(calls)
    end = time.perf_counter() + seconds * len(calls)
    while time.perf_counter() < end or float("inf") in best:
        for index, call in enumerate(calls):
            start = time.perf_counter()
            call()
            best[index] = min(best[index], time.perf_counter() - start)
    return best


def _reference(model: Moment) -> MomentfmEncoder | None:
    """Return momentfm's encoder with our weights, None if the package is not installed."""
    try:
        reference = MomentfmEncoder(model)
    except DataError:
        return None
    reference.eval().requires_grad_(False)
    return reference
