"""Forecasts by one ridge regression from the last token to the whole horizon."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tool_use_om.heads.forecasting import ForecastBatch
from tool_use_om.heads.latent_ssm import LINEAR_PARAMS, LatentSSM
from tool_use_om.heads.spec import HeadSpec


class Direct(LatentSSM):
    """The state of `latent_ssm` decoded for the whole horizon at once, without dynamics."""

    spec: ClassVar[HeadSpec] = HeadSpec(
        name="direct",
        task="forecast",
        summary="ridge regression from token and context to the whole horizon",
        good_at="long contexts with much to learn from; errors do not build up step by step",
        bad_at="few windows whose whole horizon is known",
        labels_needed=0,
        params=LINEAR_PARAMS,
    )

    def _choose_step(self, batch: ForecastBatch) -> tuple[int, np.ndarray]:  # noqa: ARG002  # no step to look for
        return self.max_steps_, np.empty((0, 2), dtype=np.int64)
