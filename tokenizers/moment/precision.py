"""Whether this processor has instructions for products in bfloat16; they are asked for."""

from __future__ import annotations

import torch


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
