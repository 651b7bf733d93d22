"""Sessions of hours: overlapping windows merged into one track of tokens, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.progress import Progress
from tool_use_om.tokenizers.encode.overlap import ending_at
from tool_use_om.tokenizers.encode.track import Track, join, super_pieces
from tool_use_om.tokenizers.tokenizer import Tokenizer
from tool_use_om.tokenizers.tokens import Tokens, concatenate
from tool_use_om.tokenizers.windows.config import TokenizerConfig
from tool_use_om.tokenizers.windows.stream import SessionStream
from tool_use_om.tokenizers.windows.windows import WindowBatch

DEFAULT_CHUNK_S = 3600.0


def track_pieces(
    tokenizer: Tokenizer,
    stream: SessionStream,
    *,
    context_s: float | None = None,
    chunk_s: float = DEFAULT_CHUNK_S,
    progress: Progress | None = None,
) -> Iterator[Track]:
    """Encode a session of any length and yield its track piece by piece, in bounded memory.

    Windows of `context_s` lie half a window apart (the last flush with the end). A patch is the
    mean of the tokens that the windows over it gave, weighted by how far it lies from each window's
    nearer edge, where an encoder knows one side only. A remainder shorter than a patch is left out.
    Pieces put together are the same track for every `chunk_s`, to rounding.

    Parameters
    ----------
    tokenizer : Tokenizer
    stream : SessionStream at the rate to encode at
    context_s : float, seconds each window covers; None = the encoder's whole context
    chunk_s : float, seconds of signal read and encoded at once (at least one window)
    progress : called with {"phase": "encode", "done", "total", "unit": "windows"}

    Raises
    ------
    DataError : a session shorter than a patch, or a context the encoder does not have
    """
    merge = _Merge(tokenizer, stream, context_s)
    at_once = max(1, int(chunk_s * stream.rate_hz / (merge.hop * merge.patch_len)))
    for first in range(0, len(merge.starts), at_once):
        starts = merge.starts[first : first + at_once]
        merge.add(tokenizer.encode(merge.batch(starts)), starts)
        done = first + len(starts)
        ready = merge.starts[done] if done < len(merge.starts) else merge.n_patches
        yield merge.take(int(ready))
        if progress is not None:
            total = len(merge.starts)
            progress({"phase": "encode", "done": done, "total": total, "unit": "windows"})


def encode_track(
    tokenizer: Tokenizer,
    stream: SessionStream,
    *,
    super_s: float | None = None,
    context_s: float | None = None,
    chunk_s: float = DEFAULT_CHUNK_S,
    progress: Progress | None = None,
) -> Track:
    """Encode a whole session into one track, of patches or of super-patches.

    Parameters
    ----------
    as for `track_pieces`
    super_s : float, seconds of a super-patch; None = patches as they are

    Raises
    ------
    as for `track_pieces`; DataError also for a super-patch shorter than a patch
    """
    pieces = track_pieces(
        tokenizer, stream, context_s=context_s, chunk_s=chunk_s, progress=progress
    )
    if super_s is not None:
        span_s = stream.end_s - stream.start_s
        pieces = super_pieces(pieces, super_s, max(1, int(span_s / super_s + 1e-9)))
    return join(list(pieces))


def long_windows(
    tokenizer: Tokenizer,
    dataset: DataSet,
    session_ids: Sequence[str],
    channels: Sequence[str],
    config: TokenizerConfig,
    *,
    rate_hz: float,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    progress: Progress | None = None,
) -> Tokens:
    """Return windows of super-patches, session after session.

    Raises
    ------
    DataError : no `super_s` in the config, and as for `encode_track`
    """
    if config.super_s is None or not session_ids:
        raise DataError("Windows of super-patches need `super_s` and at least one session.")
    spans = {s: (0.0, float(dataset.duration_of(s))) for s in session_ids} | dict(ranges or {})
    parts = []
    for session in session_ids:
        stream = SessionStream(dataset, session, channels, rate_hz, *spans[session])
        found = encode_track(tokenizer, stream, super_s=config.super_s, progress=progress)
        parts.append(found.windows(config.window_s, config.stride_s))
    return concatenate(parts)


class _Merge:
    """Sums over the windows that cover a patch; a patch is taken when no further window does.

    Parameters
    ----------
    tokenizer : Tokenizer
    stream : SessionStream
    context_s : float or None, seconds each window covers
    """

    def __init__(
        self, tokenizer: Tokenizer, stream: SessionStream, context_s: float | None
    ) -> None:
        spec = tokenizer.spec
        self.stream, self.patch_len = stream, spec.patch_len
        self.n_patches = stream.n // spec.patch_len
        most = spec.native_context // spec.patch_len
        wished = most if context_s is None else int(context_s * stream.rate_hz / spec.patch_len)
        if not (1 <= wished <= most and self.n_patches):
            patch_s = spec.patch_len / stream.rate_hz
            raise DataError(
                f"Session {stream.session_id!r} needs windows of {patch_s:.4g} to "
                f"{most * patch_s:.4g} s at {stream.rate_hz:g} Hz and must last a patch at least; "
                f"got windows of {wished * patch_s:.4g} s in {stream.end_s - stream.start_s:g} s. "
                "Choose longer sessions or another rate."
            )
        self.length = min(wished, self.n_patches)
        self.hop = max(1, self.length // 2)
        last = self.n_patches - self.length
        self.starts = np.unique(np.append(np.arange(0, last, self.hop), last))
        ramp = np.arange(1, self.length + 1, dtype=np.float64)
        self._weight = np.minimum(ramp, ramp[::-1])
        self._base = 0  # the first patch not taken yet
        self._form: Tokens | None = None
        self._total: np.ndarray = np.empty(0)  # (C, patches not taken yet, D + K)
        self._mass: np.ndarray = np.empty(0)  # (C, patches not taken yet)

    def batch(self, starts: np.ndarray) -> WindowBatch:
        """Read the windows that start at the patches `starts` (m,)."""
        samples, stream = self.length * self.patch_len, self.stream
        first = int(starts[0]) * self.patch_len
        grid = stream.read(first, int(starts[-1]) * self.patch_len + samples)
        view = np.lib.stride_tricks.sliding_window_view(grid, samples, axis=1)
        values = view[:, starts * self.patch_len - first].transpose(1, 0, 2)
        mask = np.isfinite(values)
        windows = WindowBatch(
            values=np.where(mask, values, 0).astype(np.float32),
            mask=mask,
            rate_hz=stream.rate_hz,
            start_s=stream.start_s + starts * self.patch_len / stream.rate_hz,
            session_ids=(stream.session_id,) * len(starts),
            channels=stream.channels,
            units=tuple(stream.dataset.manifest.unit_of(c) for c in stream.channels),
        )
        return ending_at(windows, np.full(len(starts), samples), self.patch_len)

    def add(self, tokens: Tokens, starts: np.ndarray) -> None:
        """Add the tokens (m, C, length, D) of windows that start at the patches `starts`."""
        patches = slice(None, self.length)
        around = np.repeat(tokens.context[:, :, None], self.length, axis=2)
        rows = np.concatenate([tokens.values[:, :, patches], around], axis=-1)
        held = int(starts[-1]) + self.length - self._base
        if self._form is None:
            self._form = tokens
            self._total = np.zeros((rows.shape[1], 0, rows.shape[3]))
            self._mass = np.zeros((rows.shape[1], 0))
        grown = held - self._mass.shape[1]
        self._total = np.pad(self._total, ((0, 0), (0, grown), (0, 0)))
        self._mass = np.pad(self._mass, ((0, 0), (0, grown)))
        for row, valid, start in zip(rows, tokens.mask[:, :, patches], starts, strict=True):
            weight = self._weight * valid
            place = slice(int(start) - self._base, int(start) - self._base + self.length)
            self._total[:, place] += weight[..., None] * row
            self._mass[:, place] += weight

    def take(self, until: int) -> Track:
        """Return the patches before `until` that were not taken yet, and forget them."""
        if self._form is None:
            raise DataError("Nothing was merged yet: add windows first.")
        n, stream, form = until - self._base, self.stream, self._form
        total, mass = self._total[:, :n], self._mass[:, :n]
        mean = np.where(mass[..., None] > 0, total / np.maximum(mass, 1e-12)[..., None], 0)
        width = form.values.shape[-1]
        patch_s = self.patch_len / stream.rate_hz
        piece = Track(
            values=mean[..., :width].astype(np.float32),
            mask=mass > 0,
            start_s=stream.start_s + np.arange(self._base, until) * patch_s,
            patch_s=patch_s,
            context=mean[..., width:].astype(np.float32),
            channels=form.channels,
            context_names=form.context_names,
            session_id=stream.session_id,
        )
        self._total, self._mass = self._total[:, n:].copy(), self._mass[:, n:].copy()
        self._base = until
        return piece
