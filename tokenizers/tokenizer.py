"""A frozen encoder with what surrounds it: batches within a memory budget, tokens in seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Protocol, get_args

import numpy as np
import torch
from torch import Tensor, nn

from tool_use_om.data.errors import DataError, unknown
from tool_use_om.data.progress import Progress
from tool_use_om.tokenizers.moment.checkpoint import weights_hash
from tool_use_om.tokenizers.moment.fused import FastMoment, even_size
from tool_use_om.tokenizers.moment.model import Moment
from tool_use_om.tokenizers.spec import Precision, TokenizerSpec
from tool_use_om.tokenizers.tokens import Tokens
from tool_use_om.tokenizers.windows.windows import WindowBatch

CONTEXT_NAMES = ("mean", "std", "log_std")
DEFAULT_BUDGET_MB = 256.0
CONSTANT = 1e-6  # a deviation below this share of the largest value is rounding, not signal
_FLOATS_A_PATCH = 18  # activations alive at once for each patch, in multiples of d_model
_BYTES_A_SAMPLE = 64  # of standardising, in double precision


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
    encoder : a torch module with `encode` and `reconstruct`; it is frozen here. A `Moment` runs in
        its inference form, on weights packed when the first window comes
    budget_mb : float, memory beside weights and result; bounds how many series are encoded at once
    precision : what the encoder calculates in; another than "float32" only for a `Moment`

    Attributes
    ----------
    precision : str, "float32", "bfloat16" or "int8"
    """

    def __init__(
        self,
        spec: TokenizerSpec,
        encoder: nn.Module,
        *,
        budget_mb: float = DEFAULT_BUDGET_MB,
        precision: Precision = "float32",
    ) -> None:
        if not budget_mb > 0:
            raise DataError(f"budget_mb must be above 0, got {budget_mb}.")
        self.spec = spec
        self.budget_mb = budget_mb
        self._module = encoder.eval().requires_grad_(False)
        self.precision = _possible(spec, encoder, precision)
        self._encoder: Encoder = (
            FastMoment(encoder, self.precision) if isinstance(encoder, Moment) else encoder  # type: ignore[assignment]  # any module with the two methods
        )

    def __repr__(self) -> str:
        return f"Tokenizer({self.spec.name!r}, precision={self.precision!r})"

    def at_precision(self, precision: Precision) -> Tokenizer:
        """Return this tokenizer calculating in `precision`; the weights are shared.

        Raises
        ------
        NotFoundError : unknown name
        DataError : a precision that this encoder does not have
        """
        return Tokenizer(self.spec, self._module, budget_mb=self.budget_mb, precision=precision)

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
        shape = (*batch.values.shape[:2], batch.values.shape[-1] // length)
        values = np.zeros((*shape, self.spec.d_model), np.float32)
        mask = np.zeros(shape, dtype=bool)
        context = np.zeros((*shape[:2], len(CONTEXT_NAMES)), np.float32)
        n_patches = shape[2]
        for part in self._slabs(batch):
            z, context[part] = standardized(batch.values[part], batch.mask[part])
            done = 0
            for rows, channel, series, measured in self._chunks(z, batch.mask[part]):
                tokens, valid = self._encoded(series, measured)
                values[part][rows, channel, : tokens.shape[1]] = tokens
                mask[part][rows, channel, : valid.shape[1]] = valid
                done += len(rows)
                _report(progress, part.start + done // shape[1], len(batch))
            _report(progress, part.stop, len(batch))
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
        rebuilt = np.full(batch.values.shape, np.nan, np.float32)
        for part in self._slabs(batch):
            z, context = standardized(batch.values[part], batch.mask[part])
            for rows, channel, series, measured in self._chunks(z, batch.mask[part]):
                out = self._run(self._encoder.reconstruct, series, measured)
                kept = self._whole(measured).repeat(self.spec.patch_len, axis=1)
                n = kept.shape[1]
                first = extents(batch.mask[part])[rows] - n
                at = first[:, None] + np.arange(n)
                mean, std = (context[rows, channel, k, None] for k in (0, 1))
                rebuilt[part][rows[:, None], channel[:, None], at] = np.where(
                    kept, out[:, -n:] * std + mean, np.nan
                )
        return rebuilt

    def _encoded(self, series: np.ndarray, measured: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Tokens (N, P, D), 0 where not valid, and valid (N, P)."""
        tokens = self._run(self._encoder.encode, series, measured)
        valid = self._whole(measured)
        tokens[~valid] = 0
        return tokens, valid

    def _whole(self, measured: np.ndarray) -> np.ndarray:
        """Which patches (N, P) have all their samples, from masks (N, T)."""
        length = self.spec.patch_len
        kept = measured[:, measured.shape[1] % length :]
        return np.asarray(kept.reshape(len(kept), -1, length).all(axis=-1))

    def _slabs(self, batch: WindowBatch) -> Iterator[slice]:
        """Yield windows that are standardised together, within a quarter of the budget."""
        at_once = int(self.budget_mb * 2**18 / (_BYTES_A_SAMPLE * max(1, batch.values[:1].size)))
        size = even_size(len(batch), max(1, at_once))
        for start in range(0, len(batch), size):
            yield slice(start, min(start + size, len(batch)))

    def _chunks(
        self, z: np.ndarray, mask: np.ndarray
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
        """Yield rows, channels, series (N, T) and masks (N, T) of equally many patches.

        Series end at their window's last measured sample; those with fewer samples before their
        first whole patch have masked ones there, so that a mixed batch is a few dense ones.
        """
        extent = extents(mask)
        patches = extent // self.spec.patch_len
        for n_patches in np.unique(patches[patches > 0]):
            samples = int(extent[patches == n_patches].max())
            within = np.arange(mask.shape[-1]) < extent[:, None]
            some = (mask & within[:, None]).any(axis=-1)
            rows, channel = np.nonzero((patches == n_patches)[:, None] & some)
            size = even_size(len(rows), self._series_at_once(int(n_patches)))
            for start in range(0, len(rows), size):
                r, c = rows[start : start + size], channel[start : start + size]
                at = extent[r, None] - samples + np.arange(samples)
                from_here = (r[:, None], c[:, None], np.maximum(at, 0))
                yield r, c, z[from_here], mask[from_here] & (at >= 0)

    def _series_at_once(self, patches: int) -> int:
        """How many series of this length fit three quarters of the budget (at least one)."""
        floats = patches * (self.spec.d_model * _FLOATS_A_PATCH + patches * 16)
        return max(1, int(0.75 * self.budget_mb * 2**20 / (4 * floats)))

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


def extents(mask: np.ndarray) -> np.ndarray:
    """Samples up to the last that any channel has (B,), from masks (B, C, T)."""
    used = np.asarray(mask.any(axis=1))
    return np.asarray((used.shape[1] - used[:, ::-1].argmax(axis=1)) * used.any(axis=1))


def _possible(spec: TokenizerSpec, encoder: nn.Module, asked: Precision) -> Precision:
    """Return the precision asked for; raise an error for one there is not, or not here."""
    if asked not in get_args(Precision):
        raise unknown("precision", asked, get_args(Precision))
    if asked != "float32" and not isinstance(encoder, Moment):
        raise DataError(
            f"{spec.name} calculates in float32 with this backend, not in {asked}. "
            "Choose a tokenizer of the MOMENT family, or precision='float32'."
        )
    return asked


def _report(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress({"phase": "encode", "done": done, "total": total, "unit": "windows"})


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
