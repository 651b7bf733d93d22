"""Labelled windows with their tokens: what a classifier learns from and is judged on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from tool_use_om.tokenizers.tokens import Tokens


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Windows as tokens with one label each.

    Parameters
    ----------
    tokens : Tokens of n windows
    y : (n,) object, the label that covers at least half of the window, None where none does
    groups : (n,) the subject where the source says who is who, else the session
    """

    tokens: Tokens
    y: np.ndarray
    groups: np.ndarray

    def __len__(self) -> int:
        return len(self.y)

    def select(self, index: np.ndarray) -> Labelled:
        """Return the windows at `index`."""
        return Labelled(
            tokens=self.tokens.select(index), y=self.y[index], groups=self.groups[index]
        )

    def known(self) -> Labelled:
        """Return the windows that have a label."""
        import numpy as np

        return self.select(np.flatnonzero([label is not None for label in self.y]))

    def unknown(self) -> Labelled:
        """Return the windows that have no label."""
        import numpy as np

        return self.select(np.flatnonzero([label is None for label in self.y]))

    def forgetting(self, labels: Sequence[str]) -> Labelled:
        """Return the same windows, those with one of `labels` unlabelled."""
        import numpy as np

        y = np.array([None if label in set(labels) else label for label in self.y], dtype=object)
        return Labelled(tokens=self.tokens, y=y, groups=self.groups)

    def without(self, label: str) -> Labelled:
        """Return the windows with another label than this one."""
        import numpy as np

        return self.select(np.flatnonzero(self.y != label))

    @property
    def sessions(self) -> np.ndarray:
        """The session of each window (n,)."""
        import numpy as np

        return np.array(self.tokens.session_ids, dtype=np.str_)


def few_labels(data: Labelled, per_class: int, seed: Sequence[int]) -> Labelled:
    """Keep the windows of `per_class` sessions drawn for each label, all of a rarer label's."""
    import numpy as np

    rng = np.random.default_rng(list(seed))
    keep = np.zeros(len(data), dtype=bool)
    for label in sorted(set(data.y)):
        own = data.y == label
        names = np.unique(data.sessions[own])
        drawn = rng.choice(names, min(per_class, len(names)), replace=False)
        keep |= own & np.isin(data.sessions, drawn)
    return data.select(np.flatnonzero(keep))


def rare_labels(data: Labelled, per_class: int) -> dict[str, int]:
    """Return the labels with fewer sessions than `per_class`, and how many they have."""
    counts = {str(label): len(set(data.sessions[data.y == label])) for label in set(data.y)}
    return {label: n for label, n in sorted(counts.items()) if n < per_class}
