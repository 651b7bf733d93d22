"""The manifest as a language model sees it: short, escaped, bounded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tool_use_om.data.format.schema import Manifest, Modality

MAX_TOKENS = 400
_AIM_TOKENS = 370
_PIECES = re.compile(r"[A-Z]|[a-z]+|\S")


def token_bound(text: str) -> int:
    """Return a cautious count of text tokens, for any common byte-level vocabulary.

    A run of small letters counts one token for each two letters, each capital, digit and sign one,
    each character outside ASCII four. English text really takes about half of that.
    """
    pieces = _PIECES.findall(text)
    return sum(-(-len(p) // 2) if p.isascii() else 4 * len(p) for p in pieces)


def manifest_text(manifest: Manifest) -> str:
    """Return at most four lines on what the set holds: at most `MAX_TOKENS` by `token_bound`.

    Free text of the source (title, labels) is quoted as JSON, so that it cannot pass for ours.
    """
    kind = "synthetic (simulated)" if manifest.synthetic else "recorded"
    head = f"{_clip(manifest.name, 60)}: {kind}; title {_quote(manifest.title, 70)}"
    lines = [_fit(head, 90), _fit(_counts(manifest), 80), _fit(_channels(manifest, 120), 120)]
    left = _AIM_TOKENS - sum(token_bound(line) for line in lines)
    return "\n".join([*lines, _fit(_labels(manifest, left), left)])


def _counts(manifest: Manifest) -> str:
    who = f"{manifest.n_subjects} subjects" if manifest.n_subjects else "subjects not published"
    splits = ", ".join(f"{name} {n}" for name, n in manifest.splits.items())
    return f"{manifest.n_sessions} sessions, {who}, {manifest.duration_s:.6g} s; splits: {splits}"


def _channels(manifest: Manifest, budget: int) -> str:
    for names in (70, 40, 0):  # long names: rather fewer channels than no modality at all
        parts = _join([_modality(m, names) for m in manifest.modalities], budget - 15, "; ")
        if not parts.startswith("…"):
            break
    return f"{len(manifest.channel_ids)} channels: {parts}"


def _modality(modality: Modality, budget: int) -> str:
    names = _join([f"{_clip(c.name, 24)} {c.unit}" for c in modality.channels], budget, ", ")
    return f"{_clip(modality.name, 24)} {modality.rate_hz:.4g} Hz ({names})"


def _labels(manifest: Manifest, budget: int) -> str:
    each = (budget - 15) // max(1, min(len(manifest.label_sets), 3)) - 15
    sets = [
        f"{_quote(name, 24)} = {_join([_quote(v, 24) for v in values], each, ', ')}"
        for name, values in manifest.label_sets.items()
    ]
    return "labels: " + (_join(sets, budget - 10, "; ") or "none")


def _join(parts: Iterable[str], budget: int, separator: str) -> str:
    kept: list[str] = []
    every = list(parts)
    for part in every:
        budget -= token_bound(part + separator)
        if budget < 0:
            return separator.join([*kept, f"… {len(every) - len(kept)} more"])
        kept.append(part)
    return separator.join(kept)


def _quote(text: str, limit: int) -> str:
    return json.dumps(_clip(text, limit), ensure_ascii=True)


def _clip(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _fit(text: str, budget: int) -> str:
    while token_bound(text) > budget:
        text = text[: int(len(text) * 0.9)].rstrip("…") + "…"
    return text
