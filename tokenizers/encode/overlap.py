"""Overlapping patches: shifted copies of each window are encoded and their tokens interleaved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tool_use_om.data.progress import Progress
from tool_use_om.tokenizers.tokenizer import Tokenizer
from tool_use_om.tokenizers.tokens import Tokens
from tool_use_om.tokenizers.windows.windows import WindowBatch


def encode_overlapping(
    tokenizer: Tokenizer, batch: WindowBatch, shift: int, *, progress: Progress | None = None
) -> Tokens:
    """Encode windows with a patch every `shift` samples.

    Copy k of a window leaves out its last k * shift samples and is a window of its own: its patches
    end so much earlier. The context is that of the whole window.

    Parameters
    ----------
    tokenizer : Tokenizer
    batch : WindowBatch
    shift : int, samples; a whole part of the tokenizer's patch_len
    progress : as for `Tokenizer.encode`, once a copy

    Returns
    -------
    Tokens with P = (T - patch_len) // shift + 1 patches, `shift` samples apart

    Raises
    ------
    DataError : windows that do not fit the encoder
    """
    length, samples = tokenizer.spec.patch_len, batch.values.shape[-1]
    whole = tokenizer.encode(batch, progress=progress)
    if shift == length:
        return whole
    n_patches = (samples - length) // shift + 1
    values = np.zeros((*whole.values.shape[:2], n_patches, whole.values.shape[-1]), np.float32)
    mask = np.zeros(values.shape[:3], dtype=bool)
    extent = batch.extent
    lead = (extent % shift) / batch.rate_hz  # samples of the window's start that no patch holds
    for k in range(length // shift):
        part = whole
        if k:
            shorter = ending_at(batch, extent - k * shift, length)
            part = tokenizer.encode(shorter, progress=progress)
        late = part.start_s - (batch.start_s + lead)[:, None]
        slot = np.rint(late * batch.rate_hz / shift).astype(np.int64)
        valid = part.mask & ((slot >= 0) & (slot < n_patches))[:, None]
        rows, channels, patches = np.nonzero(valid)
        values[rows, channels, slot[rows, patches]] = part.values[rows, channels, patches]
        mask[rows, channels, slot[rows, patches]] = True
    first = batch.start_s + lead
    return replace(
        whole,
        values=values,
        mask=mask,
        start_s=first[:, None] + np.arange(n_patches) * shift / batch.rate_hz,
    )


def ending_at(batch: WindowBatch, ends: np.ndarray, patch_len: int) -> WindowBatch:
    """Return the windows masked from sample `ends` (B,) on, or from whole patches earlier.

    Patches end at the last measured sample. Where nothing is measured just before the wished end,
    the patch that ends there is not whole anyway, and the window is cut before it, so that the
    remaining patches keep their places.
    """
    samples = batch.values.shape[-1]
    measured = np.asarray(batch.mask.any(axis=1))
    candidates = ends[:, None] - patch_len * np.arange(samples // patch_len + 1)
    held = np.take_along_axis(measured, (candidates - 1).clip(0, samples - 1), axis=1)
    usable = held & (candidates > 0)
    found = np.take_along_axis(candidates, usable.argmax(axis=1)[:, None], axis=1)[:, 0]
    end = np.where(usable.any(axis=1), found, 0)
    mask = batch.mask & (np.arange(samples) < end[:, None])[:, None]
    return replace(batch, values=np.where(mask, batch.values, 0), mask=mask)
