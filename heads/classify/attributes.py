"""Zero-shot: windows scored against activities described in measurable terms, with no labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from tool_use_om.data.errors import DataError, NotFittedError, unknown
from tool_use_om.heads.classify.descriptions import ActivityDescription
from tool_use_om.heads.classify.prototypes import softmax
from tool_use_om.heads.numeric.rhythm import cadence

if TYPE_CHECKING:
    from tool_use_om.tokenizers.windows.windows import WindowBatch

Array = np.ndarray
# How far outside its band an attribute may lie before it counts as one standard deviation.
_OCTAVES = 0.3
_LOG_INTENSITY = 0.35
_STRENGTH = 0.15
_DEGREES = 25.0
_WORST = 4.5  # log score at which an attribute has said all it can: three standard deviations
_BANDS = {"still": (0.0, 0.1), "low": (0.0, 1 / 3), "medium": (1 / 3, 2 / 3), "high": (2 / 3, 1.0)}
_REGULAR = {"none": (0.0, 0.45), "some": (0.4, 0.7), "strong": (0.65, 1.0)}
_BELIEVED = 0.3  # strength below which a rhythm's rate means nothing


@dataclass(frozen=True, kw_only=True)
class Attributes:
    """What is measured of B windows.

    Parameters
    ----------
    cadence_hz : (B,), NaN where nothing repeats
    strength : (B,) in [0, 1], how well it repeats
    intensity : (B,) standard deviation over all motion channels, channel units
    direction : (B, C) mean of each motion channel over the norm of all means
    channels : the C motion channels
    """

    cadence_hz: Array
    strength: Array
    intensity: Array
    direction: Array
    channels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AttributeScores:
    """How well each description fits each window.

    Parameters
    ----------
    names : the K activities
    log_scores : (B, K), 0 = every attribute inside its band
    proba : (B, K), as if exactly the described activities could occur
    by_attribute : attribute → (B, K), NaN where a description does not name it
    measured : what was measured of the windows
    """

    names: tuple[str, ...]
    log_scores: Array
    proba: Array
    by_attribute: dict[str, Array]
    measured: Attributes

    @property
    def rated(self) -> Array:
        """Whether a window repeats well enough for its cadence to mean something (B,) bool."""
        return _rated(self.measured)

    @property
    def labels(self) -> Array:
        """The activity that fits best (B,)."""
        return np.asarray(np.array(self.names, dtype=np.str_)[self.proba.argmax(axis=1)])

    @property
    def fits(self) -> Array:
        """Whether the best description is within one full attribute of fitting (B,) bool."""
        return np.asarray(self.log_scores.max(axis=1) > -_WORST)


class AttributeClassifier:
    """Score windows against descriptions.

    Each attribute named lowers the score by half the squared distance to its band, in fixed units
    (0.3 octaves of cadence, a factor of 1.4 of intensity, 25 degrees of direction, 0.15 of
    regularity), at most by 4.5. The words for intensity are thirds of the windows given to `fit`,
    which need no labels: 'still' is the lowest tenth of the range between their extremes.

    Parameters
    ----------
    descriptions : at least two activities of different names
    """

    def __init__(self, descriptions: Sequence[ActivityDescription]) -> None:
        names = [d.name for d in descriptions]
        if len(set(names)) < 2 or len(set(names)) < len(names):
            listed = ", ".join(names) or "none"
            raise DataError(f"Give at least two descriptions of different names, got {listed}.")
        self.descriptions = tuple(descriptions)

    def fit(self, windows: WindowBatch) -> Self:
        """Learn from unlabelled windows what low, medium and high mean here."""
        found = measure(windows)
        intensity = np.log(np.maximum(found.intensity, 1e-9))
        self.cuts_ = {word: np.quantile(intensity, band) for word, band in _BANDS.items()}
        low, high = float(intensity.min()), float(intensity.max())
        self.cuts_["still"] = np.array([low, low + 0.1 * (high - low)])
        self.cuts_["low"][0], self.cuts_["high"][1] = -np.inf, np.inf
        self.cuts_["still"][0] = -np.inf
        return self

    def score(self, windows: WindowBatch) -> AttributeScores:
        """Return how well each description fits each window.

        Raises
        ------
        NotFittedError : before fit()
        NotFoundError : a description names a channel that the windows lack
        """
        if not hasattr(self, "cuts_"):
            raise NotFittedError("Show the classifier some windows first: call fit().")
        found = measure(windows)
        parts = {
            "cadence": [self._cadence(d, found) for d in self.descriptions],
            "intensity": [self._intensity(d, found) for d in self.descriptions],
            "posture": [_posture(d, found) for d in self.descriptions],
            "regularity": [_regularity(d, found) for d in self.descriptions],
        }
        nothing = np.full(len(found.intensity), np.nan)
        by_attribute = {
            name: np.stack([nothing if c is None else c for c in columns], axis=1)
            for name, columns in parts.items()
        }
        total = sum(np.nan_to_num(columns) for columns in by_attribute.values())
        return AttributeScores(
            names=tuple(d.name for d in self.descriptions),
            log_scores=np.asarray(total),
            proba=softmax(np.asarray(total)),
            by_attribute=by_attribute,
            measured=found,
        )

    def _cadence(self, described: ActivityDescription, found: Attributes) -> Array | None:
        if described.cadence_hz is None:
            return None
        band = np.log2(np.maximum(described.cadence_hz, 1e-3))
        rated = _rated(found)
        octaves = np.log2(np.where(rated, found.cadence_hz, 1.0))
        return np.where(rated, _outside(octaves, band, _OCTAVES), -_WORST / 2)

    def _intensity(self, described: ActivityDescription, found: Attributes) -> Array | None:
        if described.intensity_range is not None:
            band = np.log(np.maximum(described.intensity_range, 1e-9))
        elif described.intensity is not None:
            band = self.cuts_[described.intensity]
        else:
            return None
        return _outside(np.log(np.maximum(found.intensity, 1e-9)), band, _LOG_INTENSITY)


def measure(windows: WindowBatch) -> Attributes:
    """Measure cadence, intensity, mean direction and regularity of each window.

    Motion channels are those of the accelerometer where there is one, else all.
    """
    motion = [i for i, c in enumerate(windows.channels) if c.lower().startswith("acc")]
    motion = motion or list(range(len(windows.channels)))
    rhythm = cadence(windows, min_strength=0.0)
    mask = windows.mask[:, motion]
    values = np.where(mask, windows.values[:, motion], 0.0).astype(np.float64)
    count = np.maximum(mask.sum(axis=2), 1)
    mean = values.sum(axis=2) / count
    gap = np.where(mask, values - mean[..., None], 0.0)
    norm = np.sqrt((mean**2).sum(axis=1, keepdims=True))
    return Attributes(
        cadence_hz=rhythm.hz,
        strength=rhythm.strength,
        intensity=np.sqrt(((gap**2).sum(axis=2) / count).sum(axis=1)),
        direction=mean / np.maximum(norm, 1e-12),
        channels=tuple(windows.channels[i] for i in motion),
    )


def _rated(found: Attributes) -> Array:
    return np.asarray(np.isfinite(found.cadence_hz) & (found.strength >= _BELIEVED))


def _posture(described: ActivityDescription, found: Attributes) -> Array | None:
    if described.posture is None:
        return None
    wanted = np.zeros(len(found.channels))
    for channel, share in described.posture.items():
        if channel not in found.channels:
            raise unknown("motion channel", channel, found.channels)
        wanted[found.channels.index(channel)] = share
    cosine = np.clip(found.direction @ (wanted / np.linalg.norm(wanted)), -1.0, 1.0)
    return _outside(np.degrees(np.arccos(cosine)), np.array([0.0, _DEGREES]), _DEGREES)


def _regularity(described: ActivityDescription, found: Attributes) -> Array | None:
    if described.regularity is None:
        return None
    return _outside(found.strength, np.array(_REGULAR[described.regularity]), _STRENGTH)


def _outside(values: Array, band: Array, unit: float) -> Array:
    """Return the log score of values (B,): 0 inside the band, falling with the squared distance."""
    away = np.maximum(np.maximum(band[0] - values, values - band[1]), 0.0) / unit
    score: Array = np.maximum(-0.5 * away**2, -_WORST)
    return score
