"""Other libraries' encoders behind our interface: what their adapters share.

An adapter runs its library's own code on its own weights; only the input is laid out as that code
expects it and the extra tokens it adds (register, future) are left out. So the adapters' tokens
equal the library's embeddings, which the tests check at random weights in the published shape.
"""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

import torch
from torch import Tensor, nn

from tool_use_om.data.errors import DataError, unknown
from tool_use_om.data.values import Untyped
from tool_use_om.tokenizers.moment.checkpoint import checkpoint_folder


class LibraryEncoder(nn.Module):
    """A library's model as an encoder of series, each on its own.

    Parameters
    ----------
    model : the library's module, weights included
    patch_len : int, samples a token covers
    at_once : int, series given to the model in one call
    """

    at_once = 256

    def __init__(self, model: nn.Module, patch_len: int) -> None:
        super().__init__()
        self.model = model
        self.patch_len = patch_len

    @abstractmethod
    def _tokens(self, series: Tensor, measured: Tensor) -> Tensor:
        """Series (N, P * patch_len), 0 where not measured (N, P * patch_len) → (N, P, D)."""

    def encode(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Encode windows.

        Parameters
        ----------
        x : Tensor (B, C, T), T >= patch_len samples; NaN and Inf count as missing
        mask : Tensor (B, T) or (B, C, T) bool, True = valid; None = all finite samples

        Returns
        -------
        Tensor (B, C, T // patch_len, D), 0 where a patch has a missing sample; the first
        T % patch_len samples are in no patch
        """
        known = torch.isfinite(x)
        if mask is not None:
            known = known & (mask[:, None] if mask.ndim == 2 else mask)
        lead = x.shape[-1] % self.patch_len
        measured = known[..., lead:].flatten(0, 1)
        series = torch.where(measured, x[..., lead:].flatten(0, 1), 0).float()
        parts = [
            self._tokens(series[at : at + self.at_once], measured[at : at + self.at_once])
            for at in range(0, len(series), self.at_once)
        ]
        whole = measured.reshape(len(measured), -1, self.patch_len).all(-1)
        tokens = torch.where(whole[..., None], torch.cat(parts), 0)
        return tokens.reshape(*x.shape[:2], *tokens.shape[1:])

    def reconstruct(self, x: Tensor, mask: Tensor | None = None) -> Tensor:  # noqa: ARG002 - the interface of every encoder
        """Raise DataError: these models forecast, they do not rebuild their input."""
        raise DataError(
            f"{type(self).__name__} cannot rebuild a window from its tokens. "
            "Choose a tokenizer of the MOMENT family for reconstruction."
        )


def check_own_backend(backend: str) -> None:
    """Raise NotFoundError for a backend that only the MOMENT family has."""
    if backend != "own":
        raise unknown("backend", backend, ("own",))


def load_pretrained(
    model_class: Untyped,
    source: str | Path,
    *,
    revision: str | None,
) -> nn.Module:
    """Load a transformers-style model from safetensors; see `registry.load_tokenizer`.

    Raises
    ------
    DataError : nothing there, a pickle instead of safetensors, a damaged file, or weights that do
        not fit the model exactly
    """
    folder = checkpoint_folder(source, revision=revision)
    try:
        model, said = model_class.from_pretrained(
            folder, use_safetensors=True, local_files_only=True, output_loading_info=True
        )
    except (
        Exception
    ) as error:  # the library's own errors for a damaged file or a wrong config differ by version
        raise DataError(
            f"{source} is not a checkpoint of {model_class.__name__} "
            f"({type(error).__name__}: {str(error)[:200]}). Fetch it again."
        ) from error
    wrong = [f"{kind} {sorted(map(str, said[kind]))[:3]}" for kind in _FAULTS if said.get(kind)]
    if wrong:
        raise DataError(f"{source}: the weights do not fit config.json: {'; '.join(wrong)}.")
    loaded: nn.Module = model.eval().float()
    return loaded


_FAULTS = ("missing_keys", "unexpected_keys", "mismatched_keys")
