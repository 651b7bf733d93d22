"""A session as one row of patches, what is cut from it, and its summary over longer stretches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.tokenizers.tokens import Tokens

COVERED = 0.5  # a super-patch is valid if this share of its patches is


@dataclass(frozen=True, kw_only=True)
class Track:
    """P consecutive patches of one session, `step_s` apart.

    Parameters
    ----------
    values : ndarray (C, P, D) float32, 0 where `mask` is False
    mask : ndarray (C, P) bool
    start_s : ndarray (P,) float64, seconds from session start
    patch_s : float, seconds a patch covers and the next one starts after
    context : ndarray (C, P, K) float32, that of the windows around each patch
    channels, context_names, session_id : as in Tokens
    """

    values: np.ndarray
    mask: np.ndarray
    start_s: np.ndarray
    patch_s: float
    context: np.ndarray
    channels: tuple[str, ...]
    context_names: tuple[str, ...]
    session_id: str

    def __len__(self) -> int:
        return len(self.start_s)

    def windows(self, window_s: float, stride_s: float) -> Tokens:
        """Cut into windows of whole patches; a shorter track gives one window, padded at its end.

        The context of a window is the mean of that of its valid patches.
        """
        length = max(1, int(window_s / self.patch_s + 1e-9))
        step = max(1, int(stride_s / self.patch_s + 1e-9))
        first = np.arange(max(0, len(self) - length) // step + 1) * step
        at = first[:, None] + np.arange(length)
        inside = at < len(self)
        held = at.clip(max=len(self) - 1)
        mask = self.mask[:, held].transpose(1, 0, 2) & inside[:, None]
        values = self.values[:, held].transpose(1, 0, 2, 3)
        count = np.maximum(mask.sum(axis=2), 1)[..., None]
        context = np.where(mask[..., None], self.context[:, held].transpose(1, 0, 2, 3), 0)
        start_s = self.start_s[0] + at * self.patch_s
        return Tokens(
            values=np.where(mask[..., None], values, 0),
            mask=mask,
            start_s=start_s,
            patch_s=self.patch_s,
            channels=self.channels,
            session_ids=(self.session_id,) * len(first),
            window_start_s=start_s[:, 0],
            window_s=length * self.patch_s,
            context=(context.sum(axis=2, dtype=np.float64) / count).astype(np.float32),
            context_names=self.context_names,
        )


def super_pieces(pieces: Iterable[Track], super_s: float, n: int) -> Iterator[Track]:
    """Summarise a track: mean, deviation and maximum of its tokens over each `super_s` seconds.

    Super-patch i covers seconds [i, i + 1) * super_s of the track and holds the patches whose
    middle lies there; it is valid where at least half of its patches are. Of the track only what is
    not yet summarised is held.

    Parameters
    ----------
    pieces : consecutive pieces of one track
    super_s : float, seconds, at least a patch
    n : int, how many super-patches there are

    Yields
    ------
    Track pieces with values (C, p, 3 D)
    """
    rest: Track | None = None
    done, origin = 0, 0.0
    for piece in pieces:
        if rest is None:
            origin = float(piece.start_s[0]) if len(piece) else 0.0
        rest = piece if rest is None else join([rest, piece])
        if not len(rest):
            continue
        if super_s < rest.patch_s * (1 - 1e-9):
            raise DataError(
                f"`super_s` must be at least a patch ({rest.patch_s:.4g} s), got {super_s:g}. "
                "Lengthen it, or raise the rate."
            )
        cell = np.floor((rest.start_s + rest.patch_s / 2 - origin) / super_s + 1e-9)
        whole = min(int(cell[-1]), n)  # later pieces may still add to the last cell
        if whole > done:
            yield _summary(rest, cell, range(done, whole), super_s, origin)
            rest, done = _part(rest, int(np.searchsorted(cell, whole)), len(rest)), whole
    if rest is not None and len(rest) and done < n:
        cell = np.floor((rest.start_s + rest.patch_s / 2 - origin) / super_s + 1e-9)
        yield _summary(rest, cell, range(done, n), super_s, origin)


def join(pieces: Sequence[Track]) -> Track:
    """Put consecutive pieces of one track together."""
    if not pieces:
        raise DataError("No track to join: give at least one piece.")
    arrays = {
        name: np.concatenate([getattr(p, name) for p in pieces], axis=axis)
        for name, axis in (("values", 1), ("mask", 1), ("context", 1), ("start_s", 0))
    }
    return replace(pieces[0], **arrays)


def _part(track: Track, first: int, last: int) -> Track:
    """Patches first to last - 1 of a track."""
    rows = slice(first, last)
    return replace(
        track,
        values=track.values[:, rows],
        mask=track.mask[:, rows],
        context=track.context[:, rows],
        start_s=track.start_s[rows],
    )


def _summary(track: Track, cell: np.ndarray, cells: range, super_s: float, origin: float) -> Track:
    """Super-patches `cells` of a track whose patches lie in `cell` (P,)."""
    least = max(1.0, COVERED * super_s / track.patch_s - 1e-6)
    values, mask, context = [], [], []
    for i in cells:
        held = _part(track, *np.searchsorted(cell, [i, i + 1]))
        weight = held.mask[..., None]
        count = np.maximum(weight.sum(axis=1), 1)
        wide = np.where(weight, held.values, 0).astype(np.float64)
        mean = wide.sum(axis=1) / count
        deviation = np.where(weight, wide - mean[:, None], 0)
        top = np.where(weight, held.values, -np.inf).max(axis=1, initial=-np.inf)
        valid = held.mask.sum(axis=1) >= least
        moments = np.concatenate(
            [mean, np.sqrt((deviation**2).sum(axis=1) / count), np.where(np.isfinite(top), top, 0)],
            axis=-1,
        )
        values.append(np.where(valid[:, None], moments, 0).astype(np.float32))
        mask.append(valid)
        level = np.where(weight, held.context, 0).sum(axis=1, dtype=np.float64) / count
        context.append(level.astype(np.float32))
    return replace(
        track,
        values=np.stack(values, axis=1),
        mask=np.stack(mask, axis=1),
        context=np.stack(context, axis=1),
        start_s=origin + np.arange(cells.start, cells.stop) * super_s,
        patch_s=super_s,
    )
