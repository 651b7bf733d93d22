"""Tokens kept on disk by content: encode a session once for each tokenizer, cut and channel set."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from tool_use_om.data.dataset import DataSet
from tool_use_om.data.errors import DataError
from tool_use_om.data.progress import Progress
from tool_use_om.data.workspace import Workspace, atomic_file
from tool_use_om.tokenizers.config import TokenizerConfig
from tool_use_om.tokenizers.tokenizer import Tokenizer
from tool_use_om.tokenizers.tokens import Tokens, concatenate
from tool_use_om.tokenizers.windows import cut_windows

FORMAT_VERSION = 2  # raise it when the meaning of stored tokens changes
DEFAULT_MAX_MB = 2048.0
ABANDONED_S = 3600.0  # a file still partial after this long has lost its writer
_ARRAYS = ("values", "mask", "start_s", "window_start_s", "context")


class TokenCache:
    """Tokens on disk, one file a session.

    A file's name is the hash of everything its content follows from: tokenizer (spec, weights,
    backend), cut (window, stride, rate), data set content, session, range and channels. Files are
    written whole and renamed, so two processes may share a cache; one that cannot be read is
    encoded again. The least recently used go first when the cache is full.

    Parameters
    ----------
    workspace : Workspace; files lie under its "tokens" folder
    max_mb : float, size bound of the folder
    """

    def __init__(self, workspace: Workspace, *, max_mb: float = DEFAULT_MAX_MB) -> None:
        self.folder = workspace.folder("tokens")
        self.max_mb = max_mb
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
        progress: Progress | None = None,
    ) -> Tokens:
        """Return the tokens of `cut_windows(…)`, from disk where they are known.

        Parameters
        ----------
        as for `cut_windows`; `config.context_features` decides whether the result has any context

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
        found = {name: tokens for name in names if (tokens := _load(paths[name])) is not None}
        missing = [name for name in names if name not in found]
        self.hits += len(found)
        self.misses += len(missing)
        if missing or not names:
            given = {name: span for name in missing if (span := limits[name]) is not None}
            batch = cut_windows(
                dataset,
                missing,
                chosen,
                config,
                ranges=given,
                allow_empty=True,
                progress=progress,
            )
            fresh = _by_session(tokenizer.encode(batch, progress=progress))
            for name, tokens in fresh.items():
                _store(tokens, paths[name])
            self._evict()
            found |= fresh
        joined = concatenate([found[name] for name in session_ids])
        if not joined.mask.any():
            raise DataError(
                f"No whole patch of {', '.join(chosen[:3])} was measured in these sessions: a "
                f"patch is {joined.patch_s:.3g} s without a gap. Choose other channels or sessions."
            )
        return joined if config.context_features else joined.without_context()

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
            "cut": [config.window_s, config.stride_s, config.target_rate_hz],
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


def _by_session(tokens: Tokens) -> dict[str, Tokens]:
    """Split tokens by session."""
    owners = np.array(tokens.session_ids, dtype=object)
    return {name: tokens.select(owners == name) for name in dict.fromkeys(tokens.session_ids)}


def _store(tokens: Tokens, path: Path) -> None:
    """Write tokens of one session, whole or not at all."""
    facts = {
        "patch_s": tokens.patch_s,
        "window_s": tokens.window_s,
        "channels": tokens.channels,
        "context_names": tokens.context_names,
        "session_ids": tokens.session_ids,
    }
    arrays = {name: np.ascontiguousarray(getattr(tokens, name)) for name in _ARRAYS}
    with atomic_file(path) as partial:
        save_file(arrays, partial, metadata={"tokens": json.dumps(facts)})


def _load(path: Path) -> Tokens | None:
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
            **arrays,
        )
    except (OSError, SafetensorError, KeyError, ValueError, DataError):
        return None
