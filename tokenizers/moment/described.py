"""What an encoder may read of a patch besides its values: its shape, its steps, its statistics.

A linear map of values alone hardly sees a small shape on a large slope, or quick steps in a smooth
window. Nothing here reads across patches but the window's steps, and those only where it may see.

Source: Feofanov et al. (2025), Mantis (differences, and statistics of patches, as further inputs).
Different here: no convolutions.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

Inputs = Literal["values", "described"]
FLAT, STILL = 0.05, 1e-3  # deviations of a patch and of steps that count as none, window scales


def described(patches: Tensor, seen: Tensor) -> Tensor:
    """Describe patches.

    Parameters
    ----------
    patches : Tensor (N, P, L), normalised by their windows
    seen : Tensor (N, P) bool, the patches that the window's steps are measured on

    Returns
    -------
    Tensor (N, P, 3 L + 4): values; values in the patch's own mean and scale; steps in the window's
    scale, the first of them 0; mean; logarithms of the deviation, of the steps against the
    window's, and (halved) of the window's steps
    """
    mean = patches.mean(-1, keepdim=True)
    centred = patches - mean
    deviation = centred.square().mean(-1, keepdim=True).sqrt()
    steps = nn.functional.pad(patches.diff(dim=-1), (1, 0))
    power = steps.square().mean(-1, keepdim=True)
    counted = seen[..., None]
    whole = torch.where(counted, power, 0).sum(1, keepdim=True)
    whole = (whole / counted.sum(1, keepdim=True).clamp(min=1)).sqrt() + STILL
    parts = [
        patches,
        centred / (deviation + FLAT),
        steps / whole,
        mean,
        (deviation + FLAT).log(),
        (power.sqrt() / whole + FLAT).log(),
        whole.log().expand_as(mean) / 2,
    ]
    return torch.cat(parts, dim=-1)
