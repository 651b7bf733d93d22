"""A frozen encoder with what surrounds it: batches within a memory budget, tokens in seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from tool_use_om.data.errors import DataError
from tool_use_om.data.progress import Progress
from tool_use_om.tokenizers.checkpoint import weights_hash
from tool_use_om.tokenizers.spec import TokenizerSpec
from tool_use_om.tokenizers.tokens import Tokens
from tool_use_om.tokenizers.windows import WindowBatch

CONTEXT_NAMES = ("mean", "std", "log_std")
DEFAULT_BUDGET_MB = 256.0
CONSTANT = 1e-6  # a deviation below this share of the largest value is rounding, not signal
_FLOATS_A_PATCH = 16  # activations alive at once for each patch, in multiples of d_model


class Encoder(Protocol):
    """What a tokenizer needs of a model: windows (B, C, T) in, patches out."""

    def encode(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(B, C, T) → (B, C, T // patch_len, D), 0 where the patch is not valid."""
        ...

    def reconstruct(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(B, C, T) → (B, C, T)."""
        ...


class Tokenizer:
    """A frozen patch encoder.

    Each channel of each window is standardised by its own valid samples in double precision before
    the encoder's own normalisation, so that tokens do not depend on unit or offset however small
    the signal (RevIN alone adds 1e-5 to the deviation, which swamps a signal in volts). Padding at
    a window's end is cut off before encoding: a short session gives the tokens of itself alone.

    Parameters
    ----------
    spec : TokenizerSpec
    encoder : a torch module with `encode` and `reconstruct`; it is frozen here
    budget_mb : float, memory for activations; bounds how many series are encoded at once
    """

    def __init__(
        self, spec: TokenizerSpec, encoder: nn.Module, *, budget_mb: float = DEFAULT_BUDGET_MB
    ) -> None:
        if not budget_mb > 0:
            raise DataError(f"budget_mb must be above 0, got {budget_mb}.")
        self.spec = spec
        self.budget_mb = budget_mb
        self._encoder: Encoder = encoder.eval().requires_grad_(False)  # type: ignore[assignment]  # any module with the two methods
        self._module = encoder

    def __repr__(self) -> str:
        return f"Tokenizer({self.spec.name!r})"

    @cached_property
    def weights_hash(self) -> str:
        """SHA-256 (hex) of the weights as they were loaded."""
        return self.current_weights_hash()

    def current_weights_hash(self) -> str:
        """SHA-256 (hex) of the weights as they are now: frozen means it never changes."""
        return weights_hash(self._module)

    def encode(self, batch: WindowBatch, *, progress: Progress | None = None) -> Tokens:
        """Encode windows.

        Parameters
        ----------
        batch : WindowBatch, patch_len <= T <= native_context samples
        progress : called with {"phase": "encode", "done", "total", "unit"}

        Returns
        -------
        Tokens with P = T // patch_len patches. Patches end at the last measured sample of their
        window: where its length is no multiple of patch_len, the first samples of it are in no
        patch. Constant channels have tokens; channels without a whole patch have none.

        Raises
        ------
        DataError : windows that do not fit the encoder
        """
        self._check(batch)
        length = self.spec.patch_len
        z, context = standardized(batch.values, batch.mask)
        n_patches = batch.values.shape[-1] // length
        values = np.zeros((*z.shape[:2], n_patches, self.spec.d_model), np.float32)
        mask = np.zeros(values.shape[:3], dtype=bool)
        for rows, channel, tokens, valid in self._series(z, batch, progress):
            values[rows, channel, : tokens.shape[1]] = tokens
            mask[rows, channel, : valid.shape[1]] = valid
        lead = batch.extent % length
        patch_s = length / batch.rate_hz
        first = batch.start_s + lead / batch.rate_hz
        return Tokens(
            values=values,
            mask=mask,
            start_s=first[:, None] + np.arange(n_patches) * patch_s,
            patch_s=patch_s,
            channels=batch.channels,
            session_ids=batch.session_ids,
            window_start_s=batch.start_s,
            window_s=batch.window_s,
            context=context,
            context_names=CONTEXT_NAMES,
        )

    def reconstruct(self, batch: WindowBatch) -> np.ndarray:
        """Rebuild windows from their tokens.

        Returns
        -------
        ndarray (B, C, T) float32, channel units, NaN where no patch was encoded

        Raises
        ------
        DataError : windows that do not fit the encoder
        """
        self._check(batch)
        length = self.spec.patch_len
        z, context = standardized(batch.values, batch.mask)
        rebuilt = np.full(z.shape, np.nan, np.float32)
        for rows, channel, series, measured in self._chunks(z, batch):
            out = self._run(self._encoder.reconstruct, series, measured)
            lead = series.shape[1] % length
            whole = measured[:, lead:].reshape(len(rows), -1, length).all(axis=-1)
            kept = np.pad(whole.repeat(length, axis=1), ((0, 0), (lead, 0)))
            rebuilt[rows, channel, : series.shape[1]] = np.where(kept, out, np.nan)
        mean, std = context[..., 0:1], context[..., 1:2]
        return np.asarray(rebuilt * std + mean)

    def _series(
        self, z: np.ndarray, batch: WindowBatch, progress: Progress | None
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Yield rows, channels, tokens (N, P, D) and valid (N, P) of one chunk after another."""
        length, done, total = self.spec.patch_len, 0, z.shape[0] * z.shape[1]
        for rows, channel, series, measured in self._chunks(z, batch):
            tokens = self._run(self._encoder.encode, series, measured)
            whole = measured[:, series.shape[1] % length :].reshape(len(rows), -1, length)
            valid = np.asarray(whole.all(axis=-1))
            yield rows, channel, np.where(valid[..., None], tokens, 0), valid
            done += len(rows)
            if progress is not None:
                share = done * len(batch) // total
                progress({"phase": "encode", "done": share, "total": len(batch), "unit": "windows"})

    def _chunks(
        self, z: np.ndarray, batch: WindowBatch
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Yield rows, channels, series (N, T') and masks (N, T') of equal length, within budget."""
        extent = batch.extent
        for samples in np.unique(extent[extent >= self.spec.patch_len]):
            rows, channel = np.nonzero(
                (extent == samples)[:, None] & batch.mask[..., :samples].any(axis=-1)
            )
            size = self._series_at_once(int(samples))
            for at in range(0, len(rows), size):
                r, c = rows[at : at + size], channel[at : at + size]
                yield r, c, z[r, c, :samples], batch.mask[r, c, :samples]

    def _series_at_once(self, samples: int) -> int:
        """How many series of this length fit the budget (at least one)."""
        patches = samples // self.spec.patch_len
        floats = patches * (self.spec.d_model * _FLOATS_A_PATCH + patches * 16)
        return max(1, int(self.budget_mb * 2**20 / (4 * floats)))

    def _run(
        self, method: Callable[[Tensor, Tensor], Tensor], series: np.ndarray, mask: np.ndarray
    ) -> np.ndarray:
        """Call the encoder on series (N, T) as windows of one channel; return its first axis N."""
        with torch.inference_mode():
            out = method(torch.from_numpy(series)[:, None], torch.from_numpy(mask)[:, None])
        return np.asarray(out[:, 0].float().numpy())

    def _check(self, batch: WindowBatch) -> None:
        """Raise DataError for windows the encoder cannot take."""
        samples, limit = batch.values.shape[-1], self.spec.native_context
        if not self.spec.patch_len <= samples <= limit:
            low, high = self.spec.patch_len / batch.rate_hz, limit / batch.rate_hz
            raise DataError(
                f"window_s must be {low:.3g} to {high:.3g} s at {batch.rate_hz:g} Hz for "
                f"{self.spec.name} ({self.spec.patch_len} to {limit} samples); got "
                f"{batch.window_s:.3g} s ({samples} samples). Change window_s or target_rate_hz."
            )
        if batch.values.shape != batch.mask.shape:
            raise DataError(
                f"values and mask must have one shape, got {batch.values.shape} and "
                f"{batch.mask.shape}."
            )


def standardized(values: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Remove each channel's mean and deviation over its valid samples.

    Parameters
    ----------
    values : ndarray (B, C, T), channel units
    mask : ndarray (B, C, T) bool

    Returns
    -------
    z (B, C, T) float32, 0 where masked or constant; context (B, C, 3) float32: mean and standard
    deviation in channel units (0 without a valid sample) and the latter's natural logarithm,
    floored at log(1e-6)
    """
    wide = np.where(mask, values, 0).astype(np.float64)
    n = np.maximum(mask.sum(axis=-1, keepdims=True), 1)
    mean = wide.sum(axis=-1, keepdims=True) / n
    centred = np.where(mask, wide - mean, 0)
    std = np.sqrt((centred**2).sum(axis=-1, keepdims=True) / n)
    flat = std <= CONSTANT * np.abs(wide).max(axis=-1, keepdims=True, initial=0)
    std = np.where(flat, 0, std)
    z = np.where(flat, 0, centred / np.where(flat, 1, std)).astype(np.float32)
    context = np.concatenate([mean, std, np.log(np.maximum(std, 1e-6))], axis=-1)
    return z, context.astype(np.float32)
