"""The least and the greatest sample of each window, which an encoder's tokens do not hold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from tool_use_om.tokenizers.tokens import Tokens
    from tool_use_om.tokenizers.windows.windows import WindowBatch

EXTREMES = ("low", "high")


def with_extremes(tokens: Tokens, windows: WindowBatch) -> Tokens:
    """Return tokens that also carry the least and the greatest sample of each window.

    Parameters
    ----------
    tokens : Tokens of B windows
    windows : WindowBatch, the same B windows in the same order

    Returns
    -------
    Tokens with the context features "low" and "high" behind the others, channel units; where a
        channel has no sample in a window, its mean
    """
    mean = tokens.context[..., tokens.context_names.index("mean")]
    seen = windows.mask.any(axis=2)
    low = np.where(windows.mask, windows.values, np.inf).min(axis=2)
    high = np.where(windows.mask, windows.values, -np.inf).max(axis=2)
    columns = [np.where(seen, low, mean)[..., None], np.where(seen, high, mean)[..., None]]
    context = np.concatenate([tokens.context, *columns], axis=-1).astype(np.float32)
    return replace(tokens, context=context, context_names=(*tokens.context_names, *EXTREMES))


def without_extremes(tokens: Tokens) -> Tokens:
    """Return tokens without what `with_extremes` added."""
    kept = [i for i, name in enumerate(tokens.context_names) if name not in EXTREMES]
    names = tuple(tokens.context_names[i] for i in kept)
    return replace(tokens, context=tokens.context[..., kept], context_names=names)
