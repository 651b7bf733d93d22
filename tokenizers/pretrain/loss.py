"""What pretraining lowers: the loss of hidden patches, here also on held-out synthetic series."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # the name torch's own documents use

from tool_use_om.tokenizers.moment.model import Moment
from tool_use_om.tokenizers.pretrain.corpus import FAMILIES, Corpus

HELD_MASKS = 3  # first word of the seeds of the patches hidden in held-out series
N_HELD = 64  # held-out series a family
LARGEST = 10.0  # normalised target; where all that is visible is flat, a hidden step has no limit


def hide(rng: np.random.Generator, n: int, n_patches: int, low: float, high: float) -> Tensor:
    """Return (n, n_patches) bool: the same number of patches hidden in every row, 1 at least."""
    count = min(n_patches - 1, max(1, round(rng.uniform(low, high) * n_patches)))
    order = rng.random((n, n_patches)).argsort(axis=1)
    return torch.from_numpy(order < count)


def hidden_loss(m: Moment, x: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """Series (B, T) and hidden patches (B, P) bool → loss of the hidden, tokens (B, P, D)."""
    size = m.config.patch_len
    visible = ~hidden.repeat_interleave(size, dim=-1)
    z = m.normalize(x[:, None], visible[:, None])[0][:, 0].clamp(-LARGEST, LARGEST)
    patches = z.reshape(len(z), -1, size)
    at = torch.arange(m.config.max_patches - patches.shape[1], m.config.max_patches)
    at = at.to(x.device)
    tokens = m.encoder(m.patch_embedding(patches, m.positions[at], hidden), at)
    rebuilt = m.head(tokens).reshape(patches.shape)
    return F.huber_loss(rebuilt[hidden].float(), patches[hidden]), tokens


@torch.inference_mode()
def held_out_losses(model: Moment, *, seed: int = 0) -> dict[str, float]:
    """Return the loss on held-out series of each family: for a seed the same series and patches."""
    losses, device = {}, next(model.parameters()).device
    for k, name in enumerate(FAMILIES):
        x = torch.from_numpy(Corpus(seed=seed).validation(name, N_HELD)).to(device)
        rng = np.random.default_rng((HELD_MASKS, seed, k))
        hidden = hide(rng, N_HELD, x.shape[1] // model.config.patch_len, 0.35, 0.35).to(device)
        losses[name] = float(hidden_loss(model, x, hidden)[0])
    return losses


def table(losses: dict[str, dict[str, float]]) -> str:
    """Return losses by model and family as a Markdown table: one row a family, the mean last."""
    rows = {name: [model[name] for model in losses.values()] for name in FAMILIES}
    rows["**mean**"] = [sum(model.values()) / len(model) for model in losses.values()]
    lines = ["| family | " + " | ".join(losses) + " |", "|---|" + "---:|" * len(losses)]
    lines += [
        f"| {name} | " + " | ".join(f"{x:.4f}" for x in row) + " |" for name, row in rows.items()
    ]
    return "\n".join(lines)
