"""The light head: from what the encoder and the grammar see of a question to its form.

Logistic regression on the frozen encoder's sentence vectors, on hashed letters (for languages the
encoder does not read) and on which places and words the grammar found; then split-conformal sets.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tool_use_om.agent.offline.reader.places import directed
from tool_use_om.agent.offline.reader.slots import KINDS, Slots
from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import atomic_file

Array = np.ndarray
_LETTERS = 512  # buckets of hashed letter sequences
_LETTER_WEIGHT, _PLACE_WEIGHT, _TAG_WEIGHT = 0.6, 0.4, 0.3
_RIDGE, _STEPS = 5e-6, 60
_FILE, _CARD = "probe.safetensors", "probe.json"


@dataclass(frozen=True, kw_only=True)
class Sorted:
    """A question sorted among the forms.

    Parameters
    ----------
    forms : the conformal set, the likeliest first; empty = none fits
    shares : form → probability, of the five likeliest
    decided : the likeliest form is likely enough to go on with it
    """

    forms: tuple[str, ...]
    shares: Mapping[str, float]
    decided: bool


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A fitted probe.

    Parameters
    ----------
    forms : (K,) names
    tags : (V,) the grammar's words that count
    weight : (F, K) float32
    bias : (K,) float32
    least : language → least probability of a form in the set; languages without one cannot be read
    certain : language → probability from which on the likeliest form is right in 97 of 100 cases
    encoder : which sentence encoder it was fitted on
    """

    forms: tuple[str, ...]
    tags: tuple[str, ...]
    weight: Array
    bias: Array
    least: Mapping[str, float]
    certain: Mapping[str, float]
    encoder: str

    def probabilities(self, vectors: Array, slots: Sequence[Slots]) -> Array:
        """Return (B, K) for sentence vectors (B, D) and the slots of the same questions."""
        shares = softmax(features(vectors, slots, self.tags) @ self.weight + self.bias)
        return turned(shares, self.forms, slots)

    def sort(self, vector: Array, slots: Slots, language: str) -> Sorted:
        """Return the conformal set of one question; `vector` is (D,)."""
        shares = self.probabilities(vector[None], [slots])[0]
        order = np.argsort(-shares)
        least = self.least.get(language, math.inf)
        kept = tuple(self.forms[i] for i in order if shares[i] >= least)
        return Sorted(
            forms=kept,
            shares={self.forms[i]: float(shares[i]) for i in order[:5]},
            decided=float(shares[order[0]]) >= self.certain.get(language, math.inf),
        )

    def save(self, folder: Path) -> None:
        """Write `probe.safetensors` (half precision) and `probe.json` into `folder`."""
        from safetensors.numpy import save

        folder.mkdir(parents=True, exist_ok=True)
        arrays = {"weight": self.weight.astype(np.float16), "bias": self.bias.astype(np.float16)}
        card = {
            "encoder": self.encoder,
            "least": dict(self.least),
            "certain": dict(self.certain),
            "forms": list(self.forms),
            "tags": list(self.tags),
        }
        with atomic_file(folder / _FILE) as partial:
            partial.write_bytes(save(arrays))
        with atomic_file(folder / _CARD) as partial:
            partial.write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Probe:
        """Return the probe that `save` wrote.

        Raises
        ------
        DataError : there is none, or it is damaged
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            card = json.loads((folder / _CARD).read_text("utf-8"))
            arrays = load((folder / _FILE).read_bytes())
            return cls(
                forms=tuple(card["forms"]),
                tags=tuple(card["tags"]),
                weight=arrays["weight"].astype(np.float32),
                bias=arrays["bias"].astype(np.float32),
                least=card["least"],
                certain=card["certain"],
                encoder=card["encoder"],
            )
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise DataError(
                f"{folder} holds no reader's probe ({error}). Make one: tuom reader train --out "
                f"{folder}"
            ) from error


def features(vectors: Array, slots: Sequence[Slots], tags: Sequence[str]) -> Array:
    """Return (B, F): sentence vectors (B, D), letters, places, the grammar's words."""
    place = {tag: i for i, tag in enumerate(tags)}
    letters = np.stack([letters_of(s.masked) for s in slots])
    kinds = np.zeros((len(slots), 2 * len(KINDS)), np.float32)
    words = np.zeros((len(slots), len(tags)), np.float32)
    for row, one in enumerate(slots):
        for i, kind in enumerate(KINDS):
            count = len(one.found.get(kind, ()))
            kinds[row, 2 * i : 2 * i + 2] = (count > 0, count > 1)
        for tag in one.tags:
            if tag in place:
                words[row, place[tag]] = 1
    return np.hstack(
        [vectors, _LETTER_WEIGHT * letters, _PLACE_WEIGHT * kinds, _TAG_WEIGHT * words]
    ).astype(np.float32)


def letters_of(text: str) -> Array:
    """Return (512,) hashed counts of words and of runs of two to four letters, of length one."""
    found = np.zeros(_LETTERS, np.float32)
    for word in text.casefold().split():
        padded = f" {word} "
        pieces = [padded] + [
            padded[i : i + n] for n in (2, 3, 4) for i in range(len(padded) - n + 1)
        ]
        for piece in pieces:
            code = zlib.crc32(piece.encode())
            found[code % _LETTERS] += 1 if code & 0x10000 else -1
    scaled = np.sign(found) * np.log1p(np.abs(found))
    return np.asarray(scaled / max(float(np.linalg.norm(scaled)), 1e-9))


def turned(shares: Array, forms: Sequence[str], slots: Sequence[Slots]) -> Array:
    """Return shares (B, K) where a form that the question's own words deny goes to its opposite."""
    out = shares.copy()
    for k, form in enumerate(forms):
        for row, one in enumerate(slots):
            other = directed(form, one)
            if other != form and other in forms:
                out[row, forms.index(other)] += shares[row, k]
                out[row, k] = 0
    return out


def softmax(scores: Array) -> Array:
    """Return (B, K) shares of scores (B, K)."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def fit_weights(found: Array, labels: Array, n_forms: int) -> tuple[Array, Array]:
    """Return weight (F, K) and bias (K,) of a logistic regression on features (B, F).

    Parameters
    ----------
    labels : (B,) places of the true forms
    """
    import torch

    torch.manual_seed(0)
    given, truth = torch.from_numpy(found), torch.from_numpy(np.asarray(labels, np.int64))
    weight = torch.zeros(found.shape[1], n_forms, requires_grad=True)
    bias = torch.zeros(n_forms, requires_grad=True)
    solver = torch.optim.LBFGS(
        [weight, bias], max_iter=_STEPS, history_size=8, line_search_fn="strong_wolfe"
    )

    def loss() -> torch.Tensor:
        solver.zero_grad()
        error = torch.nn.functional.cross_entropy(given @ weight + bias, truth)
        error = error + _RIDGE * (weight**2).sum()
        error.backward()  # type: ignore[no-untyped-call]
        return error

    solver.step(loss)  # type: ignore[no-untyped-call]
    return weight.detach().numpy(), bias.detach().numpy()


@dataclass(frozen=True, kw_only=True)
class Example:
    """One phrasing to learn from: what the reader sees of it, its form, language and voice."""

    slots: Slots
    form: str
    language: str
    voice: str


OnFold = Callable[[int, int], None]


def fit_probe(
    examples: Sequence[Example],
    vectors: Array,
    *,
    encoder: str,
    coverage: float = 0.95,
    folds: int = 5,
    on_fold: OnFold | None = None,
) -> tuple[Probe, Array]:
    """Return the probe of all examples, and the shares (B, K) of each from voices left out.

    The sets are calibrated on those shares: each phrasing is judged by a probe that saw none of
    its voice. `least` is, for a language, the share that `coverage` of its phrasings' true forms
    reach.

    Parameters
    ----------
    vectors : (B, D) of the encoder, in the order of the examples
    """
    forms = tuple(sorted({e.form for e in examples}))
    tags = _common_tags(examples)
    found = features(vectors, [e.slots for e in examples], tags)
    truth = np.array([forms.index(e.form) for e in examples])
    voices = sorted({e.voice for e in examples})
    turn = dict(zip(voices, np.random.default_rng(0).permutation(len(voices)) % folds, strict=True))
    fold = np.array([turn[e.voice] for e in examples])
    apart = np.zeros((len(examples), len(forms)), np.float32)
    for k in range(folds):
        if on_fold:
            on_fold(k, folds + 1)
        weight, bias = fit_weights(found[fold != k], truth[fold != k], len(forms))
        apart[fold == k] = softmax(found[fold == k] @ weight + bias)
    apart = turned(apart, forms, [e.slots for e in examples])
    if on_fold:
        on_fold(folds, folds + 1)
    weight, bias = fit_weights(found, truth, len(forms))
    languages = [e.language for e in examples]
    probe = Probe(
        forms=forms,
        tags=tags,
        weight=weight,
        bias=bias,
        least=calibrated(apart[np.arange(len(truth)), truth], languages, coverage),
        certain=selected(apart.max(axis=1), apart.argmax(axis=1) == truth, languages),
        encoder=encoder,
    )
    return probe, apart


def voices_apart(probe: Probe, apart: Array, examples: Sequence[Example]) -> list[str]:
    """Return a line a language on how phrasings are read by probes that saw none of their voice.

    Parameters
    ----------
    apart : (B, K) shares, as `fit_probe` gives them
    """
    lines = ["| language | phrasings | form right | set holds it | mean set | decided |"]
    lines.append("|---|---|---|---|---|---|")
    truth = np.array([probe.forms.index(e.form) for e in examples])
    for language in sorted(probe.least):
        own = np.array([e.language == language for e in examples])
        shares, true = apart[own], truth[own]
        held = shares >= probe.least[language]
        cells = (
            (shares.argmax(axis=1) == true).mean(),
            held[np.arange(len(true)), true].mean(),
            held.sum(axis=1).mean(),
            (shares.max(axis=1) >= probe.certain[language]).mean(),
        )
        lines.append(
            f"| {language} | {len(true)} | " + " | ".join(f"{c:.3f}" for c in cells) + " |"
        )
    return lines


def calibrated(shares: Array, languages: Sequence[str], coverage: float) -> dict[str, float]:
    """Return language → the share (B,) that `coverage` of the true forms reach, conformally."""
    least = {}
    for language in sorted(set(languages)):
        own = np.sort(shares[[one == language for one in languages]])
        rank = math.floor((1 - coverage) * (len(own) + 1))
        least[language] = float(own[rank - 1]) if rank >= 1 else 0.0
    return least


def selected(
    shares: Array, right: Array, languages: Sequence[str], precision: float = 0.97
) -> dict[str, float]:
    """Return language → the share (B,) from which on `precision` of the likeliest are `right`."""
    certain = {}
    for language in sorted(set(languages)):
        own = np.array([one == language for one in languages])
        order = np.argsort(-shares[own])
        held = np.cumsum(right[own][order]) / np.arange(1, len(order) + 1) >= precision
        certain[language] = (
            float(shares[own][order][np.flatnonzero(held)[-1]]) if held.any() else 2.0
        )
    return certain


def _common_tags(examples: Sequence[Example], least: int = 5) -> tuple[str, ...]:
    counts: dict[str, int] = {}
    for example in examples:
        for tag in example.slots.tags:
            counts[tag] = counts.get(tag, 0) + 1
    return tuple(sorted(tag for tag, n in counts.items() if n >= least))
