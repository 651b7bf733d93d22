"""Random convolutions and ridge regression: aeon's MiniRocket and Hydra as fallbacks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Untyped
from tool_use_om.heads.classify.prototypes import softmax
from tool_use_om.heads.contract.spec import HeadSpec
from tool_use_om.heads.numeric.folds import Fold, group_folds
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
    softmax's sharpness maximises the likelihood of groups that a fold's ridge has not seen. Ridge
    is solved over the windows' products with one another, which all folds share.
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
        scaled, products = self._products(windows)
        targets = _targets(codes, len(self.classes_))
        self.sharpness_ = _sharpness(products, targets, codes, groups)
        dual, mean = _dual_ridge(products, targets)
        centre = scaled.mean(axis=0, dtype=np.float64)
        self.weights_ = scaled.T @ dual - np.outer(centre, dual.sum(axis=0))
        self.bias_ = mean - centre @ self.weights_

    def _fold_proba(
        self, windows: WindowBatch, codes: Array, groups: Array, folds: Sequence[Fold]
    ) -> Array:
        _, products = self._products(windows)
        n_classes = len(self.classes_)
        proba = np.full((len(codes), n_classes), np.nan)
        for train, held_out in folds:
            targets, inner = _targets(codes[train], n_classes), products[np.ix_(train, train)]
            sharpness = _sharpness(inner, targets, codes[train], groups[train])
            said = _decisions(products, targets, train, held_out)
            proba[held_out] = softmax(sharpness * said)
        return proba

    def _products(self, windows: WindowBatch) -> tuple[Array, Array]:
        """Fit the transform; return standardised features (n, F) and their products (n, n)."""
        if find_spec("aeon") is None:
            raise DataError(f"{self.name} needs aeon: pip install 'tool-use-om[raw]'.")
        if windows.values.shape[2] < SHORTEST:
            raise DataError(
                f"{self.name} needs windows of at least {SHORTEST} samples, got "
                f"{windows.values.shape[2]}. Configure a longer window_s."
            )
        self.transform_ = self._transform()
        with _threads_kept():
            made = self.transform_.fit_transform(_samples(windows))
        features = np.asarray(made, dtype=np.float64)
        self.shift_ = features.mean(axis=0)
        spread = features.std(axis=0)
        self.scale_ = np.where(spread > 1e-9, 1.0 / np.where(spread > 1e-9, spread, 1.0), 0.0)
        scaled = ((features - self.shift_) * self.scale_).astype(np.float32)
        return scaled, (scaled @ scaled.T).astype(np.float64)

    def _proba(self, windows: WindowBatch) -> Array:
        with _threads_kept():
            made = self.transform_.transform(_samples(windows))
        features = np.asarray(made, dtype=np.float64)
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


@contextmanager
def _threads_kept() -> Iterator[None]:
    """Leave torch its number of threads: aeon's numba sets it for the whole process."""
    import torch

    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _root(counts: Untyped) -> Array:
    root: Array = np.sqrt(np.maximum(np.asarray(counts, dtype=np.float64), 0.0))
    return root


def _samples(windows: WindowBatch) -> Array:
    """Return (n, C, T) float64; what is missing or padded holds the last measured sample."""
    values = np.where(windows.mask, windows.values, 0.0).astype(np.float64)
    if windows.mask.all():
        return values
    place = np.where(windows.mask, np.arange(values.shape[2]), -1)
    last = np.maximum.accumulate(place, axis=2)
    first = np.where(windows.mask.any(axis=2), windows.mask.argmax(axis=2), 0)[..., None]
    held: Array = np.take_along_axis(values, np.where(last < 0, first, last), axis=2)
    return held


def _targets(codes: Array, n_classes: int) -> Array:
    """Return (n, K) with 1 for a window's class and -1 for the others; an absent class gets -1."""
    return np.where(codes[:, None] == np.arange(n_classes), 1.0, -1.0)


def _dual_ridge(products: Array, targets: Array) -> tuple[Array, Array]:
    """Return dual weights (n, K) of the centred windows and the targets' means (K,).

    The strength has the least squared error with each window left out in turn, which the
    eigenvectors of the products give for all strengths at once (Golub, Heath and Wahba, 1979).
    """
    n = len(products)
    mean = targets.mean(axis=0)
    own = products.mean(axis=0)
    centred = products - own[:, None] - own[None, :] + own.mean()
    values, vectors = np.linalg.eigh((centred + centred.T) / 2)
    turned = vectors.T @ (targets - mean)
    best, dual = np.inf, np.zeros_like(targets)
    for strength in _ALPHAS:
        inverse = 1.0 / (np.maximum(values, 0.0) + strength)
        found = vectors @ (inverse[:, None] * turned)
        leverage = (vectors**2) @ inverse - 1.0 / (strength * n)  # the constant is not held back
        error = float(((found / np.maximum(leverage, 1e-12)[:, None]) ** 2).mean())
        if error < best:
            best, dual = error, found
    return dual, mean


def _decisions(products: Array, targets: Array, train: Array, asked: Array) -> Array:
    """Return (len(asked), K) what ridge on the windows `train` says of the windows `asked`."""
    dual, mean = _dual_ridge(products[np.ix_(train, train)], targets)
    towards = products[np.ix_(asked, train)]
    centre = products[train].mean(axis=0)
    level = products[np.ix_(train, train)].mean()
    centred = towards - towards.mean(axis=1)[:, None] - centre[train][None, :] + level
    said: Array = centred @ dual + mean
    return said


def _sharpness(products: Array, targets: Array, codes: Array, groups: Array) -> float:
    """Return the softmax factor under which held-out labels are likeliest; 4 without a fold."""
    decisions, truth = [], []
    for train, held_out in group_folds(codes, groups, n_folds=3):
        decisions.append(_decisions(products, targets[train], train, held_out))
        truth.append(codes[held_out])
    if not decisions:
        return 4.0
    said, right = np.concatenate(decisions), np.concatenate(truth)
    rows = np.arange(len(right))
    losses = [-np.log(softmax(f * said)[rows, right] + 1e-12).mean() for f in _SHARPNESS]
    return float(_SHARPNESS[int(np.argmin(losses))])
