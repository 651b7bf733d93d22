"""TimesFM 2.5 zero-shot, through transformers; its weights are not here, so it is not run here."""

from __future__ import annotations

import os
from typing import ClassVar

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Untyped
from tool_use_om.heads.events.foundation.paths import chance_of_reaching
from tool_use_om.heads.events.model import EventModel, EventSpec
from tool_use_om.heads.events.windows import EventWindows, Split

Array = np.ndarray
FOLDER = "TUOM_TIMESFM"  # the variable that says where the weights are
_AT_ONCE = 64


class TimesFM(EventModel):
    """Quantiles of the channel's next samples, and from them P(event); nothing is learnt here.

    It sees the last whole patches of the channel that is asked about: padding would be counted in
    the mean and scale that are removed. Predictions are not cut at 0, which the library does for a
    whole batch or not at all.

    Source: Das et al. (2024), version 2.5 as in transformers 5.
    """

    spec: ClassVar[EventSpec] = EventSpec(
        name="timesfm",
        summary="TimesFM 2.5, zero-shot: 200 million parameters, nine quantiles a step",
        kind="foundation",
        source="Das et al. (2024), transformers' TimesFm2_5ModelForPrediction",
        drawn=False,
        not_run="its weights are not here; loaded and called at random weights in the tests",
    )
    model_: Untyped

    def _fit(self, learnt: Split, check: Split) -> None:
        del check
        self.use(self._loaded(), learnt.windows)

    def use(self, model: Untyped, windows: EventWindows) -> None:
        """Take a loaded model for windows of this form.

        Raises
        ------
        DataError : windows shorter than a patch, or a horizon beyond the model's
        """
        patch, horizon = model.config.patch_length, model.config.horizon_length
        if windows.context < patch or windows.steps > horizon:
            raise DataError(
                f"TimesFM reads at least {patch} samples and forecasts at most {horizon}, got "
                f"{windows.context} and {windows.steps}. Choose another context or horizon."
            )
        self.model_ = model.eval()
        self.form_ = (windows.context, windows.features)

    @staticmethod
    def _loaded() -> Untyped:
        from transformers import TimesFm2_5ModelForPrediction

        from tool_use_om.tokenizers.zoo.library import load_pretrained

        folder = os.environ.get(FOLDER)
        if not folder:
            raise DataError(
                "The weights of TimesFM 2.5 are not here. Set "
                f"{FOLDER} to a folder with config.json and model.safetensors of "
                "google/timesfm-2.5-200m-transformers, or leave timesfm out."
            )
        return load_pretrained(TimesFm2_5ModelForPrediction, folder, revision=None)

    @property
    def n_parameters(self) -> int:
        """Those of the loaded model."""
        return sum(p.numel() for p in self.model_.parameters())

    def _proba(self, windows: EventWindows) -> Array:
        import torch

        config = self.model_.config
        read = windows.context // config.patch_length * config.patch_length
        path = torch.as_tensor(windows.path[windows.rows()[:, -read:]], dtype=torch.float32)
        parts = []
        with torch.inference_mode():
            for rows in torch.split(path, _AT_ONCE):
                said = self.model_(
                    past_values=list(rows), forecast_context_len=read, truncate_negative=False
                )
                parts.append(said.full_predictions[:, : windows.steps, 1:].double().numpy())
        return chance_of_reaching(
            np.concatenate(parts),
            np.asarray(config.quantiles),
            windows.levels(),
            windows.event.direction,
            seed=self.seed,
        )
