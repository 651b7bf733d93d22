"""What choosing the encoder, its windows and the head finds, typed."""

from __future__ import annotations

from typing import Annotated, Any

from tool_use_om.data.values import Json
from tool_use_om.tools.call.content import (
    LEFT_OUT,
    TASK,
    Channel,
    Content,
    Count,
    Hertz,
    Label,
    Named,
    NamedHead,
    Row,
    Seconds,
    Text,
    Tokenizer,
    Verdict,
)


class OtherTokenizer(Row):
    """An encoder that was not chosen, and why."""

    name: Named
    available: Verdict
    why_not: Text


class TokenizerSelected(Content):
    """The encoder that was chosen."""

    tokenizer: Tokenizer
    parameters: Count
    patch_len: Count
    d_model: Count
    native_context: Count
    licence: Text
    precision: Text
    why: Text
    alternatives: list[OtherTokenizer]


class WindowsConfigured(Content):
    """How windows are cut."""

    window_s: Seconds
    stride_s: Seconds
    rate_hz: Hertz
    patch_s: Seconds
    patches_per_window: Count
    context_features: Json
    patch_stride_s: Seconds | None = None
    fusion: Text | None = None
    super_s: Seconds | None = None
    resolutions: Any = LEFT_OUT
    why: Text


class EncodedChannels(Content):
    """The channels that the encoder sees, and those it does not."""

    channels: list[Channel]
    dropped: list[Channel]
    why: Text


class OtherHead(Row):
    """A head that was not chosen."""

    name: Named
    good_at: Text
    bad_at: Text


class HeadSelected(Content):
    """The head that was chosen."""

    task: Annotated[str, TASK]
    head: NamedHead
    why: Text
    labels_per_class_available: dict[Label, Count]
    unit_of_labels: Text
    alternatives: list[OtherHead]


class HeadConfigured(Content):
    """The settings of the head."""

    head: NamedHead
    params: dict[str, Json]
