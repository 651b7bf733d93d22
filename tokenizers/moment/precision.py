"""Which numbers an encoder calculates in: chosen per machine by a short measurement, and said."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

import torch

from tool_use_om.data.errors import unknown

Precision = Literal["float32", "bfloat16", "int8"]
Choice = Literal["auto", "float32", "bfloat16", "int8"]
FASTER = 1.5  # bfloat16 is taken from this factor on; below, its rounding buys too little
_SHAPE = (128, 256, 256)
_REPEATS = 5
_LONG_S = 0.01  # a product that takes this long is emulated: once is enough


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A precision and, in words, why."""

    name: Precision
    why: str


def choose(asked: Choice = "auto") -> Chosen:
    """Return the precision to calculate in.

    Parameters
    ----------
    asked : "auto" takes bfloat16 where this machine multiplies matrices at least 1.5 times faster
        in it (measured once a process, in a tenth of a second or so), else float32; int8 only when
        asked

    Raises
    ------
    NotFoundError : unknown name
    """
    if asked not in get_args(Choice):
        raise unknown("precision", asked, get_args(Choice))
    return measured() if asked == "auto" else Chosen(name=asked, why="as asked")


@cache
def measured() -> Chosen:
    """Return the fastest precision of this machine that keeps tokens within 0.999 in cosine."""
    wide, narrow = (_product_s(dtype) for dtype in (torch.float32, torch.bfloat16))
    ratio = wide / narrow
    rate = f"bfloat16 products run at {ratio:.2g} times the speed of float32 here"
    return Chosen(name="bfloat16" if ratio >= FASTER else "float32", why=rate)


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


def _product_s(dtype: torch.dtype) -> float:
    """Shortest time of one matrix product, seconds; an emulated one is not repeated."""
    rows, inner, columns = _SHAPE
    left, right = torch.ones(rows, inner, dtype=dtype), torch.ones(inner, columns, dtype=dtype)
    best = float("inf")
    with torch.inference_mode():
        for _ in range(_REPEATS):
            start = time.perf_counter()
            torch.mm(left, right)
            best = min(best, time.perf_counter() - start)
            if best > _LONG_S:
                break
    return best
