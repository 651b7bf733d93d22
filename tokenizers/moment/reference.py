"""momentfm itself behind our interface: the reference to compare with, selectable as a backend."""

from __future__ import annotations

import contextlib
import io
import warnings

import torch
from torch import Tensor, nn

from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Untyped
from tool_use_om.tokenizers.moment.model import Moment, MomentConfig


class MomentfmEncoder(nn.Module):
    """momentfm's pipeline with the weights of `model`, padded on the left to its full length.

    It takes one mask a window: channels with masks of their own must come one by one.
    """

    def __init__(self, model: Moment) -> None:
        super().__init__()
        self.config: MomentConfig = model.config
        self.pipeline = _pipeline(model.config)
        self.pipeline.load_state_dict(model.state_dict(), strict=False)
        self.pipeline.eval()

    def encode(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(B, C, T) → (B, C, T // patch_len, D); see `Moment.encode`."""
        padded, valid, _ = self._padded(x, mask)
        out: Tensor = self.pipeline.embed(
            x_enc=padded, input_mask=valid, reduction="none"
        ).embeddings
        return out[:, :, self.config.max_patches - x.shape[-1] // self.config.patch_len :]

    def reconstruct(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(B, C, T) → (B, C, T); see `Moment.reconstruct`."""
        padded, valid, short = self._padded(x, mask)
        out: Tensor = self.pipeline.reconstruct(x_enc=padded, input_mask=valid).reconstruction
        return out[..., short:]

    def _padded(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor, int]:
        """Return x and its mask as momentfm's loaders make them, and how much was put before."""
        known = torch.isfinite(x)
        if mask is not None:
            known = known & (mask[:, None] if mask.ndim == 2 else mask)
        row = known[:, 0]
        if bool((known != row[:, None]).any()):
            raise DataError("momentfm takes one mask a window; the channels' masks differ.")
        short = self.config.seq_len - x.shape[-1]
        filled = torch.where(torch.isfinite(x), x, 0)
        return (
            nn.functional.pad(filled, (short, 0)),
            nn.functional.pad(row.float(), (short, 0)),
            short,
        )


def _pipeline(config: MomentConfig) -> Untyped:
    """Build momentfm's model quietly; raise DataError if the package is not installed."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            from momentfm import MOMENTPipeline
        except ImportError as error:
            raise DataError(
                "backend='momentfm' needs the momentfm package: "
                "pip install --no-deps momentfm==0.1.4. The default backend needs nothing."
            ) from error
        return MOMENTPipeline(config.to_json(), model_kwargs={"task_name": "reconstruction"})
