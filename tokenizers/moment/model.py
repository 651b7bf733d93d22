"""Our own MOMENT encoder: patches of a window in, one vector a patch out.

Same state-dict names and `config.json` as momentfm 0.1.4, so its checkpoints load here and ours
load there. What differs: only valid patches are computed, each channel may have its own mask, and
NaN is a mask, never a number.

Where padding goes: momentfm's own loaders pad a short series on the **left** to 512 samples, so its
patches stand at the last positions. A window shorter than `seq_len` is placed likewise here: as if
it were padded on the left, without computing the padding. Samples that do not fill a patch at the
window's start are not encoded (they do count for the window's mean and scale), as there.

Source: Goswami et al. (2024), *MOMENT: A Family of Open Time-series Foundation Models*.
Not covered: affine RevIN, patches that overlap, decoders, momentfm's forecasting and classification
heads (heads live in `tool_use_om.heads`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol, get_args

import torch
from torch import Tensor, nn

from tool_use_om.data.errors import DataError
from tool_use_om.tokenizers.moment.described import Inputs, described
from tool_use_om.tokenizers.moment.t5 import T5Encoder, T5Shape

REVIN_EPS = 1e-5
ORTHOGONAL_GAIN = 1.41
MAX_PATTERNS = 8  # beyond this many different masks in a batch, one masked pass is cheaper
_T5_NAMES = {"n_heads": "num_heads", "n_layers": "num_layers", "dropout": "dropout_rate"}
_IN_T5 = (
    "d_model",
    "d_ff",
    "d_kv",
    "n_heads",
    "n_layers",
    "dropout",
    "relative_attention_num_buckets",
    "relative_attention_max_distance",
    "layer_norm_epsilon",
)


@dataclass(frozen=True, kw_only=True)
class MomentConfig:
    """Shape of a MOMENT encoder; lengths in samples. `to_json` is momentfm's `config.json`."""

    d_model: int
    d_ff: int
    n_layers: int
    n_heads: int
    d_kv: int = 64
    seq_len: int = 512
    patch_len: int = 8
    dropout: float = 0.1
    patch_dropout: float = 0.1
    head_dropout: float = 0.1
    relative_attention_num_buckets: int = 32
    relative_attention_max_distance: int = 128
    layer_norm_epsilon: float = 1e-6
    inputs: Inputs = "values"

    def __post_init__(self) -> None:
        sizes = {f.name: getattr(self, f.name) for f in fields(self) if f.type == "int"}
        bad = {k: v for k, v in sizes.items() if not isinstance(v, int) or v < 1}
        if bad:
            raise DataError(f"Encoder sizes must be whole numbers above 0; got {bad}.")
        if self.seq_len % self.patch_len or self.d_model % 2:
            raise DataError(
                "seq_len must be a multiple of patch_len and d_model even; got "
                f"seq_len={self.seq_len}, patch_len={self.patch_len}, d_model={self.d_model}."
            )

    @property
    def max_patches(self) -> int:
        """Patches in the longest window."""
        return self.seq_len // self.patch_len

    @property
    def n_inputs(self) -> int:
        """Numbers that the patch embedding reads of a patch."""
        return self.patch_len if self.inputs == "values" else 3 * self.patch_len + 4

    def t5_shape(self) -> T5Shape:
        """Sizes of the encoder stack."""
        return T5Shape(**{_T5_NAMES.get(name, name): getattr(self, name) for name in _IN_T5})

    def to_json(self) -> dict[str, Any]:
        """Return momentfm's `config.json` as a dict."""
        t5 = {_T5_NAMES.get(name, name): getattr(self, name) for name in _IN_T5}
        other = {} if self.inputs == "values" else {"patch_inputs": self.inputs}
        return other | {
            "model_name": "MOMENT",
            "task_name": "reconstruction",
            "transformer_type": "encoder_only",
            "transformer_backbone": "tool-use-om/t5-encoder",
            "randomly_initialize_backbone": False,
            "seq_len": self.seq_len,
            "patch_len": self.patch_len,
            "patch_stride_len": self.patch_len,
            "d_model": self.d_model,
            "patch_dropout": self.patch_dropout,
            "head_dropout": self.head_dropout,
            "revin_affine": False,
            "t5_config": {"model_type": "t5", "feed_forward_proj": "gated-gelu", **t5},
        }

    @classmethod
    def from_json(cls, config: Mapping[str, Any]) -> MomentConfig:
        """Read momentfm's `config.json`.

        Raises
        ------
        DataError : a key is missing, or the model is of a kind that is not covered here
        """
        try:
            _check_covered(config)
            t5 = config["t5_config"]
            stack = {n: t5[_T5_NAMES.get(n, n)] for n in _IN_T5 if _T5_NAMES.get(n, n) in t5}
            own = {n: config[n] for n in ("patch_dropout", "head_dropout") if n in config}
            own["inputs"] = config.get("patch_inputs", "values")
            return cls(**stack, **own, seq_len=config["seq_len"], patch_len=config["patch_len"])
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"config.json is not a MOMENT configuration ({error}). It needs seq_len, "
                "patch_len, patch_stride_len and t5_config, as momentfm 0.1.4 writes it."
            ) from error


def _check_covered(config: Mapping[str, Any]) -> None:
    """Raise DataError for models that would load by name and then give other numbers."""
    t5 = config["t5_config"]
    wanted = {
        "revin_affine": (config.get("revin_affine", False), False),
        "patch_stride_len": (config["patch_stride_len"], config["patch_len"]),
        "transformer_type": (config.get("transformer_type", "encoder_only"), "encoder_only"),
        "feed_forward_proj": (t5.get("feed_forward_proj", "relu"), "gated-gelu"),
        "d_model": (config.get("d_model") or t5["d_model"], t5["d_model"]),
        "value_embedding_bias": (config.get("value_embedding_bias", False), False),
        "add_positional_embedding": (config.get("add_positional_embedding", True), True),
    }
    if (inputs := config.get("patch_inputs", "values")) not in get_args(Inputs):
        raise DataError(
            f"config.json: patch_inputs must be one of {', '.join(get_args(Inputs))}, "
            f"got {inputs!r}."
        )
    for name, (got, need) in wanted.items():
        if got != need:
            raise DataError(f"config.json: {name} must be {need!r} for this encoder, got {got!r}.")


def sinusoids(n_positions: int, d_model: int) -> Tensor:
    """Fixed position vectors (n_positions, d_model), sine and cosine interleaved."""
    rate = torch.exp(torch.arange(0, d_model, 2).float() * -(math.log(10000.0) / d_model))
    angle = torch.arange(n_positions).float()[:, None] * rate
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(-2)


class PatchEmbedding(nn.Module):
    """Patch values → vectors: one linear map, or the mask vector where the patch is hidden."""

    def __init__(self, config: MomentConfig) -> None:
        super().__init__()
        self.value_embedding = nn.Linear(config.n_inputs, config.d_model, bias=False)
        self.mask_embedding = nn.Parameter(torch.zeros(config.d_model))
        self.dropout = nn.Dropout(config.patch_dropout)

    def forward(self, patches: Tensor, positions: Tensor, hidden: Tensor | None) -> Tensor:
        """(N, P, n_inputs), positions (P, D), hidden (N, P) bool → (N, P, D)."""
        x = self.value_embedding(patches)
        if hidden is not None:
            x = torch.where(hidden[..., None], self.mask_embedding.to(x.dtype), x)
        out: Tensor = self.dropout(x + positions.to(x.dtype))
        return out


class ReconstructionHead(nn.Module):
    """Vectors → patch values."""

    def __init__(self, config: MomentConfig) -> None:
        super().__init__()
        self.dropout = nn.Dropout(config.head_dropout)
        self.linear = nn.Linear(config.d_model, config.patch_len)

    def forward(self, x: Tensor) -> Tensor:
        """(N, P, D) → (N, P * patch_len)."""
        out: Tensor = self.linear(self.dropout(x))
        return out.flatten(-2)


class Stack(Protocol):
    """What runs dense patches through the layers: the module's own, or its inference form.

    `alone` says that a series must not meet others' gaps even behind a mask: each mask that occurs
    is then run densely, however many there are.
    """

    alone: bool

    def __call__(self, patches: Tensor, at: Tensor, keys: Tensor | None = None) -> Tensor:
        """(N, P, L) at grid positions (P,), attending to keys (N, P) → (N, P, D)."""
        ...


class Moment(nn.Module):
    """A MOMENT encoder with its masked-reconstruction head.

    Parameters
    ----------
    config : MomentConfig
    seed : int, seed of the random weights (the global generator is left alone)
    """

    def __init__(self, config: MomentConfig, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.patch_embedding = PatchEmbedding(config)
            self.encoder = T5Encoder(config.t5_shape())
            self.head = ReconstructionHead(config)
            self._draw_weights()
        self.positions = nn.Buffer(sinusoids(config.max_patches, config.d_model), persistent=False)

    @torch.no_grad()
    def _draw_weights(self) -> None:
        """Random weights with T5's own scales; the patch maps are orthogonal as in momentfm."""
        c = self.config
        inner = c.n_heads * c.d_kv
        scale = {"q": (c.d_model * c.d_kv) ** -0.5, "o": inner**-0.5, "wo": c.d_ff**-0.5}
        for name, module in self.encoder.named_modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                leaf = name.rsplit(".", 1)[-1]
                nn.init.normal_(module.weight, std=scale.get(leaf, c.d_model**-0.5))
        for linear in (self.patch_embedding.value_embedding, self.head.linear):
            nn.init.orthogonal_(linear.weight, gain=ORTHOGONAL_GAIN)
        nn.init.zeros_(self.head.linear.bias)

    def patch_mask(self, mask: Tensor) -> Tensor:
        """Sample mask (…, T) → patch mask (…, P): a patch is valid if all its samples are."""
        length = self.config.patch_len
        whole = mask.shape[-1] // length * length
        kept = mask[..., mask.shape[-1] - whole :]
        return kept.reshape(*mask.shape[:-1], -1, length).all(-1)

    def normalize(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Remove each channel's mean and scale over its valid samples (RevIN).

        Parameters
        ----------
        x : Tensor (B, C, T)
        mask : Tensor (B, C, T) bool, the samples that mean and scale are taken from

        Returns
        -------
        z (B, C, T), mean (B, C, 1), scale (B, C, 1) = standard deviation + 1e-5, so that
        x = z * scale + mean; a channel without valid samples has mean 0
        """
        wide = torch.where(torch.isfinite(x), x, 0).double()
        n = mask.sum(-1, keepdim=True).clamp(min=1)
        mean = torch.where(mask, wide, 0).sum(-1, keepdim=True) / n
        var = torch.where(mask, wide - mean, 0).square().sum(-1, keepdim=True) / n
        scale = var.sqrt() + REVIN_EPS
        return ((wide - mean) / scale).to(x.dtype), mean.to(x.dtype), scale.to(x.dtype)

    def inputs(self, patches: Tensor, seen: Tensor) -> Tensor:
        """Return what the patch embedding reads of each patch.

        Parameters
        ----------
        patches : Tensor (N, P, patch_len), normalised
        seen : Tensor (N, P) bool, the patches that steps are measured on

        Returns
        -------
        Tensor (N, P, n_inputs): the patches; "described" also has each patch in its own scale, its
        steps in the window's, and four numbers: mean, log deviation, log steps against the
        window's, log steps of the window
        """
        return patches if self.config.inputs == "values" else described(patches, seen)

    def encode(
        self, x: Tensor, mask: Tensor | None = None, *, stack: Stack | None = None
    ) -> Tensor:
        """Encode windows into one vector a patch.

        Parameters
        ----------
        x : Tensor (B, C, T), patch_len <= T <= seq_len samples, any unit; NaN and Inf count as
            missing whatever the mask says
        mask : Tensor (B, T) or (B, C, T) bool, True = valid; None = all finite samples
        stack : what runs the layers instead of the module's own, see `fused.FusedStack`

        Returns
        -------
        Tensor (B, C, P, d_model) with P = T // patch_len (the first T % patch_len samples are not
        encoded); zero where `patch_mask(mask)` is False

        Raises
        ------
        DataError : shapes that do not fit together or the encoder
        """
        mask = self._checked(x, mask)
        z, _, _ = self.normalize(x, mask)
        return self._tokens(z, self.patch_mask(mask), None, stack)

    def reconstruct(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        patch_mask: Tensor | None = None,
        *,
        normalized: bool = False,
        stack: Stack | None = None,
    ) -> Tensor:
        """Rebuild windows from their tokens, hidden patches from the others.

        Parameters
        ----------
        x, mask : as in `encode`
        patch_mask : Tensor (B, P) or (B, C, P) bool, True = hidden behind the mask vector and left
            out of mean and scale; None = nothing hidden
        normalized : return in units of the scale that was removed instead of the input's unit
        stack : as in `encode`; not used where patches are hidden

        Returns
        -------
        Tensor (B, C, T): x rebuilt; where nothing was computed (padding, gaps, the first
        T % patch_len samples) the channel's mean, or 0 if `normalized`

        Raises
        ------
        DataError : shapes that do not fit together or the encoder
        """
        mask = self._checked(x, mask)
        valid = self.patch_mask(mask)
        hidden = self._hidden(patch_mask, valid)
        lead = x.shape[-1] % self.config.patch_len
        covered = nn.functional.pad(
            hidden.repeat_interleave(self.config.patch_len, dim=-1), (lead, 0)
        )
        z, mean, scale = self.normalize(x, mask & ~covered)
        tokens = self._tokens(z, valid, hidden, stack if patch_mask is None else None)
        rebuilt: Tensor = self.head(tokens.flatten(0, 1)).reshape(*x.shape[:2], -1)
        rebuilt = rebuilt * valid.repeat_interleave(self.config.patch_len, dim=-1)
        rebuilt = nn.functional.pad(rebuilt, (lead, 0))
        return rebuilt if normalized else rebuilt * scale + mean

    forward = encode

    def _checked(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return the mask as (B, C, T) bool, missing samples taken out."""
        c = self.config
        if x.ndim != 3 or not c.patch_len <= x.shape[-1] <= c.seq_len:
            raise DataError(
                f"Windows must be (batch, channels, samples) with {c.patch_len} to {c.seq_len} "
                f"samples; got shape {tuple(x.shape)}. Change window_s or target_rate_hz."
            )
        finite = torch.isfinite(x)
        if mask is None:
            return finite
        mask = mask[:, None, :] if mask.ndim == 2 else mask
        if mask.ndim != 3 or any(m not in (1, n) for m, n in zip(mask.shape, x.shape, strict=True)):
            raise DataError(
                f"mask must be (batch, samples) or (batch, channels, samples) of {tuple(x.shape)}; "
                f"got {tuple(mask.shape)}."
            )
        return mask.bool() & finite

    def _hidden(self, patch_mask: Tensor | None, valid: Tensor) -> Tensor:
        """Return which valid patches are hidden, (B, C, P) bool."""
        if patch_mask is None:
            return torch.zeros_like(valid)
        hidden = patch_mask[:, None, :] if patch_mask.ndim == 2 else patch_mask
        if (
            hidden.ndim != 3
            or hidden.shape[0] != valid.shape[0]
            or hidden.shape[2] != valid.shape[2]
        ):
            raise DataError(
                f"patch_mask must be (batch, patches) or (batch, channels, patches) of "
                f"{tuple(valid.shape)}; got {tuple(patch_mask.shape)}."
            )
        return hidden.bool() & valid

    def _tokens(
        self, z: Tensor, valid: Tensor, hidden: Tensor | None, stack: Stack | None
    ) -> Tensor:
        """Normalised windows (B, C, T), valid (B, C, P) → tokens (B, C, P, D), 0 where invalid."""
        c = self.config
        n_patches = valid.shape[-1]
        at = torch.arange(c.max_patches - n_patches, c.max_patches, device=z.device)
        weight = self.patch_embedding.value_embedding.weight
        x = z[..., z.shape[-1] - n_patches * c.patch_len :].to(weight.dtype)
        seen = valid if hidden is None else valid & ~hidden
        x = self.inputs(x.reshape(-1, n_patches, c.patch_len), seen.flatten(0, 1))
        if stack is None:
            hidden = None if hidden is None else hidden.flatten(0, 1)
            x = self.patch_embedding(x, self.positions[at], hidden)
        tokens = _by_mask(x, valid.flatten(0, 1), at, stack or self.encoder, c.d_model)
        return tokens.reshape(*valid.shape, -1)


def _by_mask(x: Tensor, valid: Tensor, at: Tensor, stack: Stack | T5Encoder, width: int) -> Tensor:
    """Run the valid patches of x (N, P, …): densely for each mask that occurs, while few do."""
    if bool(valid.all()):
        whole: Tensor = stack(x, at, None)
        return whole
    patterns, which = torch.unique(valid, dim=0, return_inverse=True)
    if len(patterns) > MAX_PATTERNS and not stack.alone:
        used = valid.any(0).nonzero()[:, 0]
        keys = valid[:, used]
        inner = stack(x[:, used], at[used], keys) * keys[..., None]
        return inner.new_zeros(*valid.shape, inner.shape[-1]).index_copy(1, used, inner)
    out = x.new_zeros(*valid.shape, width)
    for index, pattern in enumerate(patterns):
        rows, used = (which == index).nonzero()[:, 0], pattern.nonzero()[:, 0]
        if len(used):
            inner = stack(x[rows][:, used], at[used], None)
            out = out.to(inner.dtype).index_put_((rows[:, None], used[None, :]), inner)
    return out
