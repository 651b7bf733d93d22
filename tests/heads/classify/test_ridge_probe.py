"""The laws of the ridge probe and of pooling by shape."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tool_use_om.heads.classify.ridge_probe import _solved, _tuned
from tool_use_om.heads.contract.pooling import pool


def test_solved_is_the_same_by_either_system() -> None:
    """The dual and the primal equations of ridge regression have one solution."""
    rng = np.random.default_rng(0)
    wide, targets = rng.standard_normal((6, 9)), rng.standard_normal((6, 2))
    gram = wide.T @ wide + 0.3 * np.eye(9)
    np.testing.assert_allclose(
        _solved(wide, targets, 0.3), np.linalg.solve(gram, wide.T @ targets), atol=1e-9
    )
    tall, many = rng.standard_normal((12, 4)), rng.standard_normal((12, 2))
    dual = np.linalg.solve(tall @ tall.T + 0.3 * np.eye(12), many)
    np.testing.assert_allclose(_solved(tall, many, 0.3), tall.T @ dual, atol=1e-9)


def test_tuned_leaves_out_context_that_says_nothing_and_keeps_what_does() -> None:
    """The weight of the context follows from how well it foretells windows left out."""
    rng = np.random.default_rng(1)
    codes = np.arange(60) % 2
    targets = np.where(codes[:, None] == np.arange(2), 1.0, -1.0)
    noise = rng.standard_normal((60, 4)) / 2
    telling = targets[:, :1] + 0.1 * rng.standard_normal((60, 1))
    assert _tuned(np.hstack([telling, noise]), targets, codes, 1)[1] < 1
    assert _tuned(np.hstack([noise, telling]), targets, codes, 4)[1] == 1


def test_pool_shape_is_that_of_numpy_on_the_valid_patches(tokens: Any) -> None:
    """Lowest value, quartiles and spread of steps are numpy's own; NaN where nothing is valid."""
    mask = np.array(tokens.mask)
    mask[0, 0, 2:] = False
    mask[1, 1] = False
    values = np.where(mask[..., None], tokens.values, 0)
    rows = pool(replace(tokens, values=values, mask=mask), "shape", context=False).values
    b, c, _, d = values.shape
    got = rows.reshape(b, 7, c, d)
    for row, channel in ((0, 0), (0, 1), (2, 1)):
        own = values[row, channel][mask[row, channel]].astype(float)
        want = [own.mean(0), own.std(0), own.max(0), own.min(0)]
        want += [np.quantile(own, q, axis=0) for q in (0.25, 0.75)]
        want += [np.diff(own, axis=0).std(0)]
        np.testing.assert_allclose(got[row, :, channel], want, atol=1e-5)
    assert np.isnan(got[1, :, 1]).all()
