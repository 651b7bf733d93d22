"""`tuom bench index`: the approximate index of `similarity` beside the exact one, on real tokens.

Windows of 64 samples of one channel, two samples apart, so that a set of some hours gives a hundred
thousand; each is encoded by itself. Queries are windows of the set: what overlaps one is left out.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.evals.report import markdown_table

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.heads.contract.results import Neighbour
    from tool_use_om.tokenizers.tokens import Tokens
    from tool_use_om.tokenizers.windows.windows import WindowBatch

SAMPLES, STEP, K, QUERIES = 64, 2, 10, 200
PROBES = (4, 12, 32)
_AT_ONCE = 2000


def run(dataset: DataSet, channel: str, n_windows: int, tokenizer: str) -> list[dict[str, str]]:
    """Return one row an index.

    Raises
    ------
    DataError : the set gives fewer windows than asked for
    """
    tokens = _encoded(_windows(dataset, channel, n_windows), tokenizer)
    asked = np.random.default_rng(1).choice(len(tokens), min(QUERIES, len(tokens)), replace=False)
    truth, row = _measured(tokens, asked, [], index="exact")
    rows = [{"index": "exact", "probes": "–", **row}]
    for probes in PROBES:
        _, row = _measured(tokens, asked, truth, index="approximate", probes=probes)
        rows.append({"index": "approximate", "probes": str(probes), **row})
    return rows


def _measured(
    tokens: Tokens, asked: np.ndarray, truth: list[list[Neighbour]], **params: object
) -> tuple[list[list[Neighbour]], dict[str, str]]:
    from tool_use_om.heads.registry import make_head

    began = time.process_time()
    head: Any = make_head("similarity", pooling="channels", **params)
    head.fit(tokens)
    fitted = time.process_time()
    found = [head.query(tokens.select(np.array([i])), K) for i in asked]
    spent = (time.process_time() - fitted) / len(asked)
    hits = [len(_places(a) & _places(b)) / K for a, b in zip(truth or found, found, strict=True)]
    return found, {
        "fit, s": f"{fitted - began:.1f}",
        "ms a query": f"{1e3 * spent:.1f}",
        f"recall@{K}": f"{np.mean(hits):.3f}",
    }


def _places(found: list[Neighbour]) -> set[tuple[str, float]]:
    return {(n.session_id, n.start_s) for n in found}


def _windows(dataset: DataSet, channel: str, n_windows: int) -> WindowBatch:
    from tool_use_om.tokenizers.windows.windows import WindowBatch

    parts, sessions, starts = [], [], []
    rate = dataset.manifest.rate_of(channel)
    for session in dataset.sessions()["session_id"]:
        (signal,) = dataset.read(str(session), [channel])
        x = np.nan_to_num(signal.values[:, 0]).astype(np.float32)
        if len(x) >= SAMPLES:
            parts.append(np.lib.stride_tricks.sliding_window_view(x, SAMPLES)[::STEP])
            sessions += [str(session)] * len(parts[-1])
            starts.append(np.arange(len(parts[-1])) * STEP / rate)
    if len(sessions) < n_windows:
        raise DataError(f"{dataset.name} gives {len(sessions)} windows; ask for at most so many.")
    kept = np.sort(np.random.default_rng(0).permutation(len(sessions))[:n_windows])
    values = np.concatenate(parts)[kept][:, None]
    return WindowBatch(
        values=values,
        mask=np.ones(values.shape, dtype=bool),
        rate_hz=rate,
        start_s=np.concatenate(starts)[kept],
        session_ids=tuple(sessions[i] for i in kept),
        channels=(channel,),
        units=("",),
    )


def _encoded(windows: WindowBatch, tokenizer: str) -> Tokens:
    """Return one token a window, the mean of its own, so that a hundred thousand fit in memory."""
    from tool_use_om.tokenizers.registry import load_tokenizer

    encoder = load_tokenizer(tokenizer)
    parts = []
    for first in range(0, len(windows), _AT_ONCE):
        own = np.arange(first, min(first + _AT_ONCE, len(windows)))
        tokens = encoder.encode(windows.select(own))
        mean = tokens.values.mean(axis=2, keepdims=True)
        parts.append(
            replace(
                tokens,
                values=mean,
                mask=np.ones(mean.shape[:3], dtype=bool),
                start_s=tokens.start_s[:, :1],
                patch_s=tokens.window_s,
            )
        )
    return replace(
        parts[0],
        values=np.concatenate([p.values for p in parts]),
        mask=np.concatenate([p.mask for p in parts]),
        start_s=np.concatenate([p.start_s for p in parts]),
        session_ids=windows.session_ids,
        window_start_s=windows.start_s,
        context=np.concatenate([p.context for p in parts]),
    )


def render(rows: list[dict[str, str]], n_windows: int, command: str) -> str:
    """Return the Markdown page."""
    note = (
        f"{n_windows} windows; {QUERIES} queries of {K} neighbours that do not overlap. Processor "
        "seconds, one thread. Recall: the share of the exact index's neighbours."
    )
    return f"## Approximate index\n\n`{command}`\n\n{note}\n\n{markdown_table(rows)}\n"
