"""Groups compared with each other: which is unlike the others, and how fast each moves."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from tool_use_om.data.errors import DataError
from tool_use_om.tools.look.samples import Piece, bounded, pieces_of
from tool_use_om.tools.look.selection import Selection

if TYPE_CHECKING:
    import numpy as np

Rows = tuple[list[dict[str, Any]], str | None]
Bounds = tuple[float, float]  # in the channel's unit; infinite where open
_WHOLE = 0.5  # a day with less of the usual samples is not compared
_WINDOW_S = 8.0  # stretches in which a cadence is looked for


def unlike_rows(
    found: Selection,
    channels: tuple[str, ...],
    by: str,
    bounds: Bounds | None,  # noqa: ARG001 - same form
) -> Rows:
    """Return a row a group, of the channel and measure in which it is furthest from the others.

    Days of which less than half was recorded are left out.

    Raises
    ------
    DataError : groups that are no sessions, subjects or days, or too few of them
    """
    from tool_use_om.heads.numeric.unlike import FEWEST, MEASURES, unlike

    if by not in {"session", "subject", "date"}:
        raise DataError("What is unlike the others is a session, a subject or a date (`by`).")
    smaller, note = bounded(found, channels)
    tables, names, left_out = _measured(smaller, channels, by)
    if len(names) < FEWEST:
        raise DataError(
            f"To say which one is unlike the others takes {FEWEST} at least; there are "
            f"{len(names)} to compare. Ask about single values or stretches instead."
        )
    compared = len(names) * len(MEASURES) * len(tables)
    judged = {channel: unlike(table, compared) for channel, table in tables.items()}
    rows = []
    for i, name in enumerate(names):
        channel = max(judged, key=lambda c: float(judged[c].distance[i]))
        own, unit = judged[channel], found.dataset.manifest.unit_of(channel)
        rows.append({
            "channel": channel, "group": name, "value": float(own.distance[i]), "unit": "1",
            "measure": MEASURES[int(own.measure[i])],
            "own": {"value": float(own.own[i]), "unit": unit},
            "usual": {"value": float(own.usual[i]), "unit": unit},
            "limit": own.limit, "stands_out": bool(own.distance[i] > own.limit),
        })  # fmt: skip
    if left_out:
        note = f"{left_out} of the days are recorded less than half and were left out"
    return rows, note


def _measured(
    found: Selection, channels: tuple[str, ...], by: str
) -> tuple[dict[str, np.ndarray], list[str], int]:
    """Return channel → (G, 4) measures of each group, the groups, and how many were left out."""
    import numpy as np

    from tool_use_om.heads.numeric.unlike import measures_of

    held: dict[str, dict[str, list[np.ndarray]]] = defaultdict(lambda: defaultdict(list))
    for piece in pieces_of(found, channels, by):
        held[str(piece.group)][piece.channel].append(piece.values)
    known = [c for c in channels if any(c in parts for parts in held.values())]
    counts = {
        group: sum(int(np.isfinite(v).sum()) for vs in parts.values() for v in vs)
        for group, parts in held.items()
    }
    least = _WHOLE * float(np.median(list(counts.values()))) if by == "date" and counts else 0.0
    names = [group for group in held if counts[group] >= max(least, 1)]
    none = [np.array([np.nan])]
    tables = {
        c: np.array([measures_of(np.concatenate(held[g].get(c, none))) for g in names])
        for c in known
    }
    return tables, names, len(held) - len(names)


def cadence_rows(
    found: Selection,
    channels: tuple[str, ...],
    by: str,
    bounds: Bounds | None,  # noqa: ARG001 - same form
) -> Rows:
    """Return a row a group: how often a second the movement repeats, the median of its stretches.

    All channels of a modality are looked at together, in stretches of eight seconds.
    """
    import numpy as np

    smaller, note = bounded(found, channels)
    held: dict[tuple[str, str | None], list[tuple[float, float]]] = defaultdict(list)
    for modality, group, pieces in _together(smaller, channels, by):
        held[modality, group] += _cadences(pieces)
    rows = []
    for (modality, group), hz in held.items():
        known = [(h, beat) for h, beat in hz if np.isfinite(h)]
        if known:
            rate, beat = (float(np.median(column)) for column in zip(*known, strict=True))
            rows.append({
                "channel": modality, **({"group": group} if by != "channel" else {}),
                "value": rate, "unit": "Hz", "n": len(known),
                "beats": {"value": beat, "unit": "Hz"}, "rhythmic_frac": len(known) / len(hz),
            })  # fmt: skip
    if not rows:
        raise DataError("Nothing in these signals repeats clearly, so there is no cadence.")
    return rows, note


def _together(
    found: Selection, channels: tuple[str, ...], by: str
) -> list[tuple[str, str | None, list[Piece]]]:
    """Return the channels of each modality that were read in one stretch."""
    held: dict[tuple[str, str, str | None, float], list[Piece]] = defaultdict(list)
    for piece in pieces_of(found, channels, by):
        if piece.time_s.size:
            modality = piece.channel.partition(".")[0]
            start = round(float(piece.time_s[0]), 3)
            held[piece.session_id, modality, piece.group, start].append(piece)
    return [(modality, group, parts) for (_, modality, group, _), parts in held.items()]


def _cadences(pieces: list[Piece]) -> list[tuple[float, float]]:
    """Return cadence and beat of each eight seconds of a stretch, NaN where nothing repeats."""
    import numpy as np

    from tool_use_om.heads.numeric.rhythm import beat_of, cadence_of

    rate = pieces[0].rate_hz
    n = min(len(p.values) for p in pieces)
    size = max(min(round(_WINDOW_S * rate), n), 1)
    values = np.stack([p.values[:n] for p in pieces])
    parts = [values[:, at : at + size] for at in range(0, n - size + 1, size)]
    return [(cadence_of(part, rate), beat_of(part, rate)) for part in parts]
