"""Small made-up tokens with known classes, built without any encoder."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tool_use_om.tokenizers.tokens import Tokens

CHANNELS = ("accelerometer.x", "accelerometer.y")


def make_tokens(
    labels: list[str], *, seed: int = 0, spread: float = 0.5, windows_a_session: int = 4
) -> Tokens:
    """Tokens of one window a label; each class has its own mean token in the first channel."""
    rng = np.random.default_rng(seed)
    n, patches, width = len(labels), 5, 8
    centre = {name: i for i, name in enumerate(sorted(set(labels)))}
    values = rng.normal(0, spread, (n, len(CHANNELS), patches, width))
    for row, label in enumerate(labels):
        values[row, 0, :, centre[label] % width] += 3.0
    first = np.arange(n) % windows_a_session * 2.0
    return Tokens(
        values=values.astype(np.float32),
        mask=np.ones((n, len(CHANNELS), patches), dtype=bool),
        start_s=first[:, None] + 0.8 * np.arange(patches)[None],
        patch_s=0.8,
        channels=CHANNELS,
        session_ids=tuple(f"s{seed}-{row // windows_a_session:03d}" for row in range(n)),
        window_start_s=first,
        window_s=4.0,
        context=rng.normal(0, 1, (n, len(CHANNELS), 2)).astype(np.float32),
        context_names=("mean", "std"),
    )


@pytest.fixture
def labels() -> list[str]:
    """Three classes, eight windows each, whole sessions of one class."""
    return [name for name in ("walking", "running", "standing") for _ in range(8)]


@pytest.fixture
def tokens(labels: list[str]) -> Tokens:
    return make_tokens(labels)


@pytest.fixture
def more_tokens(labels: list[str]) -> Tokens:
    """Other windows of the same classes."""
    return make_tokens(labels, seed=1)


@pytest.fixture
def without_a_patch(tokens: Tokens) -> Tokens:
    """The same tokens with one window that holds nothing valid."""
    mask = tokens.mask.copy()
    mask[0] = False
    return replace(tokens, mask=mask)
