"""Checks of what comes into a head: done once at the public edge, with errors a person can mend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tool_use_om.data.errors import DataError

if TYPE_CHECKING:
    from tool_use_om.tokenizers.tokens import Tokens


def check_tokens(tokens: Tokens) -> None:
    """Raise DataError for tokens no head can use: wrong shapes, nothing valid, NaN or Inf."""
    values, mask = tokens.values, tokens.mask
    if values.ndim != 4 or mask.shape != values.shape[:3]:
        raise DataError(
            f"tokens.values must be (windows, channels, patches, features) with a mask of the "
            f"first three, got {values.shape} and {mask.shape}."
        )
    if 0 in values.shape:
        raise DataError(f"No tokens: the shape is {values.shape}. Select at least one session.")
    if len(tokens.session_ids) != len(values) or len(tokens.channels) != values.shape[1]:
        raise DataError("tokens.session_ids and tokens.channels must match tokens.values.")
    empty = ~mask.any(axis=(1, 2))
    if empty.any():
        where = tokens.session_ids[int(empty.argmax())]
        raise DataError(
            f"{int(empty.sum())} window(s) hold no valid patch (first in session {where!r}). "
            "Leave them out, or choose a longer window_s."
        )
    if not np.isfinite(values[mask]).all():
        raise DataError("tokens.values holds NaN or Inf in valid patches. Encode them again.")


def check_same_form(
    tokens: Tokens, channels: tuple[str, ...], n_features: int, n_context: int
) -> None:
    """Raise DataError if `tokens` differ in channels or width from those a head was fitted on."""
    if tokens.channels != channels:
        raise DataError(
            f"Fitted on the channels {', '.join(channels)}; got {', '.join(tokens.channels)}. "
            "Encode the same channels in the same order, or fit again."
        )
    width = (tokens.values.shape[3], tokens.context.shape[2])
    if width != (n_features, n_context):
        raise DataError(
            f"Fitted on {n_features} token and {n_context} context features, got {width[0]} and "
            f"{width[1]}. Use the same tokenizer and configuration, or fit again."
        )


def check_units(tokens: Tokens, units: tuple[str, ...]) -> None:
    """Raise DataError if a channel's unit, where both are known, is not the fitted one.

    Tokens have no unit, but level and scale beside them do: g where m/s^2 was fitted would be a
    window ten times weaker.
    """
    if not (units and tokens.units):
        return
    for channel, fitted, got in zip(tokens.channels, units, tokens.units, strict=True):
        if fitted != got:
            raise DataError(
                f"Fitted on {channel} in {fitted}; got it in {got}. "
                "Convert it to the same unit, or fit again."
            )


def check_labels(y: Sequence[object], n_windows: int, min_labels: int) -> np.ndarray:
    """Return `y` as (n,) text.

    Raises
    ------
    DataError : another length, a missing label, fewer than two classes, or a class with fewer
        than `min_labels` labels
    """
    if len(y) != n_windows:
        raise DataError(f"One label a window is needed: got {len(y)} labels, {n_windows} windows.")
    missing = sum(label is None or str(label) in {"", "nan"} for label in y)
    if missing:
        raise DataError(
            f"{missing} of {len(y)} windows have no label. Select the labelled windows first."
        )
    labels = np.array(list(y), dtype=np.str_)
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2:
        raise DataError(
            f"Classification needs at least two classes, got only {str(classes[0])!r}. "
            "Add sessions of another label, or use retrieval or anomaly detection."
        )
    if counts.min() < min_labels:
        raise DataError(
            f"Class {str(classes[counts.argmin()])!r} has {counts.min()} label(s); at least "
            f"{min_labels} are needed here. Add labels, or use the head 'prototypes'."
        )
    return labels


def check_groups(groups: Sequence[str] | None, tokens: Tokens) -> np.ndarray:
    """Return the group of each window: the given one, else its session."""
    chosen = tokens.session_ids if groups is None else groups
    if len(chosen) != len(tokens.session_ids):
        raise DataError(
            f"One group a window is needed: got {len(chosen)} for {len(tokens.session_ids)}."
        )
    return np.array([str(g) for g in chosen], dtype=np.str_)
