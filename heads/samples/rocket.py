"""Random convolutions and ridge regression: aeon's MiniRocket and Hydra as fallbacks."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Untyped
from tool_use_om.heads.classify.prototypes import softmax
from tool_use_om.heads.contract.spec import HeadSpec
from tool_use_om.heads.numeric.folds import group_folds
from tool_use_om.heads.samples.base import RawClassifier

if TYPE_CHECKING:
    from tool_use_om.tokenizers.windows.windows import WindowBatch

Array = np.ndarray
SHORTEST = 9  # samples; the kernels are nine long
_ALPHAS = np.logspace(-3, 3, 10)
_SHARPNESS = np.logspace(-1, 2, 31)


class _Rocket(RawClassifier):
    """Random features, standardised; ridge regression on them; a softmax fitted on held-out groups.

    The transform is drawn and its biases are taken from the training windows without labels. The
    softmax's sharpness maximises the likelihood of groups that a fold's ridge has not seen.
    """

    shift_: Array
    scale_: Array
    weights_: Array  # (F, K)
    bias_: Array  # (K,)
    sharpness_: float

    @abstractmethod
    def _transform(self) -> Untyped:
        """Return the unfitted aeon transform."""

    def _fit(self, windows: WindowBatch, codes: Array, groups: Array) -> None:
        if find_spec("aeon") is None:
            raise DataError(f"{self.name} needs aeon: pip install 'tool-use-om[raw]'.")
        if windows.values.shape[2] < SHORTEST:
            raise DataError(
                f"{self.name} needs windows of at least {SHORTEST} samples, got "
                f"{windows.values.shape[2]}. Configure a longer window_s."
            )
        self.transform_ = self._transform()
        features = np.asarray(self.transform_.fit_transform(_samples(windows)), dtype=np.float64)
        self.shift_ = features.mean(axis=0)
        spread = features.std(axis=0)
        self.scale_ = np.where(spread > 1e-9, 1.0 / np.where(spread > 1e-9, spread, 1.0), 0.0)
        scaled = (features - self.shift_) * self.scale_
        n_classes = len(self.classes_)
        self.sharpness_ = _sharpness(scaled, codes, groups, n_classes)
        self.weights_, self.bias_ = _ridge(scaled, codes, n_classes)

    def _proba(self, windows: WindowBatch) -> Array:
        features = np.asarray(self.transform_.transform(_samples(windows)), dtype=np.float64)
        scaled = (features - self.shift_) * self.scale_
        return softmax(self.sharpness_ * (scaled @ self.weights_ + self.bias_))

    @property
    def memory_mb(self) -> float:
        """Megabytes of the ridge's arrays."""
        arrays = (self.shift_, self.scale_, self.weights_, self.bias_)
        return sum(array.nbytes for array in arrays) / 1e6


class MiniRocket(_Rocket):
    """Shares of positive values under about 10 000 dilated kernels (Dempster et al., 2021)."""

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="minirocket",
        task="classify",
        summary="ridge regression on 10 000 random convolutions of the samples",
        good_at="short windows of many channels, shapes that the encoder was not trained on",
        bad_at="very few labels; says nothing about why",
        labels_needed=1,
    )

    def _transform(self) -> Untyped:
        from aeon.transformations.collection.convolution_based import MiniRocket as Transform

        return Transform(random_state=self.seed, n_jobs=1)


class Hydra(_Rocket):
    """Counts of the best of competing kernels (Dempster, Schmidt and Webb, 2023)."""

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="hydra",
        task="classify",
        summary="ridge regression on counts of competing random convolutions",
        good_at="patterns that occur often in a window",
        bad_at="very few labels; slower than minirocket; says nothing about why",
        labels_needed=1,
    )

    def _transform(self) -> Untyped:
        from aeon.transformations.collection.convolution_based import HydraTransformer

        return _Rooted(HydraTransformer(random_state=self.seed, n_jobs=1, output_type="numpy"))


class _Rooted:
    """Hydra's counts under a square root, as its authors scale them."""

    def __init__(self, transform: Untyped) -> None:
        self._transform = transform

    def fit_transform(self, samples: Array) -> Array:
        """Fit and transform (n, C, T) samples to (n, F)."""
        return _root(self._transform.fit_transform(samples))

    def transform(self, samples: Array) -> Array:
        """Transform (n, C, T) samples to (n, F)."""
        return _root(self._transform.transform(samples))


def _root(counts: Untyped) -> Array:
    root: Array = np.sqrt(np.maximum(np.asarray(counts, dtype=np.float64), 0.0))
    return root


def _samples(windows: WindowBatch) -> Array:
    return np.where(windows.mask, windows.values, 0.0).astype(np.float64)


def _ridge(scaled: Array, codes: Array, n_classes: int) -> tuple[Array, Array]:
    """Return weights (F, K) and bias (K,), strength by leave-one-out; an absent class gets -1."""
    from sklearn.linear_model import RidgeCV

    targets = np.where(codes[:, None] == np.arange(n_classes), 1.0, -1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # singular Gram matrices are what the strength is for
        fitted = RidgeCV(alphas=_ALPHAS).fit(scaled, targets)
    return np.asarray(fitted.coef_).T, np.asarray(fitted.intercept_)


def _sharpness(scaled: Array, codes: Array, groups: Array, n_classes: int) -> float:
    """Return the softmax factor under which held-out labels are likeliest; 4 without a fold."""
    decisions, truth = [], []
    for train, held_out in group_folds(codes, groups, n_folds=3):
        weights, bias = _ridge(scaled[train], codes[train], n_classes)
        decisions.append(scaled[held_out] @ weights + bias)
        truth.append(codes[held_out])
    if not decisions:
        return 4.0
    said, right = np.concatenate(decisions), np.concatenate(truth)
    rows = np.arange(len(right))
    losses = [-np.log(softmax(f * said)[rows, right] + 1e-12).mean() for f in _SHARPNESS]
    return float(_SHARPNESS[int(np.argmin(losses))])
