"""What heads may know of a window beside its tokens: level and scale, time of day, rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.tokenizers.tokens import Tokens

DAY_S = 86400.0
TIME_OF_DAY = ("time_of_day_sin", "time_of_day_cos")


def with_context(tokens: Tokens, dataset: DataSet, names: Sequence[str]) -> Tokens:
    """Return tokens with the context features `names`, in that order.

    Parameters
    ----------
    tokens : Tokens with the features the encoder gave
    dataset : DataSet the tokens come from
    names : of `config.CONTEXT_FEATURES`. "time_of_day" gives two numbers, sine and cosine of the
        UTC time at which the window starts, both 0 for a session whose start nobody noted;
        "log_rate" the natural logarithm of the channel's own rate in hertz

    Raises
    ------
    DataError : "time_of_day" where no session has a start, or a feature the encoder does not give
    """
    there = dict(zip(tokens.context_names, np.moveaxis(tokens.context, -1, 0), strict=True))
    columns: dict[str, np.ndarray] = {}
    for name in names:
        if name == "time_of_day":
            columns |= dict(zip(TIME_OF_DAY, _time_of_day(tokens, dataset), strict=True))
        elif name == "log_rate":
            columns[name] = _log_rate(tokens, dataset)
        elif name in there:
            columns[name] = there[name]
        else:
            raise DataError(
                f"This tokenizer gives no context feature {name!r}, only "
                f"{', '.join(there) or 'none'}. Leave it out."
            )
    shape = tokens.context.shape[:2]
    stacked = [np.broadcast_to(column, shape) for column in columns.values()]
    context = np.stack(stacked, axis=-1) if stacked else np.zeros((*shape, 0))
    return replace(tokens, context=context.astype(np.float32), context_names=tuple(columns))


def _time_of_day(tokens: Tokens, dataset: DataSet) -> tuple[np.ndarray, np.ndarray]:
    """Sine and cosine (B, 1) of the UTC time of day at which each window starts."""
    table = dataset.sessions().set_index("session_id")["start_utc"]
    start = pd.to_datetime(table.loc[list(tokens.session_ids)], utc=True)
    known = start.notna().to_numpy()
    if not known.any():
        raise DataError(
            f"`time_of_day` needs sessions that note when they started; none of {dataset.name} "
            "does (start_utc). Leave it out of context_features."
        )
    midnight = start.dt.normalize()
    second = (start - midnight).dt.total_seconds().to_numpy() + tokens.window_start_s
    angle = np.where(known, second, 0.0) * (2 * np.pi / DAY_S)
    sine, cosine = np.where(known, np.sin(angle), 0.0), np.where(known, np.cos(angle), 0.0)
    return sine[:, None], cosine[:, None]


def _log_rate(tokens: Tokens, dataset: DataSet) -> np.ndarray:
    """Natural logarithm (1, C) of each channel's own rate, Hz."""
    return np.log([[dataset.manifest.rate_of(c) for c in tokens.channels]])
