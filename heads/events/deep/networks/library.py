"""Encoders of neuralforecast's models as descriptions of a window.

The library's layers are taken as they are; what is left out is the forecasting decoder and the
normalisation of each window, which would take away the level that an event depends on.
"""

from __future__ import annotations

import torch
from torch import nn

from tool_use_om.data.values import Untyped
from tool_use_om.heads.events.deep.network import DROPOUT, HEADS
from tool_use_om.heads.events.deep.networks.judged import over_time

_PATCH = 16  # samples, without overlap
_TREND = 25  # samples that a trend is the mean of
_FACTOR = 3  # Informer's and Autoformer's: this × ln(window) queries, or delays
_SCALES, _HALVED = 2, 2  # TimeMixer: further time scales, each so many times coarser


class PatchBody(nn.Module):
    """PatchTST's encoder; features stay apart until the head."""

    def __init__(self, n_features: int, context: int, width: int, layers: int) -> None:
        from neuralforecast.models.patchtst import TSTiEncoder

        super().__init__()
        self.patch = min(_PATCH, context)
        patches = context // self.patch
        self.encoder: Untyped = TSTiEncoder(
            n_features, patch_num=patches, patch_len=self.patch, n_layers=layers,
            hidden_size=width, n_heads=HEADS, linear_hidden_size=4 * width, dropout=DROPOUT,
        )  # fmt: skip
        self.d = n_features * width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, F · width) of (B, T, F): the mean over a feature's patches."""
        whole = x.shape[1] // self.patch * self.patch
        patches = x[:, -whole:].transpose(1, 2).unfold(2, self.patch, self.patch)
        with torch.enable_grad():  # without, torch copies a weight for each row of such strides
            described: torch.Tensor = self.encoder(patches.transpose(2, 3)).mean(dim=3)
        described = described if torch.is_grad_enabled() else described.detach()
        return described.flatten(1)


class InvertedBody(nn.Module):
    """iTransformer's embedding and encoder."""

    def __init__(self, n_features: int, context: int, width: int, layers: int) -> None:
        from neuralforecast.common import _modules as m

        super().__init__()
        self.embedding: Untyped = m.DataEmbedding_inverted(context, width, DROPOUT)
        self.encoder: Untyped = m.TransEncoder(
            [
                m.TransEncoderLayer(
                    m.AttentionLayer(
                        m.FullAttention(False, attention_dropout=DROPOUT), width, HEADS
                    ),
                    width, 4 * width, dropout=DROPOUT, activation=nn.functional.gelu,
                )
                for _ in range(layers)
            ],
            norm_layer=nn.LayerNorm(width),
        )  # fmt: skip
        self.d = n_features * width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, F · width) of (B, T, F)."""
        tokens: torch.Tensor = self.encoder(self.embedding(x, None))[0]
        return tokens.flatten(1)


class MixerBody(nn.Module):
    """TimeMixer's embedding and mixing over time scales; the scales are described together."""

    def __init__(self, n_features: int, context: int, width: int, layers: int) -> None:
        from neuralforecast.common import _modules as m
        from neuralforecast.models.timemixer import PastDecomposableMixing

        super().__init__()
        self.context = context // _HALVED**_SCALES * _HALVED**_SCALES
        self.embedding: Untyped = m.TokenEmbedding(c_in=n_features, hidden_size=width)
        self.blocks = nn.ModuleList(
            PastDecomposableMixing(
                self.context, 1, _HALVED, _SCALES, width, DROPOUT, 0, "moving_avg", 4 * width,
                _TREND, 5,
            )
            for _ in range(layers)
        )  # fmt: skip
        for block in self.blocks:  # parts that the library makes and never calls
            block.out_cross_layer = block.layer_norm = nn.Identity()
        self.d = 2 * width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, 2 · width) of (B, T, F)."""
        scales = [x[:, -self.context :]]
        for _ in range(_SCALES):
            coarser = nn.functional.avg_pool1d(scales[-1].transpose(1, 2), _HALVED)
            scales.append(coarser.transpose(1, 2))
        tokens = [self.embedding(scale) for scale in scales]
        for block in self.blocks:
            tokens = block(tokens)
        described: torch.Tensor = torch.stack([over_time(scale) for scale in tokens]).mean(dim=0)
        return described


class _TimeBody(nn.Module):
    """A token a sample: embedding, encoder, mean and last token."""

    embedding: Untyped
    encoder: Untyped

    def __init__(self, n_features: int, width: int, *, placed: bool) -> None:
        from neuralforecast.common import _modules as m

        super().__init__()
        self.embedding = m.DataEmbedding(
            c_in=n_features, exog_input_size=0, hidden_size=width, pos_embedding=placed,
            dropout=DROPOUT,
        )  # fmt: skip
        self.d = 2 * width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, 2 · width) of (B, T, F)."""
        return over_time(self.encoder(self.embedding(x), attn_mask=None)[0])


class InformerBody(_TimeBody):
    """Informer's encoder with its halving convolutions."""

    def __init__(self, n_features: int, context: int, width: int, layers: int) -> None:
        from neuralforecast.common import _modules as m
        from neuralforecast.models.informer import ConvLayer, ProbAttention

        del context
        super().__init__(n_features, width, placed=True)
        self.encoder = m.TransEncoder(
            [
                m.TransEncoderLayer(
                    m.AttentionLayer(
                        ProbAttention(False, _FACTOR, attention_dropout=DROPOUT), width, HEADS
                    ),
                    width, 4 * width, dropout=DROPOUT, activation="gelu",
                )
                for _ in range(layers)
            ],
            [ConvLayer(width) for _ in range(layers - 1)],
            norm_layer=nn.LayerNorm(width),
        )  # fmt: skip


class AutoformerBody(_TimeBody):
    """Autoformer's encoder."""

    def __init__(self, n_features: int, context: int, width: int, layers: int) -> None:
        from neuralforecast.models import autoformer as m

        del context
        super().__init__(n_features, width, placed=False)
        self.encoder = m.Encoder(
            [
                m.EncoderLayer(
                    m.AutoCorrelationLayer(
                        m.AutoCorrelation(False, _FACTOR, attention_dropout=DROPOUT), width, HEADS
                    ),
                    hidden_size=width, conv_hidden_size=4 * width, MovingAvg=_TREND,
                    dropout=DROPOUT, activation="gelu",
                )
                for _ in range(layers)
            ],
            norm_layer=m.LayerNorm(width),
        )  # fmt: skip


class FedformerBody(_TimeBody):
    """FEDformer's encoder with Fourier blocks over all frequencies of the window."""

    def __init__(self, n_features: int, context: int, width: int, layers: int) -> None:
        from neuralforecast.models import fedformer as m

        super().__init__(n_features, width, placed=False)
        self.encoder = m.Encoder(
            [
                m.EncoderLayer(
                    m.AutoCorrelationLayer(
                        m.FourierBlock(width, width, seq_len=context, modes=context // 2),
                        width, HEADS,
                    ),
                    hidden_size=width, conv_hidden_size=4 * width, MovingAvg=_TREND,
                    dropout=DROPOUT, activation="gelu",
                )
                for _ in range(layers)
            ],
            norm_layer=m.LayerNorm(width),
        )  # fmt: skip
        for layer in self.encoder.attn_layers:  # parts whose output a Fourier block does not read
            layer.attention.key_projection = layer.attention.value_projection = nn.Identity()
