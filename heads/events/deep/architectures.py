"""The architectures by name: what each is, whose code, and which module describes a window."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tool_use_om.heads.events.deep.network import NetworkModel
from tool_use_om.heads.events.model import EventSpec

if TYPE_CHECKING:
    from torch import nn

_LIBRARY = "layers of neuralforecast 3.3, head and training ours"
_OURS = "written here after the paper, head and training ours"


def _spec(name: str, summary: str, paper: str, code: str, needs: str = "") -> EventSpec:
    return EventSpec(
        name=name, summary=summary, kind="architecture", source=f"{paper}; {code}", sized=True,
        needs=needs,
    )  # fmt: skip


class PatchTST(NetworkModel):
    """Patches of each feature by itself through a transformer."""

    spec: ClassVar[EventSpec] = _spec(
        "patchtst", "patches of each feature by itself", "Nie et al. (2023)", _LIBRARY, "study"
    )

    def body(self, n_features: int, context: int, width: int, layers: int) -> nn.Module:
        """Return the library's encoder of patches."""
        from tool_use_om.heads.events.deep.networks import library

        return library.PatchBody(n_features, context, width, layers)


class ITransformer(NetworkModel):
    """Each feature's whole window is one token; attention between features."""

    spec: ClassVar[EventSpec] = _spec(
        "itransformer", "a token a feature", "Liu et al. (2024)", _LIBRARY, "study"
    )

    def body(self, n_features: int, context: int, width: int, layers: int) -> nn.Module:
        """Return the library's inverted embedding and encoder."""
        from tool_use_om.heads.events.deep.networks import library

        return library.InvertedBody(n_features, context, width, layers)


class TimeMixer(NetworkModel):
    """Trend and season of three time scales mixed by linear maps, no attention."""

    spec: ClassVar[EventSpec] = _spec(
        "timemixer", "trend and season mixed over time scales", "Wang et al. (2024)", _LIBRARY,
        "study",
    )  # fmt: skip

    def body(self, n_features: int, context: int, width: int, layers: int) -> nn.Module:
        """Return the library's past-decomposable mixing."""
        from tool_use_om.heads.events.deep.networks import library

        return library.MixerBody(n_features, context, width, layers)


class Informer(NetworkModel):
    """Attention of the few queries that are not uniform; the window is halved between layers."""

    spec: ClassVar[EventSpec] = _spec(
        "informer", "sparse attention, halved between layers", "Zhou et al. (2021)", _LIBRARY,
        "study",
    )  # fmt: skip

    def body(self, n_features: int, context: int, width: int, layers: int) -> nn.Module:
        """Return the library's ProbSparse encoder."""
        from tool_use_om.heads.events.deep.networks import library

        return library.InformerBody(n_features, context, width, layers)


class Autoformer(NetworkModel):
    """Season by autocorrelation, the trend taken out between layers."""

    spec: ClassVar[EventSpec] = _spec(
        "autoformer", "autocorrelation instead of attention", "Wu et al. (2021)", _LIBRARY, "study"
    )

    def body(self, n_features: int, context: int, width: int, layers: int) -> nn.Module:
        """Return the library's autocorrelation encoder."""
        from tool_use_om.heads.events.deep.networks import library

        return library.AutoformerBody(n_features, context, width, layers)


class FEDformer(NetworkModel):
    """Linear maps of the window's frequencies, the trend taken out between layers."""

    spec: ClassVar[EventSpec] = _spec(
        "fedformer", "learnt maps of frequencies", "Zhou et al. (2022)", _LIBRARY, "study"
    )

    def body(self, n_features: int, context: int, width: int, layers: int) -> nn.Module:
        """Return the library's frequency-enhanced encoder."""
        from tool_use_om.heads.events.deep.networks import library

        return library.FedformerBody(n_features, context, width, layers)


class ETSformer(NetworkModel):
    """Level, growth and season by exponential smoothing and the strongest frequencies."""

    spec: ClassVar[EventSpec] = _spec(
        "etsformer", "exponential smoothing as attention", "Woo et al. (2022)", _OURS
    )

    def body(self, n_features: int, context: int, width: int, layers: int) -> nn.Module:
        """Return our encoder."""
        from tool_use_om.heads.events.deep.networks.etsformer import EtsBody

        del context
        return EtsBody(n_features, width, layers)


class Crossformer(NetworkModel):
    """Segments of each feature; attention over time, then between features through routers."""

    spec: ClassVar[EventSpec] = _spec(
        "crossformer", "attention over time, then between features", "Zhang and Yan (2023)", _OURS
    )

    def body(self, n_features: int, context: int, width: int, layers: int) -> nn.Module:
        """Return our encoder."""
        from tool_use_om.heads.events.deep.networks.crossformer import CrossBody

        return CrossBody(n_features, context, width, layers)


class ArmaAttention(NetworkModel):
    """Causal attention that predicts the next value (AR), and attention to its errors (MA)."""

    spec: ClassVar[EventSpec] = _spec(
        "arma_attention", "attention to values and to its own errors",
        "the idea of Lu et al. (2024), in a form of our own", _OURS,
    )  # fmt: skip

    def body(self, n_features: int, context: int, width: int, layers: int) -> nn.Module:
        """Return our encoder."""
        from tool_use_om.heads.events.deep.networks.arma import ArmaBody

        return ArmaBody(n_features, context, width, layers)
