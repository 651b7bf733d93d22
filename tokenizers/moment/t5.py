"""The T5 encoder stack that MOMENT is built on, in torch alone.

The shape of flan-t5 (T5 v1.1): RMS layer norm before each sublayer, no biases, no scaling of the
attention scores, one relative position bias shared by all layers, feed-forward gated by a
tanh-approximated GELU. Module names follow transformers' `T5Stack`, so its weights load by name.

Source: Raffel et al. (2020), *Exploring the Limits of Transfer Learning*; Shazeer (2020),
*GLU Variants*. Not covered: decoders, cross-attention, caches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the name torch's own documents use
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class T5Shape:
    """Sizes of the stack; names as in T5's own configuration."""

    d_model: int
    d_ff: int
    d_kv: int
    num_heads: int
    num_layers: int
    dropout_rate: float = 0.1
    relative_attention_num_buckets: int = 32
    relative_attention_max_distance: int = 128
    layer_norm_epsilon: float = 1e-6


class RMSNorm(nn.Module):
    """Scale by the root mean square over the last axis; no mean removed, no bias."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """(…, size) → (…, size)."""
        weight = self.weight.to(x.dtype)  # under autocast one is bfloat16, the other float32
        return F.rms_norm(x, (x.shape[-1],), weight, self.eps)


def relative_buckets(positions: Tensor, num_buckets: int, max_distance: int) -> Tensor:
    """Bucket of every signed distance key - query between `positions` (P,) → (P, P) long.

    Half of the buckets are for keys after the query; in each half the near distances have a bucket
    of their own and the far ones share logarithmic bins up to `max_distance`.
    """
    distance = positions[None, :] - positions[:, None]
    half = num_buckets // 2
    exact = half // 2
    far = distance.abs()
    logarithmic = torch.log(far.clamp(min=1).float() / exact) / math.log(max_distance / exact)
    binned = (exact + (logarithmic * (half - exact)).long()).clamp(max=half - 1)
    return (distance > 0).long() * half + torch.where(far < exact, far, binned)


class SelfAttention(nn.Module):
    """Multi-head attention with an additive bias and unscaled scores."""

    def __init__(self, shape: T5Shape, *, owns_bias: bool) -> None:
        super().__init__()
        inner = shape.num_heads * shape.d_kv
        self.heads = shape.num_heads
        self.dropout = shape.dropout_rate
        self.q = nn.Linear(shape.d_model, inner, bias=False)
        self.k = nn.Linear(shape.d_model, inner, bias=False)
        self.v = nn.Linear(shape.d_model, inner, bias=False)
        self.o = nn.Linear(inner, shape.d_model, bias=False)
        if owns_bias:
            self.relative_attention_bias = nn.Embedding(
                shape.relative_attention_num_buckets, shape.num_heads
            )

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """(N, P, D) with bias (1 or N, heads, P, P) → (N, P, D)."""
        q, k, v = (
            proj(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for proj in (self.q, self.k, self.v)
        )
        dropout = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(
            q, k, v, attn_mask=bias.to(q.dtype), dropout_p=dropout, scale=1.0
        )
        out: Tensor = self.o(mixed.transpose(1, 2).flatten(-2))
        return out


class AttentionLayer(nn.Module):
    """Pre-norm residual attention."""

    def __init__(self, shape: T5Shape, *, owns_bias: bool) -> None:
        super().__init__()
        self.SelfAttention = SelfAttention(shape, owns_bias=owns_bias)
        self.layer_norm = RMSNorm(shape.d_model, shape.layer_norm_epsilon)
        self.dropout = nn.Dropout(shape.dropout_rate)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """(N, P, D) → (N, P, D)."""
        added: Tensor = self.dropout(self.SelfAttention(self.layer_norm(x), bias))
        return x + added


class GatedGelu(nn.Module):
    """Feed-forward with a GELU gate (tanh approximation, as `gelu_new`)."""

    def __init__(self, shape: T5Shape) -> None:
        super().__init__()
        self.wi_0 = nn.Linear(shape.d_model, shape.d_ff, bias=False)
        self.wi_1 = nn.Linear(shape.d_model, shape.d_ff, bias=False)
        self.wo = nn.Linear(shape.d_ff, shape.d_model, bias=False)
        self.dropout = nn.Dropout(shape.dropout_rate)

    def forward(self, x: Tensor) -> Tensor:
        """(N, P, D) → (N, P, D)."""
        gated = F.gelu(self.wi_0(x), approximate="tanh") * self.wi_1(x)
        out: Tensor = self.wo(self.dropout(gated))
        return out


class FeedForwardLayer(nn.Module):
    """Pre-norm residual feed-forward."""

    def __init__(self, shape: T5Shape) -> None:
        super().__init__()
        self.DenseReluDense = GatedGelu(shape)
        self.layer_norm = RMSNorm(shape.d_model, shape.layer_norm_epsilon)
        self.dropout = nn.Dropout(shape.dropout_rate)

    def forward(self, x: Tensor) -> Tensor:
        """(N, P, D) → (N, P, D)."""
        added: Tensor = self.dropout(self.DenseReluDense(self.layer_norm(x)))
        return x + added


class Block(nn.Module):
    """Attention, then feed-forward."""

    def __init__(self, shape: T5Shape, *, owns_bias: bool) -> None:
        super().__init__()
        self.layer = nn.ModuleList(
            [AttentionLayer(shape, owns_bias=owns_bias), FeedForwardLayer(shape)]
        )

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """(N, P, D) → (N, P, D)."""
        out: Tensor = self.layer[1](self.layer[0](x, bias))
        return out


class T5Encoder(nn.Module):
    """The stack: blocks that share the first one's position bias, then a last norm."""

    alone = False  # a masked patch takes no part in its mates' results

    def __init__(self, shape: T5Shape) -> None:
        super().__init__()
        self.shape = shape
        self.block = nn.ModuleList(
            [Block(shape, owns_bias=index == 0) for index in range(shape.num_layers)]
        )
        self.final_layer_norm = RMSNorm(shape.d_model, shape.layer_norm_epsilon)
        self.dropout = nn.Dropout(shape.dropout_rate)

    def position_bias(self, positions: Tensor) -> Tensor:
        """Bias of the attention scores between patches at `positions` (P,) → (1, heads, P, P)."""
        buckets = relative_buckets(
            positions,
            self.shape.relative_attention_num_buckets,
            self.shape.relative_attention_max_distance,
        )
        embedding: nn.Embedding = self.get_submodule(
            "block.0.layer.0.SelfAttention.relative_attention_bias"
        )  # type: ignore[assignment]  # typed Module; built as an Embedding above
        bias: Tensor = embedding(buckets)
        return bias.permute(2, 0, 1).unsqueeze(0).contiguous()

    def forward(self, x: Tensor, positions: Tensor, keys: Tensor | None = None) -> Tensor:
        """Encode patches.

        Parameters
        ----------
        x : Tensor (N, P, D), patch embeddings
        positions : Tensor (P,) long, where each patch stands on the grid (gaps allowed)
        keys : Tensor (N, P) bool, patches that may be attended to; None = all

        Returns
        -------
        Tensor (N, P, D)
        """
        bias = self.position_bias(positions)
        if keys is not None:
            shut = torch.zeros(keys.shape, dtype=bias.dtype, device=bias.device)
            shut = shut.masked_fill(~keys, torch.finfo(bias.dtype).min)
            bias = bias + shut[:, None, None, :]
        x = self.dropout(x)
        for block in self.block:
            x = block(x, bias)
        out: Tensor = self.dropout(self.final_layer_norm(x))
        return out
