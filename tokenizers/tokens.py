"""Tokens: one vector for each patch of each channel, placed on the seconds axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np

from tool_use_om.data.errors import DataError, unknown


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Tokens of B windows with C channels, P patches and D numbers a patch.

    Parameters
    ----------
    values : ndarray (B, C, P, D) float32, 0 where `mask` is False
    mask : ndarray (B, C, P) bool, True = the patch was whole and has been encoded
    start_s : ndarray (B, P) float64, seconds from session start to the patch's first sample
    patch_s : float, seconds a patch covers
    channels : channel ids, length C
    session_ids : one a window, length B
    window_start_s : ndarray (B,) float64, seconds from session start
    window_s : float, seconds a full window covers
    context : ndarray (B, C, K) float32, what the encoder's normalisation removed, channel units
    context_names : K names, such as "mean" and "std"
    units : of the channels' values, length C; empty where nobody said
    """

    values: np.ndarray
    mask: np.ndarray
    start_s: np.ndarray
    patch_s: float
    channels: tuple[str, ...]
    session_ids: tuple[str, ...]
    window_start_s: np.ndarray
    window_s: float
    context: np.ndarray
    context_names: tuple[str, ...]
    units: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        b, c, p = len(self.session_ids), len(self.channels), self.start_s.shape[-1]
        expected = {
            "values": (b, c, p, self.values.shape[-1]),
            "mask": (b, c, p),
            "start_s": (b, p),
            "window_start_s": (b,),
            "context": (b, c, len(self.context_names)),
        }
        for name, shape in expected.items():
            got = getattr(self, name).shape
            if got != shape:
                raise DataError(f"Tokens.{name} must have shape {shape}, got {got}.")
        if len(self.units) not in {0, c}:
            raise DataError(f"Tokens.units must name {c} units or none, got {len(self.units)}.")

    def __len__(self) -> int:
        return len(self.session_ids)

    @property
    def end_s(self) -> np.ndarray:
        """Seconds from session start to the end of each window's last valid patch (B,).

        A window without any valid patch ends where it starts.
        """
        ends = np.where(self.fused_mask, self.start_s + self.patch_s, -np.inf)
        last = ends.max(axis=1, initial=-np.inf)
        return np.where(np.isfinite(last), last, self.window_start_s)

    @property
    def fused_mask(self) -> np.ndarray:
        """Patches that any channel has (B, P) bool."""
        return np.asarray(self.mask.any(axis=1))

    def fused(self) -> np.ndarray:
        """Channels merged on the seconds axis: the mean over valid channels (B, P, D), else 0."""
        return _masked_mean(self.values, self.mask, axis=1)

    def pooled(
        self, mode: Literal["mean", "channels", "last"] = "mean", *, context: bool = False
    ) -> np.ndarray:
        """One vector a window.

        Parameters
        ----------
        mode : "mean" over channels and patches → F = D; "channels", the mean over each channel's
            patches side by side → F = C * D; "last", each channel's last valid patch → F = C * D
        context : append the context features → F + C * K

        Returns
        -------
        ndarray (B, F) float32; zeros stand for channels without a valid patch
        """
        if mode == "mean":
            flat = self.values.reshape(len(self), -1, self.values.shape[-1])
            pooled = _masked_mean(flat, self.mask.reshape(len(self), -1), axis=1)
        elif mode == "channels":
            pooled = _masked_mean(self.values, self.mask, axis=2).reshape(len(self), -1)
        elif mode == "last":
            pooled = self._last().reshape(len(self), -1)
        else:
            raise unknown("pooling mode", str(mode), ("mean", "channels", "last"))
        if not context:
            return pooled
        return np.concatenate([pooled, self.context.reshape(len(self), -1)], axis=1)

    def select(self, index: np.ndarray | Sequence[int]) -> Self:
        """The windows at `index` (integers, or a boolean array of length B), in that order."""
        rows = rows_at(index, len(self))
        return replace(
            self,
            values=self.values[rows],
            mask=self.mask[rows],
            start_s=self.start_s[rows],
            session_ids=tuple(self.session_ids[r] for r in rows),
            window_start_s=self.window_start_s[rows],
            context=self.context[rows],
        )

    def without_channels(self, names: Sequence[str]) -> Self:
        """The same windows with some channels left out; raise NotFoundError for an unknown one."""
        for name in names:
            if name not in self.channels:
                raise unknown("channel", name, self.channels)
        kept = [i for i, name in enumerate(self.channels) if name not in set(names)]
        if not kept:
            raise DataError("At least one channel must be left; all were to be dropped.")
        return replace(
            self,
            values=self.values[:, kept],
            mask=self.mask[:, kept],
            channels=tuple(self.channels[i] for i in kept),
            context=self.context[:, kept],
            units=tuple(self.units[i] for i in kept) if self.units else (),
        )

    def _last(self) -> np.ndarray:
        """Each channel's last valid patch (B, C, D), 0 where there is none."""
        n_patches = self.mask.shape[-1]
        last = n_patches - 1 - self.mask[..., ::-1].argmax(axis=-1)
        picked = np.take_along_axis(self.values, last[..., None, None], axis=2)[:, :, 0]
        exists = np.asarray(self.mask.any(axis=-1))[..., None]
        return np.where(exists, picked, 0).astype(np.float32)


def rows_at(index: np.ndarray | Sequence[int], n: int) -> np.ndarray:
    """Row numbers for integers or a boolean array of length n; an empty list is no row."""
    wanted = np.asarray(index)
    return np.asarray(np.arange(n)[wanted if wanted.size else wanted.astype(np.int64)])


def concatenate(parts: Sequence[Tokens]) -> Tokens:
    """Join tokens of the same channels and window lengths, in order; raise DataError otherwise."""
    if not parts:
        raise DataError("No tokens to join: give at least one part.")
    first = parts[0]
    same = ("channels", "patch_s", "window_s", "context_names", "units")
    for part in parts:
        if any(getattr(part, name) != getattr(first, name) for name in same):
            raise DataError(
                "Only tokens of the same channels, units, window and patch length can be joined."
            )
    arrays = ("values", "mask", "start_s", "window_start_s", "context")
    joined = {name: np.concatenate([getattr(p, name) for p in parts]) for name in arrays}
    return replace(first, session_ids=tuple(s for p in parts for s in p.session_ids), **joined)


def _masked_mean(values: np.ndarray, mask: np.ndarray, *, axis: int) -> np.ndarray:
    """Mean of values (…, D) over `axis` where mask (…) holds; 0 where nothing does."""
    count = np.asarray(mask.sum(axis=axis))[..., None]
    total = np.asarray(np.where(mask[..., None], values, 0).sum(axis=axis, dtype=np.float64))
    return np.asarray(total / np.maximum(count, 1), dtype=np.float32)
