"""What looking at the data finds, as figures: sessions counted, a statistic by group, signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tool_use_om.data.show.figure import (
    MOST_ROWS,
    PALETTE,
    Bar,
    Bars,
    Colour,
    Dots,
    Figure,
    Line,
    Mark,
    Part,
    Row,
    Signals,
    Spread,
    Timeline,
    unit_shown,
)
from tool_use_om.data.show.signals import (
    FIGURE_POINTS,
    MAX_PANELS,
    label_marks,
    signal_panels,
)
from tool_use_om.data.units import for_people
from tool_use_om.tools.look.clock import CALENDAR_GROUPS, group_order
from tool_use_om.tools.look.found import LabelTimes, SessionsCounted
from tool_use_om.tools.look.selection import records

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet
    from tool_use_om.tools.call.arguments import ShowChannelStats, ShowSessionStats
    from tool_use_om.tools.look.selection import Selection

_READ = 40  # sessions read for a distribution, where the index does not have it
_MOST_SESSIONS = 2000  # of more, a distribution says no more than their value together
_EDGE_S = 0.5
_BARS = 31
_WORDS = {
    "std": "standard deviation", "max": "maximum", "min": "minimum", "rms": "root mean square",
    "sum": "total", "first": "first value", "last": "last value", "count": "number of samples",
    "cadence": "repeats a second", "unlike": "distance from the others",
    "time_above": "time above the level", "time_below": "time below the level",
    "time_between": "time between the levels",
}  # fmt: skip


def sessions_figure(
    dataset: DataSet,
    session_ids: Sequence[str],
    channels: Sequence[str],
    span: tuple[float | None, float | None],
) -> Figure:
    """Return sessions one under the other, their labels shaded."""
    panels: list[Signals] = []
    each = FIGURE_POINTS // max(len(session_ids), 1)
    for session_id in session_ids:
        end = None if span[1] is None else min(span[1], dataset.duration_of(session_id))
        marks = label_marks(dataset, session_id)
        name = session_id if len(session_ids) > 1 else ""
        panels += signal_panels(
            dataset, session_id, channels, (span[0], end), marks=marks, name=name, most=each
        )
    shown = panels[: 2 * MAX_PANELS]
    named = ", ".join(session_ids[:6]) + (" and others" if len(session_ids) > 6 else "")
    left = len(panels) - len(shown)
    return Figure(
        title=f"Signals of {named}", panels=tuple(shown), alt=f"Signals of {named}. "
        + " ".join(_ends_said(panel) for panel in shown[:6]),
        note=("Shaded: the labels." if any(p.marks for p in shown) else "")
        + (f" {left} more panels are not drawn: ask for fewer sessions." if left else ""),
    )  # fmt: skip


def _ends_said(panel: Signals) -> str:
    known = [v for line in panel.lines for v in line.y if v is not None]
    if not known:
        return f"{panel.title}: no values."
    ends = " to ".join(said(v, panel.unit) for v in (min(known), max(known)))
    return f"{panel.title}: {ends}."


def said(value: float, unit: str) -> str:
    """Return a value with its unit as people write it."""
    shown, written = for_people(value, unit)
    return f"{shown:.3g} {unit_shown(written)}".strip()


def counted_figure(
    found: SessionsCounted, args: ShowSessionStats, every: Mapping[str, int]
) -> Figure | None:
    """Return what was counted as bars: the sessions of each label, or those that fit and others.

    Parameters
    ----------
    every : the sessions of each label, whatever labels are asked for
    """
    noun = f"{found.session_noun}s" if found.session_noun else "sessions"
    asked = {name.casefold() for name in args.labels or ()}
    length = args.min_duration_s is not None or args.max_duration_s is not None
    if found.label_times:
        return held_figure(found.label_times)
    if length or args.split or args.subjects:
        rest = found.n_sessions_total - found.n_sessions
        counts = {f"these {noun}": found.n_sessions, f"other {noun}": rest}
        marked = {f"these {noun}"}
    else:
        counts = dict(every) or dict(found.sessions_per_split)
        marked = {name for name in counts if name.casefold() in asked} or set(counts)
    if len(counts) < 2 or not found.n_sessions_total:
        return None
    rows = [
        Bar(name=name, value=n, text=f"{n:,}", colour="a" if name in marked else "soft")
        for name, n in counts.items()
    ]
    each = ", ".join(f"{row.name}: {row.text}" for row in rows[:12])
    return Figure(
        title=f"How many {noun}", alt=f"Bars. {each}.",
        panels=(Bars(title=f"Number of {noun}", rows=tuple(rows[:MOST_ROWS])),),
    )  # fmt: skip


def held_figure(times: Sequence[LabelTimes]) -> Figure:
    """Return when labels hold: sessions under each other, the stretches coloured."""
    parts: dict[str, list[Part]] = {}
    for i, held in enumerate(times):
        for each in held.stretches:
            parts.setdefault(str(each.session_id), []).append(
                Part(
                    start=each.start_s, end=each.end_s, text=str(held.label), colour=PALETTE[i % 6]
                )
            )
    names = " and ".join(str(held.label) for held in times)
    rows = tuple(
        Row(name=name, length=max(p.end for p in own), parts=tuple(own))
        for name, own in parts.items()
    )
    told = "; ".join(
        f"{h.label} holds in {h.n_stretches} stretches of {h.n_sessions} sessions" for h in times
    )
    return Figure(
        title=f"When {names} holds", alt=f"A timeline of sessions: {told}.",
        panels=(Timeline(title=names, rows=rows[:MOST_ROWS]),),
    )  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A statistic that was computed, with what it was computed from."""

    found: Selection
    channels: tuple[str, ...]
    args: ShowChannelStats
    rows: Sequence[Mapping[str, Any]]

    @property
    def word(self) -> str:
        """What the statistic is called."""
        if self.args.statistic == "percentile":
            return f"{self.args.percent:g} % quantile"
        return _WORDS.get(self.args.statistic, self.args.statistic.replace("_", " "))

    @property
    def only(self) -> tuple[str, str] | None:
        """The one session and channel that it is about, if it is about one."""
        one = len(self.found.sessions) == 1 and len({r["channel"] for r in self.rows}) == 1
        return (self.found.session_ids[0], str(self.rows[0]["channel"])) if one else None


def statistic_figure(asked: Asked) -> Figure | None:
    """Return a statistic as what it is of: a distribution by group, days in order, the series."""
    args, rows = asked.args, asked.rows
    placed = args.statistic in {"min", "max"} and rows[0].get("at_s") is not None
    if placed and args.by == "channel" and len({r["channel"] for r in rows}) == 1:
        return _extreme(asked)
    if args.by in CALENDAR_GROUPS:
        return _calendar(asked)
    if asked.only and args.by == "channel":
        return _series(asked)
    if {r.get("unit") for r in rows} != {rows[0].get("unit")}:
        return None
    cases = _cases(asked) if args.by != "session" else {}
    return _spread(asked, cases) if cases else _bars(asked)


def _extreme(asked: Asked) -> Figure:
    """Return the session that holds the extreme, the moment marked."""
    row = asked.rows[0]
    session, at = str(row["session_id"]), float(row["at_s"])
    length = asked.found.dataset.duration_of(session)
    value = said(float(row["value"]), str(row["unit"]))
    wide = length / 600
    mark = Mark(start=max(at - wide, 0.0), end=min(at + wide, length), text=value)
    when = row.get("time") or said(at, "s")
    panels = signal_panels(asked.found.dataset, session, [str(row["channel"])], marks=[mark])
    return Figure(
        title=f"The {asked.word} of {row['channel']}", panels=tuple(panels),
        alt=f"{row['channel']} over {session}; its {asked.word}, {value}, is marked at {when}.",
    )  # fmt: skip


def _series(asked: Asked) -> Figure:
    """Return the one series that a number is of, the number drawn across where it is a level."""
    session, channel = asked.only or ("", "")
    row, args = asked.rows[0], asked.args
    unit = asked.found.dataset.manifest.unit_of(channel)
    level = args.threshold if args.statistic.startswith("time_") else None
    if args.statistic in {"mean", "median", "percentile", "rms"}:
        level = float(row["value"])
    parts = asked.found.segments
    span = (parts[0].start_s, parts[0].end_s) if len(parts) == 1 else (None, None)
    panels = signal_panels(asked.found.dataset, session, [channel], span)
    drawn = tuple(p.model_copy(update={"level": level}) for p in panels)
    line = f" The dashed line is at {said(level, unit)}." if level is not None else ""
    return Figure(
        title=f"{channel}, {asked.word}", panels=drawn,
        alt=f"{channel} over {session}.{line} " + " ".join(map(_ends_said, drawn)),
        note=line.strip(),
    )  # fmt: skip


def _calendar(asked: Asked) -> Figure | None:
    """Return the values of hours, days or months in their order."""
    rows = [r for r in asked.rows if r["channel"] == asked.rows[0]["channel"]]
    order = group_order(asked.args.by, [str(r["group"]) for r in rows])
    ordered = [rows[i] for i in sorted(range(len(rows)), key=lambda i: order[i])]
    channel, unit = str(rows[0]["channel"]), str(rows[0]["unit"])
    top = max(ordered, key=lambda r: r["value"])
    low = min(ordered, key=lambda r: r["value"])
    alt = (
        f"{asked.word} of {channel} by {asked.args.by}: highest {top['group']}, "
        f"{said(top['value'], unit)}; lowest {low['group']}, {said(low['value'], unit)}."
    )
    title = f"{asked.word} of {channel} by {asked.args.by}"
    if len(ordered) <= _BARS:
        bars = [_bar(r, str(r["group"]), first=r is top) for r in ordered]
        return Figure(
            title=title, alt=alt, panels=(Bars(title=title, unit=unit, rows=tuple(bars)),)
        )
    if asked.args.by != "date":
        return None
    import numpy as np

    days = np.array([np.datetime64(str(r["group"])[:10], "s") for r in ordered])
    x = tuple(((days - days[0]) / np.timedelta64(1, "s")).astype(float).tolist())
    line = Line(name="", x=x, y=tuple(float(r["value"]) for r in ordered))
    course = Signals(title=title, unit=unit, starts=str(days[0]), lines=(line,))
    return Figure(title=title, alt=alt, panels=(course,))


def _bar(row: Mapping[str, Any], name: str, *, first: bool) -> Bar:
    low, high = row.get("lower"), row.get("upper")
    sure = low is not None and high is not None
    return Bar(
        name=name, value=float(row["value"]), text=said(float(row["value"]), str(row["unit"])),
        low=low if sure else None, high=high if sure else None, colour="a" if first else "soft",
    )  # fmt: skip


def _estimates(asked: Asked) -> Figure:
    """Return values with their intervals, beside zero."""
    rows, unit = asked.rows[:_BARS], str(asked.rows[0].get("unit") or "")
    several = len({r["channel"] for r in asked.rows}) > 1 or bool(rows[0].get("other"))
    drawn = [
        Dots(
            name=_name(r, several=several), values=(), value=float(r["value"]),
            low=r["lower"], high=r["upper"], text=said(float(r["value"]), str(r["unit"])),
        )
        for r in rows
    ]  # fmt: skip
    title = asked.word if several else f"{asked.word} of {rows[0]['channel']}"
    each = ", ".join(f"{dots.name} {dots.text}" for dots in drawn[:8])
    return Figure(
        title=title, alt=f"Values with their intervals. {each}.",
        note="The line is the 95 % interval; at the dashed line there is none.",
        panels=(Spread(title=title, unit=unit, zero=True, rows=tuple(drawn)),),
    )  # fmt: skip


def _bars(asked: Asked) -> Figure:
    if all(r.get("lower") is not None and r.get("upper") is not None for r in asked.rows):
        return _estimates(asked)
    rows, unit = asked.rows, str(asked.rows[0].get("unit") or "")
    several = len({r["channel"] for r in rows}) > 1
    bars = [
        _bar(row, _name(row, several=several), first=i == 0) for i, row in enumerate(rows[:_BARS])
    ]
    title = asked.word if several else f"{asked.word} of {rows[0]['channel']}"
    each = ", ".join(f"{bar.name} {bar.text}" for bar in bars[:8])
    left = f" The first {_BARS} of {len(rows)}." if len(rows) > _BARS else ""
    return Figure(
        title=title, alt=f"Bars. {each}.", note=left.strip(),
        panels=(Bars(title=title, unit=unit, rows=tuple(bars)),),
    )  # fmt: skip


def _name(row: Mapping[str, Any], *, several: bool) -> str:
    group, channel = row.get("group"), str(row["channel"])
    if row.get("other"):
        channel = f"{channel} – {row['other']}"
    return f"{group}, {channel}" if group and several else str(group or channel)


def _spread(asked: Asked, cases: Mapping[tuple[str, str | None], Sequence[float]]) -> Figure:
    """Return each session's own value as a dot, and the middle half of them as a line."""
    import numpy as np

    rows, unit = asked.rows, str(asked.rows[0]["unit"])
    several = len({r["channel"] for r in rows}) > 1
    drawn = []
    for i, row in enumerate(rows[:_BARS]):
        own = list(cases.get((str(row["channel"]), row.get("group")), ()))
        low, high = np.quantile(own, [0.25, 0.75]).tolist() if len(own) > 3 else (None, None)
        colour: Colour = PALETTE[i % len(PALETTE)] if asked.args.by != "channel" else "a"
        drawn.append(
            Dots(
                name=_name(row, several=several), values=tuple(own[:400]), low=low, high=high,
                value=float(row["value"]), text=said(float(row["value"]), unit), colour=colour,
            )
        )  # fmt: skip
    title = asked.word if several else f"{asked.word} of {rows[0]['channel']}"
    each = ", ".join(f"{dots.name} {dots.text}" for dots in drawn[:8])
    return Figure(
        title=f"{title} by {asked.args.by}" if asked.args.by != "channel" else title,
        alt=f"Distributions over sessions. {each}.",
        note="A dot is one session, a diamond the value of all together; the black line spans the "
        "middle half of the sessions.",
        panels=(Spread(title=title, unit=unit, rows=tuple(drawn)),),
    )  # fmt: skip


def _cases(asked: Asked) -> dict[tuple[str, str | None], list[float]]:
    """Return the statistic of each session by channel and group; {} where it has none alone.

    Whole sessions are told by the index; signals are read where labels cut a few sessions.
    """
    from tool_use_om.tools.look.channel_stats import STATISTICS, Moments
    from tool_use_om.tools.look.samples import pieces_of

    args, found = asked.args, asked.found
    formula = STATISTICS.get(args.statistic)
    n = len(found.sessions)
    if formula is None or args.statistic == "count" or not 1 < n <= _MOST_SESSIONS:
        return {}
    cases: dict[tuple[str, str | None], list[float]] = {}
    groups = _groups(found, args.by) if found.uncut or found.labels else None
    if groups is not None:
        table = found.dataset.channel_stats(asked.channels, list(groups))
        rows = table.assign(present=table["n"] * (1 - table["nan_frac"]))
        for row in records(rows[rows["present"] > 0]):
            key = (row["channel"], groups[row["session_id"]])
            cases.setdefault(key, []).append(float(formula(row)))
    elif n <= _READ:
        for piece in pieces_of(found, asked.channels, args.by):
            moments = Moments.of(piece.values)
            if moments.n:
                key = (piece.channel, piece.group)
                cases.setdefault(key, []).append(float(formula(moments.row())))
    return cases


def _groups(found: Selection, by: str) -> dict[str, str | None] | None:
    """Return the group of each session; None where a session is in several, or cut."""
    ids = found.session_ids
    if by == "subject" and found.uncut:
        return dict(zip(ids, found.sessions["subject_id"].tolist(), strict=True))
    if by == "channel" and found.uncut:
        return dict.fromkeys(ids)
    if by not in {"label", "channel"}:
        return None
    labels = records(found.dataset.labels(ids))
    length = dict(zip(ids, found.sessions["duration_s"].tolist(), strict=True))
    whole = len({r["session_id"] for r in labels}) == len(labels) and all(
        r["start_s"] == 0 and r["end_s"] >= length[r["session_id"]] - _EDGE_S for r in labels
    )
    if not whole:
        return None
    return {r["session_id"]: r["label"] if by == "label" else None for r in labels}
