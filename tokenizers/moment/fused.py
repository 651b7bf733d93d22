"""The inference form of MOMENT's stack: the frozen module's weights, packed once for speed.

The same function as `t5.T5Encoder` over `moment.PatchEmbedding`, with less work around the matrix
products:

- norm weights are multiplied into the products that follow them;
- the first layer's queries, keys and values are a linear map of the patch itself (8 numbers) and of
  its position, so that layer's widest product shrinks to almost nothing;
- the gate's tanh is a sigmoid (the same function; torch's is three times faster), with its constant
  in the weights;
- position biases are made once, residuals are added inside the products, buffers are reused;
- series go through all layers in chunks that stay in the processor's cache.

Padding and gaps never enter: `Moment.encode` gives it dense patches. Weights are held twice, as the
module's and packed. Training uses the plain module.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
import torch.nn.functional as F  # noqa: N812 - the name torch's own documents use
from torch import Tensor

from tool_use_om.data.errors import DataError
from tool_use_om.tokenizers.moment.model import Moment
from tool_use_om.tokenizers.spec import Precision

ROWS = 384  # patches a chunk: measured best of 64 to 1536 at d_model 512 with 0.5 MiB of L2 cache
GELU_SLOPE = 2 * math.sqrt(2 / math.pi)  # gelu_tanh(x) = x sigmoid(GELU_SLOPE (x + GELU_CUBE x^3))
GELU_CUBE = 0.044715


class FastMoment:
    """`Moment.encode` and `reconstruct` on packed weights; the module itself is left alone.

    Parameters
    ----------
    model : Moment, frozen; it is packed when the first window comes
    precision : what products are calculated in; the sum along the layers stays float32. int8
        quantises each series' activations by themselves, so that batch-mates do not matter
    """

    def __init__(self, model: Moment, precision: Precision = "float32") -> None:
        self.model = model
        self.precision: Precision = precision

    @cached_property
    def stack(self) -> FusedStack:
        """The packed weights."""
        return FusedStack(self.model, self.precision)

    def encode(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(B, C, T) → (B, C, T // patch_len, D); see `Moment.encode`."""
        return self.model.encode(x, mask, stack=self.stack)

    def reconstruct(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(B, C, T) → (B, C, T); see `Moment.reconstruct`."""
        return self.model.reconstruct(x, mask, stack=self.stack)


class Product(Protocol):
    """A matrix that rows are multiplied by."""

    def into(self, x: Tensor, out: Tensor) -> Tensor:
        """Return x @ W, in `out` where that saves memory."""
        ...

    def add(self, total: Tensor, x: Tensor) -> None:
        """Add x @ W to `total` (float32)."""
        ...


class _Dense:
    """A product in float32 or bfloat16."""

    def __init__(self, weight: Tensor, dtype: torch.dtype) -> None:
        self.weight = weight.t().to(dtype).contiguous()

    def into(self, x: Tensor, out: Tensor) -> Tensor:
        return torch.mm(x, self.weight, out=out)

    def add(self, total: Tensor, x: Tensor) -> None:
        if total.dtype == self.weight.dtype:
            total.addmm_(x, self.weight)
        else:
            total.add_(torch.mm(x, self.weight))


class _Int8:
    """A product with int8 weights (a scale an output) and activations quantised as they come."""

    def __init__(self, weight: Tensor) -> None:
        scale = weight.abs().amax(1).clamp(min=1e-12) / 127
        zero = torch.zeros(len(weight), dtype=torch.long)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch means to move these; there is no other yet
                quantised = torch.quantize_per_channel(weight, scale, zero, 0, torch.qint8)
                self.packed = torch.ops.quantized.linear_prepack(quantised, None)
        except (AttributeError, RuntimeError) as error:
            raise DataError(
                f"This torch has no int8 products ({type(error).__name__}). Choose float32."
            ) from error

    def into(self, x: Tensor, out: Tensor) -> Tensor:  # noqa: ARG002 - these products make their own
        made: Tensor = torch.ops.quantized.linear_dynamic(x, self.packed, reduce_range=True)
        return made

    def add(self, total: Tensor, x: Tensor) -> None:
        total.add_(self.into(x, total))


@dataclass(frozen=True, kw_only=True)
class _Layer:
    """One block's products; norm weights are in `qkv`, `gate` and `up`."""

    qkv: Product
    o: Product
    gate: Product
    up: Product
    wo: Product


@dataclass(frozen=True, kw_only=True)
class _Room:
    """Buffers for one chunk of rows, used again by every layer and chunk."""

    normed: Tensor
    wide: Tensor
    gate: Tensor
    up: Tensor
    inverse: Tensor

    def rows(self, n: int) -> _Room:
        """The first n rows of each."""
        return _Room(**{name: buffer[:n] for name, buffer in vars(self).items()})

    def shared(self, width: int) -> Tensor:
        """Rows of `width` in the buffer that queries, keys, values and the gate's cube share."""
        rows = len(self.wide)
        return self.wide.flatten()[: rows * width].view(rows, width)


class FusedStack:
    """Dense patches in, tokens out.

    Parameters
    ----------
    model : Moment, whose weights are packed as they are now
    precision : "float32", "bfloat16" or "int8"
    """

    def __init__(self, model: Moment, precision: Precision = "float32") -> None:
        self.precision: Precision = precision
        self.dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
        self.eps = model.config.layer_norm_epsilon
        self.heads = model.config.n_heads
        self.inner = 3 * model.config.n_heads * model.config.d_kv
        self.d_ff = model.config.d_ff
        self.alone = precision == "int8"
        self.scaled_gate = precision != "bfloat16"
        weights = {name: w.detach() for name, w in model.encoder.named_parameters()}
        blocks = [f"block.{index}.layer" for index in range(model.config.n_layers)]
        self.layers = [self._packed(weights, block) for block in blocks]
        self.embed = model.patch_embedding.value_embedding.weight.detach().t().contiguous()
        first = _qkv(weights, blocks[0]).double().t()
        self.first_embed = (self.embed.double() @ first).float()
        self.first_positions = (model.positions.double() @ first).float()
        self.positions = model.positions.clone()
        with torch.no_grad():
            self.bias = model.encoder.position_bias(torch.arange(model.config.max_patches))
        self.final = weights["final_layer_norm.weight"].clone()

    def __call__(self, patches: Tensor, at: Tensor, keys: Tensor | None = None) -> Tensor:
        """Encode patches that all count.

        Parameters
        ----------
        patches : Tensor (N, P, patch_len) float32, normalised
        at : Tensor (P,) long, where each patch stands on the grid
        keys : Tensor (N, P) bool, patches that may be attended to; None = all

        Returns
        -------
        Tensor (N, P, D) float32
        """
        n, p, _ = patches.shape
        out = torch.empty(n, p, self.embed.shape[1])
        size = even_size(n, 1 if self.alone else max(1, ROWS // p))
        room = self._room(size * p)
        bias = self.bias[:, :, at][..., at]
        for start in range(0, n, size):
            rows = slice(start, start + size)
            mask = bias if keys is None else bias + _shut(keys[rows])
            self._chunk(patches[rows], at, mask, room, out[rows])
        return out

    def _chunk(self, patches: Tensor, at: Tensor, bias: Tensor, room: _Room, out: Tensor) -> None:
        """Encode patches (n, P, L) into out (n, P, D), which holds the sum along the layers."""
        x, flat, n = out.flatten(0, 1), patches.flatten(0, 1), len(patches)
        room = room.rows(len(x))
        torch.mm(flat, self.embed, out=x)
        out.add_(self.positions[at])
        for index, layer in enumerate(self.layers):
            if index == 0:
                qkv = self._first_qkv(flat, at, room, self._inverse(x, room))
            else:
                qkv = layer.qkv.into(self._normed(x, room), room.shared(self.inner))
            layer.o.add(x, self._attended(qkv, bias, n))
            layer.wo.add(x, self._gated(layer, self._normed(x, room), room))
        x.mul_(self._inverse(x, room)).mul_(self.final)

    def _first_qkv(self, flat: Tensor, at: Tensor, room: _Room, inverse: Tensor) -> Tensor:
        """Queries, keys and values of the first layer, straight from patches (M, L)."""
        qkv = torch.mm(flat, self.first_embed)
        qkv.view(-1, len(at), self.inner).add_(self.first_positions[at])
        return torch.mul(qkv, inverse, out=room.shared(self.inner))

    def _attended(self, qkv: Tensor, bias: Tensor, n: int) -> Tensor:
        """Mix values (M, 3 * inner) over each series' patches → (M, inner)."""
        q, k, v = qkv.view(n, len(qkv) // n, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind()
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype), scale=1.0)
        return mixed.transpose(1, 2).reshape(len(qkv), -1)

    def _gated(self, layer: _Layer, x: Tensor, room: _Room) -> Tensor:
        """GELU-gated values (M, d_ff)."""
        gate, up = layer.gate.into(x, room.gate), layer.up.into(x, room.up)
        if not self.scaled_gate:
            return F.gelu(gate, approximate="tanh").mul_(up)
        up.mul_(gate)
        cube = torch.mul(gate, gate, out=room.shared(self.d_ff))
        gate.add_(cube.mul_(gate), alpha=GELU_CUBE / GELU_SLOPE**2)
        return up.mul_(gate.sigmoid_())

    def _inverse(self, x: Tensor, room: _Room) -> Tensor:
        """One over the root mean square of each row (M, 1)."""
        inverse = room.inverse
        torch.linalg.vector_norm(x, dim=-1, keepdim=True, out=inverse)
        return inverse.square_().div_(x.shape[1]).add_(self.eps).rsqrt_()

    def _normed(self, x: Tensor, room: _Room) -> Tensor:
        """Rows over their root mean square, in the products' dtype."""
        return torch.mul(x, self._inverse(x, room), out=room.normed)

    def _room(self, rows: int) -> _Room:
        """Make buffers for chunks of up to `rows` patches."""
        widths = {
            "normed": self.embed.shape[1],
            "wide": max(self.inner, self.d_ff),
            "gate": self.d_ff,
            "up": self.d_ff,
        }
        made = {name: torch.empty(rows, width, dtype=self.dtype) for name, width in widths.items()}
        return _Room(**made, inverse=torch.empty(rows, 1))

    def _packed(self, weights: Mapping[str, Tensor], block: str) -> _Layer:
        """Return one block's products."""
        dense = f"{block}.1.DenseReluDense"
        norm = weights[f"{block}.1.layer_norm.weight"]
        slope = GELU_SLOPE if self.scaled_gate else 1.0
        return _Layer(
            qkv=self._product(_qkv(weights, block)),
            o=self._product(weights[f"{block}.0.SelfAttention.o.weight"]),
            gate=self._product(weights[f"{dense}.wi_0.weight"] * norm * slope),
            up=self._product(weights[f"{dense}.wi_1.weight"] * norm / slope),
            wo=self._product(weights[f"{dense}.wo.weight"]),
        )

    def _product(self, weight: Tensor) -> Product:
        return _Int8(weight) if self.precision == "int8" else _Dense(weight, self.dtype)


def even_size(total: int, at_most: int) -> int:
    """Size of even chunks of `total`, at most `at_most`: no small last chunk."""
    return math.ceil(total / math.ceil(total / at_most)) if total else at_most


def _qkv(weights: Mapping[str, Tensor], block: str) -> Tensor:
    """One weight (3 * inner, D) for queries, keys and values, the norm's weight inside."""
    parts = [weights[f"{block}.0.SelfAttention.{name}.weight"] for name in "qkv"]
    return torch.cat(parts) * weights[f"{block}.0.layer_norm.weight"]


def _shut(keys: Tensor) -> Tensor:
    """Additive mask (N, 1, 1, P) that shuts what may not be attended to."""
    shut = torch.zeros(keys.shape).masked_fill(~keys, torch.finfo(torch.float32).min)
    return shut[:, None, None]
