"""PatchTST, small: the transformers library's, trained on this data's windows for a few epochs."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tool_use_om.data.values import Untyped
from tool_use_om.heads.contract.spec import HeadSpec, Param
from tool_use_om.heads.samples.forecaster import RawForecaster
from tool_use_om.heads.samples.problem import Fold, Problem

Array = np.ndarray
_ROWS_A_STEP = 64
_ROWS_AT_ONCE = 1024
_MOST_ROWS = 4000
_RATE = 1e-3


class PatchTST(RawForecaster):
    """Patches of the samples through a small transformer, channels by themselves (Nie, 2023).

    Two layers of width 32; at most 4 000 evenly spaced windows are seen in an epoch. Its errors are
    measured on the check windows before it is trained again on all.
    """

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="patchtst",
        task="forecast",
        summary="a small patch transformer trained on these windows",
        good_at="many windows of a rhythm that a linear map cannot follow",
        bad_at="few windows; minutes of training on a CPU",
        labels_needed=0,
        params=(
            Param(name="epochs", kind="int", default=5, low=1, high=200, description="epochs"),
            Param(name="seed", kind="int", default=0, low=0, high=10**9, description="of training"),
        ),
    )

    @property
    def memory_mb(self) -> float:
        """Megabytes of the weights."""
        return float(sum(p.numel() * p.element_size() for p in self.network.parameters())) / 1e6

    def _fit(self, problem: Problem, fold: Fold) -> None:
        self._learn(problem, fold.fit)
        if len(fold.check):
            self._said = self._points(problem, self._checked)
            self._learn(problem, np.concatenate([fold.fit, fold.check]))

    def _learn(self, problem: Problem, origins: Array) -> None:
        import torch

        inputs, mean, scale = _normalised(problem, origins)
        wanted = (problem.futures(origins) - mean) / scale
        targets = wanted.reshape(-1, wanted.shape[2])
        seen = np.flatnonzero(np.isfinite(targets).any(axis=1))
        seen = seen[:: -(-len(seen) // _MOST_ROWS)]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(self.params["seed"] or 0))
            self.network = _model(inputs.shape[2], targets.shape[1])
            rows = inputs.reshape(-1, inputs.shape[2])
            _train(self.network, rows[seen], targets[seen], int(self.params["epochs"] or 1))

    def _points(self, problem: Problem, origins: Array) -> Array:
        import torch

        inputs, mean, scale = _normalised(problem, origins)
        rows = torch.as_tensor(inputs.reshape(-1, inputs.shape[2]), dtype=torch.float32)
        parts = []
        with torch.inference_mode():
            for part in torch.split(rows, _ROWS_AT_ONCE):
                said = self.network(past_values=part[..., None]).prediction_outputs
                parts.append(said[..., 0].numpy())
        points = np.concatenate(parts).astype(np.float64).reshape(*inputs.shape[:2], -1)
        return np.asarray(mean + scale * points)


def _normalised(problem: Problem, origins: Array) -> tuple[Array, Array, Array]:
    """Return windows in their own mean and scale, and both; a flat one counts as nearly flat."""
    windows = problem.windows(origins)
    mean, usual = windows.mean(axis=2, keepdims=True), problem.usual(origins)[1]
    scale = np.sqrt(windows.var(axis=2, keepdims=True) + (1e-3 * usual) ** 2)
    return (windows - mean) / scale, mean, scale


def _model(n_samples: int, n_steps: int) -> Untyped:
    from transformers import PatchTSTConfig, PatchTSTForPrediction

    patch = max(2, min(16, n_samples // 4))
    config = PatchTSTConfig(
        num_input_channels=1,
        context_length=n_samples,
        prediction_length=n_steps,
        patch_length=patch,
        patch_stride=max(1, patch // 2),
        d_model=32,
        num_attention_heads=4,
        num_hidden_layers=2,
        ffn_dim=64,
        loss="mse",
        scaling=None,
        norm_type="layernorm",
    )
    return PatchTSTForPrediction(config).eval()


def _train(model: Untyped, inputs: Array, targets: Array, epochs: int) -> None:
    """Minimise the squared error over known values; batches in an order drawn each epoch."""
    import torch

    x = torch.as_tensor(inputs, dtype=torch.float32)[..., None]
    known = torch.as_tensor(np.isfinite(targets))
    y = torch.as_tensor(np.nan_to_num(targets), dtype=torch.float32)
    optimiser = torch.optim.AdamW(model.parameters(), lr=_RATE)
    model.train()
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for rows in torch.split(order, _ROWS_A_STEP):
            said = model(past_values=x[rows]).prediction_outputs[..., 0]
            gap = (said - y[rows])[known[rows]]
            optimiser.zero_grad()
            gap.square().mean().backward()
            optimiser.step()
    model.eval()
