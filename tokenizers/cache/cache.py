"""Tokens kept on disk by content: encode a session once for each tokenizer, cut and channel set."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.progress import Progress
from tool_use_om.data.units import duration_text
from tool_use_om.data.workspace import Workspace, atomic_file
from tool_use_om.tokenizers.cache.status import CacheStatus, bound_mb, cache_status, count_use
from tool_use_om.tokenizers.encode.context import with_context
from tool_use_om.tokenizers.encode.encode import encode_windows
from tool_use_om.tokenizers.tokenizer import Tokenizer
from tool_use_om.tokenizers.tokens import Tokens, concatenate
from tool_use_om.tokenizers.windows.config import TokenizerConfig

FORMAT_VERSION = 3  # raise it when the meaning of stored tokens changes
ABANDONED_S = 3600.0  # a file still partial after this long has lost its writer
SESSIONS_AT_ONCE_S = 3600.0  # so much signal is encoded before it is kept: what a kill can cost
_NOT_KEPT = {"context_features", "patch_s"}  # the one is made afterwards, the other is a rate


class TokenCache:
    """Tokens on disk, one file a session.

    A file's name is the hash of everything its content follows from: tokenizer (spec, weights,
    backend), cut (window, stride, patches, rate, fusion, super-patches), data set content, session,
    range and channels. Files are written whole and renamed, so two processes may share a cache; one
    that cannot be read is encoded again. The least recently used go first when the cache is full.

    Parameters
    ----------
    workspace : Workspace; files lie under its "tokens" folder
    max_mb : float, size bound of the folder; None = $TUOM_TOKEN_CACHE_MB, else 2048

    Raises
    ------
    DataError : a bound that is no number above 0
    """

    def __init__(self, workspace: Workspace, *, max_mb: float | None = None) -> None:
        self.folder = workspace.folder("tokens")
        self.max_mb = bound_mb() if max_mb is None else max_mb
        self.hits = 0
        self.misses = 0

    def encode(
        self,
        tokenizer: Tokenizer,
        dataset: DataSet,
        session_ids: Sequence[str],
        channels: Sequence[str] | str,
        config: TokenizerConfig,
        *,
        ranges: Mapping[str, tuple[float, float]] | None = None,
        allow_empty: bool = False,
        progress: Progress | None = None,
    ) -> Tokens:
        """Return the tokens of `cut_windows(…)`, from disk where they are known.

        Parameters
        ----------
        as for `cut_windows`; `config.context_features` decides whether the result has any context
        allow_empty : return tokens even if no patch is whole, all masked

        Raises
        ------
        as for `cut_windows` and `Tokenizer.encode`; DataError also if no patch is whole
        """
        names = list(dict.fromkeys(dataset.check_sessions(session_ids)))
        chosen = dataset.check_channels(channels)
        limits = {name: (ranges or {}).get(name) for name in names}
        paths = {
            name: self._path(tokenizer, dataset, name, chosen, config, limits[name])
            for name in names
        }
        found = {name: tokens for name in names if (tokens := read_tokens(paths[name])) is not None}
        missing = [name for name in names if name not in found]
        n_found = len(found)
        for group in _groups(dataset, missing, limits):
            many = len(group) < len(missing)
            given = {name: span for name in group if (span := limits[name]) is not None}
            fresh = encode_windows(
                tokenizer, dataset, group, chosen, config,
                ranges=given, progress=None if many else progress,
            )  # fmt: skip
            found |= self._keep(fresh, paths)
            if many and progress is not None:
                done, total = len(found) - n_found, len(missing)
                progress({"phase": "encode", "done": done, "total": total, "unit": "sessions"})
        self.hits += n_found
        self.misses += len(missing)
        count_use(self.folder, n_found, len(missing))
        if not names:
            raise DataError("Nothing to encode: give at least one session and one channel.")
        joined = concatenate([found[name] for name in session_ids])
        if not allow_empty:
            check_measured(joined)
        return with_context(joined, dataset, config.context_names)

    def status(self) -> CacheStatus:
        """Return what the cache holds and how often it was of use, over all runs."""
        return cache_status(self.folder.parent, max_mb=self.max_mb)

    def _keep(self, tokens: Tokens, paths: Mapping[str, Path]) -> dict[str, Tokens]:
        """Store tokens by session, make room, and return them by session."""
        fresh = _by_session(tokens)
        for name, own in fresh.items():
            write_tokens(own, paths[name])
        self._evict()
        return fresh

    def _path(  # noqa: PLR0917 - what the content follows from, all of it
        self,
        tokenizer: Tokenizer,
        dataset: DataSet,
        session: str,
        channels: tuple[str, ...],
        config: TokenizerConfig,
        limits: tuple[float, float] | None,
    ) -> Path:
        """Where the tokens of one session lie."""
        spec = tokenizer.spec
        parts = {
            "format": FORMAT_VERSION,
            "spec": [spec.family, spec.patch_len, spec.d_model, spec.native_context],
            "weights": tokenizer.weights_hash,
            "precision": tokenizer.precision,
            "cut": config.for_encoder(spec.patch_len).model_dump(exclude=_NOT_KEPT),
            "data": [dataset.content_hash, session, list(channels), limits and list(limits)],
        }
        name = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        return self.folder / name[:2] / f"{name}.safetensors"

    def _evict(self) -> None:
        """Delete what killed writers left, then the least recently used files over the bound."""
        for partial in self.folder.glob("*/.*.partial"):
            with suppress(FileNotFoundError):  # its writer may be alive and just done
                if time.time() - partial.stat().st_mtime > ABANDONED_S:
                    partial.unlink()
        files = []
        for path in self.folder.glob("*/*.safetensors"):
            with suppress(FileNotFoundError):  # another process may have evicted it
                status = path.stat()
                files.append((status.st_mtime_ns, status.st_size, path))
        excess = sum(size for _, size, _ in files) - self.max_mb * 2**20
        for _, size, path in sorted(files):
            if excess <= 0:
                break
            path.unlink(missing_ok=True)
            excess -= size


def _groups(
    dataset: DataSet, names: Sequence[str], limits: Mapping[str, tuple[float, float] | None]
) -> Iterator[list[str]]:
    """Yield sessions in groups of about an hour of signal, in order."""
    group: list[str] = []
    total = 0.0
    for name in names:
        start, end = limits[name] or (0.0, dataset.duration_of(name))
        group.append(name)
        total += end - start
        if total >= SESSIONS_AT_ONCE_S:
            yield group
            group, total = [], 0.0
    if group:
        yield group


def check_measured(tokens: Tokens) -> None:
    """Raise DataError if no patch is whole."""
    if not tokens.mask.any():
        raise DataError(
            f"{', '.join(tokens.channels[:3])} have no stretch of {duration_text(tokens.patch_s)} "
            "without a gap here, the shortest that can be read. Choose other channels or times."
        )


def _by_session(tokens: Tokens) -> dict[str, Tokens]:
    """Split tokens by session."""
    owners = np.array(tokens.session_ids, dtype=object)
    return {name: tokens.select(owners == name) for name in dict.fromkeys(tokens.session_ids)}


_ARRAYS = ("values", "mask", "start_s", "window_start_s", "context")


def write_tokens(tokens: Tokens, path: Path) -> None:
    """Write tokens of one session, whole or not at all."""
    facts = {
        "patch_s": tokens.patch_s,
        "window_s": tokens.window_s,
        "channels": tokens.channels,
        "context_names": tokens.context_names,
        "session_ids": tokens.session_ids,
        "units": tokens.units,
    }
    arrays = {name: np.ascontiguousarray(getattr(tokens, name)) for name in _ARRAYS}
    with atomic_file(path) as partial:
        save_file(arrays, partial, metadata={"tokens": json.dumps(facts)})


def read_tokens(path: Path) -> Tokens | None:
    """Read tokens and mark them used; None if there are none or the file is damaged."""
    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in _ARRAYS}
            facts = json.loads((file.metadata() or {})["tokens"])
        os.utime(path)
        return Tokens(
            patch_s=facts["patch_s"],
            window_s=facts["window_s"],
            channels=tuple(facts["channels"]),
            context_names=tuple(facts["context_names"]),
            session_ids=tuple(facts["session_ids"]),
            units=tuple(facts["units"]),
            **arrays,
        )
    except (OSError, SafetensorError, KeyError, ValueError, DataError):
        return None
