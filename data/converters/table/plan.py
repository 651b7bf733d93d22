"""What tables mean together, before anything is written: sessions, splits, labels, calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from tool_use_om.data.converters.table.columns import noun_of
from tool_use_om.data.converters.table.evidence import counter_notes
from tool_use_om.data.converters.table.labels import Interval, intervals_of
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.converters.table.readings import Readings, Understood, needs_double, rows_by
from tool_use_om.data.converters.table.repeats import comes_twice
from tool_use_om.data.converters.table.times.column import moment
from tool_use_om.data.errors import DataError, unknown
from tool_use_om.data.format.calendar import (
    STEP_S,
    STEP_WORDS,
    Calendar,
    Step,
    date_text,
    find_step,
    steps_between,
)
from tool_use_om.data.format.schema import SPLITS, UNKNOWN_SUBJECT, Channel, Modality, Split
from tool_use_om.data.format.splits import (
    FEWEST_STEPS,
    Block,
    default_sizes,
    gap_of,
    split_by_label,
    split_in_order,
    split_in_time,
    split_subjects,
    unlearnable,
)
from tool_use_om.data.quality.grid import holes
from tool_use_om.data.units import kept_units

_NOMINAL = 1e-3  # a clock this near to whole hertz (or a whole period) is meant to have them
_FEWEST_SESSIONS = 3  # of fewer, each is cut by time


@dataclass(frozen=True, kw_only=True)
class PlannedSession:
    """One session: whose, when, in which split or blocks; `signals` by modality, NaN = missing.

    `given_s` is its length where labels go on after its last sample, else None.
    """

    session_id: str
    subject_id: str
    split: Split | tuple[Block, ...]
    start_utc: datetime | None
    signals: Mapping[str, tuple[np.ndarray, np.ndarray]]
    labels: tuple[Interval, ...]
    duration_s: float
    given_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class TablePlan:
    """What was understood and what was assumed; `said` and `notes` tell both in words."""

    n_rows: int
    readings: tuple[Readings, ...]
    modalities: tuple[Modality, ...]
    sessions: tuple[PlannedSession, ...]
    split_rule: str
    gap_s: float | None
    calendar: Calendar
    said: tuple[str, ...]
    notes: tuple[str, ...]
    double: frozenset[str]
    session_noun: str | None = None

    @property
    def by_subject(self) -> bool:
        """Whether no subject is in two splits."""
        return self.split_rule.startswith("by subject")


def plan_sessions(tables: Sequence[Understood], options: TableOptions) -> TablePlan:
    """Return the data set that tables make; the first one says whose sessions they are.

    Raises
    ------
    DataError : no rate can be measured, several values of a subject in one session, dates in one
        table and counts in another
    NotFoundError : a split that is none
    """
    readings = _readings(tables)
    said = [line for table in tables for line in table.said]
    rows = [rows_by(r.keys) for r in readings]
    for reading, own in zip(readings, rows, strict=True):
        _check_clock(reading, own)
    ids = list(dict.fromkeys(k for own in rows for k in own))
    ordered = [_in_order(r, own, said) for r, own in zip(readings, rows, strict=True)]
    zeros = {k: _zero(readings, ordered, k) for k in ids}
    exact = any(c.holds or c.end_s is not None for t in tables for c in t.labels)
    calendar = _calendar(readings, ordered, options, exact=exact)
    times = [_times(r, own, zeros, calendar) for r, own in zip(readings, ordered, strict=True)]
    rates = [_rate(own, calendar, options) for own in times]
    values = [r.values() for r in readings]
    notes = [n for table in tables for n in table.notes]
    said += kept_units(c.unit for r in readings for c in r.columns)
    notes += [n for own, rate in zip(times, rates, strict=True) for n in _irregular(own, rate)]
    facts = {use: _per_session(tables[0], use, ids) for use in ("subject", "split")}
    drafts = [
        _draft(tables, readings, times, values, ordered, rates, zeros[k], k, facts["subject"])
        for k in ids
    ]
    notes += counter_notes(
        (column.name, [values[i][rows, j] for rows in ordered[i].values()])
        for i, reading in enumerate(readings)
        for j, column in enumerate(reading.columns)
    )
    placed, rule, gap = _split(drafts, facts["split"], options, min(rates))
    modalities = tuple(
        Modality(
            name=r.name,
            rate_hz=rate,
            channels=tuple(Channel(name=c.name, unit=c.unit) for c in r.columns),
        )
        for r, rate in zip(readings, rates, strict=True)
    )
    return TablePlan(
        n_rows=sum(t.n_rows for t in tables),
        readings=tuple(readings),
        modalities=modalities,
        sessions=tuple(placed),
        split_rule=rule,
        gap_s=gap,
        calendar=calendar,
        said=tuple(dict.fromkeys([*said, *_dates(placed, calendar)])),
        notes=tuple(dict.fromkeys([*notes, *_unlearnable(placed)])),
        session_noun=noun_of(tables[0].roles.session),
        double=frozenset(r.name for r, v in zip(readings, values, strict=True) if needs_double(v)),
    )


def _readings(tables: Sequence[Understood]) -> list[Readings]:
    """Return the readings of all tables; a session or a clock the first lacks is refused."""
    found = [r for table in tables for r in table.readings]
    known = set(tables[0].keys)
    for reading in found:
        if reading.clock.absolute != found[0].clock.absolute:
            raise DataError(
                f"{reading.name} counts time as {reading.clock.form}, {found[0].name} as "
                f"{found[0].clock.form}. Bring them to one clock."
            )
        for key in dict.fromkeys(reading.keys):
            if key not in known:
                raise unknown(f"session of {reading.name}", key, known)
    return found


def _in_order(
    reading: Readings, own: Mapping[str, np.ndarray], said: list[str]
) -> dict[str, np.ndarray]:
    """Return each session's rows in order of time: newest-first ones are turned round."""
    found: dict[str, np.ndarray] = {}
    for key, rows in own.items():
        steps = np.diff(reading.clock.seconds[rows])
        if len(steps) and (steps < 0).all():
            said.append("rows come newest first: turned round")
            found[key] = rows[::-1]
        elif (steps < 0).any() and reading.clock.absolute:
            said.append("rows are not in order of time: sorted")
            found[key] = rows[np.argsort(reading.clock.seconds[rows], kind="stable")]
        else:
            found[key] = rows
    return found


def _check_clock(reading: Readings, own: Mapping[str, np.ndarray]) -> None:
    """Refuse times that come twice, with what may be the cause.

    Raises
    ------
    DataError : a session has two rows of one time
    """
    for key, rows in own.items():
        seconds = np.sort(reading.clock.seconds[rows])
        if (np.diff(seconds) == 0).any():
            raise comes_twice(key, reading.clock, rows, reading.cells)


def _zero(
    readings: Sequence[Readings], ordered: Sequence[Mapping[str, np.ndarray]], key: str
) -> float:
    """Return the earliest time of a session, in the source's seconds."""
    return min(
        float(r.clock.seconds[own[key]].min())
        for r, own in zip(readings, ordered, strict=True)
        if key in own
    )


def _calendar(
    readings: Sequence[Readings],
    ordered: Sequence[Mapping[str, np.ndarray]],
    options: TableOptions,
    *,
    exact: bool,
) -> Calendar:
    """Return the calendar that all sessions of a single table keep.

    Parameters
    ----------
    exact : times are no samples but beginnings of stretches: they keep their seconds
    """
    own = {r.clock.zone for r in readings}
    zone = Calendar(zone=options.tz or (own.pop() if len(own) == 1 else None))
    if len(readings) > 1 or not readings[0].clock.absolute or exact:
        return zone if readings[0].clock.absolute else Calendar()
    steps: set[Step | None] = set()
    for rows in ordered[0].values():
        local = _local(readings[0].clock.seconds[rows], zone)
        if len(np.unique(local)) == len(local):
            steps.add(find_step(local))
        else:
            steps.add(None)
    return Calendar(step=steps.pop(), zone=zone.zone) if len(steps) == 1 else zone


def _local(seconds: np.ndarray, calendar: Calendar) -> np.ndarray:
    if calendar.zone is None:
        return np.round(seconds).astype(np.int64).astype("datetime64[s]")
    return Calendar(zone=calendar.zone).stamps(moment(0.0), seconds)


def _times(
    reading: Readings, own: Mapping[str, np.ndarray], zeros: Mapping[str, float], calendar: Calendar
) -> dict[str, np.ndarray]:
    """Return each session's times in seconds from its start; on a calendar, whole steps of it."""
    found = {}
    for key, rows in own.items():
        seconds = reading.clock.seconds[rows]
        if calendar.step is None:
            found[key] = np.round(seconds - zeros[key], 6)
        else:
            counts = steps_between(_local(seconds, calendar), calendar.step)
            found[key] = np.round(counts * STEP_S[calendar.step], 6)
    return found


def _rate(times: Mapping[str, np.ndarray], calendar: Calendar, options: TableOptions) -> float:
    if options.rate_hz is not None:
        return options.rate_hz
    if calendar.step is not None:
        return 1 / STEP_S[calendar.step]
    steps = np.concatenate([np.diff(t) for t in times.values()])
    forward = steps[steps > 0]
    if forward.size == 0:
        raise DataError(
            "No session has two moments to measure a rate from. Give --rate in Hz, or name the "
            "session column with --session."
        )
    usual = np.sort(forward)[(forward.size - 1) // 2]  # one of them, were there but two
    steady = forward[np.abs(forward - usual) <= usual / 2]  # without drop-outs; jitter averages out
    rate = 1 / float(steady.mean())
    whole = round(rate) if rate >= 1 else 1 / round(1 / rate)
    return float(whole if abs(whole / rate - 1) < _NOMINAL else f"{rate:.6g}")


def _irregular(times: Mapping[str, np.ndarray], rate_hz: float) -> tuple[str, ...]:
    grids = {holes(t, rate_hz).grid for t in times.values()}
    if grids == {"events"}:
        return ("Rows come when something happens: there is no rate but their usual step.",)
    if "loose" not in grids:
        return ()  # what lacks on an even grid are gaps, and told as such
    steps = np.concatenate([np.diff(t) for t in times.values()])
    share = float((np.abs(steps * rate_hz - 1) > 0.5).mean()) if steps.size else 0.0
    return (
        (f"Irregular: {share:.0%} of steps are far from {1 / rate_hz:g} s.",)
        if share > 0.01
        else ()
    )


def length_text(seconds: float) -> str:
    """Return a length of time as people say it: "50 days", "1.5 h", "12 s"."""
    sizes = ((86400.0, "days"), (3600.0, "h"), (60.0, "min"))
    size, unit = next(((s, u) for s, u in sizes if seconds >= 2 * s), (1.0, "s"))
    return f"{seconds / size:.4g} {unit}"


def _per_session(table: Understood, use: str, ids: Sequence[str]) -> dict[str, str]:
    """Return the one value a use's column has throughout each session, as text."""
    if use not in table.facts:
        return {}
    texts = table.facts[use]
    found: dict[str, str] = {}
    for key, rows in rows_by(table.keys).items():
        values = list(dict.fromkeys(t for t in texts[rows] if t is not None))
        if len(values) != 1:
            column = {"subject": table.roles.subject}.get(use, use)
            raise DataError(
                f"Column {column!r} must hold one value in all of session {key!r}, found "
                f"{len(values)}. Name the column that tells sessions apart with --session, or say "
                f"--{use} none."
            )
        found[key] = values[0]
    return {k: found[k] for k in ids if k in found}


def _draft(  # noqa: PLR0917 - one session of what `plan_sessions` has of all
    tables: Sequence[Understood], readings: Sequence[Readings],
    times: Sequence[Mapping[str, np.ndarray]], values: Sequence[np.ndarray],
    ordered: Sequence[Mapping[str, np.ndarray]], rates: Sequence[float], zero: float, key: str,
    subjects: Mapping[str, str],
) -> PlannedSession:  # fmt: skip
    """Return one session, all of it in training as yet."""
    held = [i for i in range(len(times)) if key in times[i]]
    length = max(float(times[i][key][-1]) + 1 / rates[i] for i in held)
    labels = _labels(tables, times, ordered, rates, zero, key)
    last = max((end for _, end, _, _ in labels), default=0.0)
    return PlannedSession(
        session_id=key,
        subject_id=subjects.get(key, UNKNOWN_SUBJECT),
        split="train",
        start_utc=moment(zero) if readings[0].clock.absolute else None,
        signals={readings[i].name: (times[i][key], values[i][ordered[i][key]]) for i in held},
        labels=tuple(labels),
        duration_s=max(length, last),
        given_s=last if last > length else None,
    )


def _labels(  # noqa: PLR0917
    tables: Sequence[Understood], times: Sequence[Mapping[str, np.ndarray]],
    ordered: Sequence[Mapping[str, np.ndarray]], rates: Sequence[float], zero: float, key: str,
) -> list[Interval]:  # fmt: skip
    """Return the stretches of labels of one session, from every table that has columns of them."""
    found: list[Interval] = []
    at = 0
    for table in tables:
        for column in table.labels:
            if table.clock is None or key not in times[at]:
                continue
            rows, time_s = ordered[at][key], times[at][key]
            if column.end_s is not None:
                rows = np.flatnonzero(table.keys == key)
                time_s = np.round(table.clock.seconds[rows] - zero, 6)
            found += intervals_of(column, rows, time_s, rates[at], zero)
        at += len(table.readings)
    return found


def _split(
    drafts: Sequence[PlannedSession], given: Mapping[str, str], options: TableOptions, rate: float
) -> tuple[list[PlannedSession], str, float | None]:
    """Return the sessions with their splits, the rule, and the gap between blocks of time."""
    if given:
        wrong = sorted({v for v in given.values() if v not in SPLITS})
        if wrong:
            raise unknown("split", wrong[0], SPLITS)
        by_name: dict[str, Split] = {s: s for s in SPLITS}
        placed = [replace(d, split=by_name[given[d.session_id]]) for d in drafts]
        return placed, f"as column {options.split!r} says", None
    few = len(drafts) < _FEWEST_SESSIONS
    if options.split_by == "time" or (few and options.split_by == "auto"):
        return _split_by_time(drafts, rate)
    known = {d.subject_id for d in drafts} - {UNKNOWN_SUBJECT}
    if len(known) >= _FEWEST_SESSIONS:
        counts: dict[str, dict[str, int]] = {}
        for d in drafts:
            of = counts.setdefault(d.subject_id, {})
            for label in {label for _, _, label, _ in d.labels} or {"any"}:
                of[label] = of.get(label, 0) + 1
        chosen = split_subjects(counts, default_sizes(len(counts)), seed=0)
        placed = [replace(d, split=chosen[d.subject_id]) for d in drafts]
        return placed, "by subject, about 60/20/20, seed 0", None
    order = sorted(drafts, key=lambda d: d.start_utc.timestamp() if d.start_utc else 0.0)
    if any(d.labels for d in order):
        labels = {d.session_id: [label for _, _, label, _ in d.labels] for d in order}
        splits = split_by_label(labels)
        rule = "label by label, about 60/20/20 of each label's sessions in order of time"
    else:
        splits = split_in_order([d.session_id for d in order])
        rule = "in order of time, about 60/20/20: fewer than three subjects known"
    return [replace(d, split=splits[d.session_id]) for d in drafts], rule, None


def _split_by_time(
    drafts: Sequence[PlannedSession], rate: float
) -> tuple[list[PlannedSession], str, float | None]:
    placed = []
    for d in drafts:
        spans = [(start, end, label) for start, end, label, _ in d.labels]
        placed.append(replace(d, split=tuple(split_in_time(d.duration_s, rate, spans))))
    held = {b.split for d in placed for b in d.split if isinstance(b, Block)}
    if held == {"train"}:
        whole = [replace(d, split="train") for d in drafts]
        return whole, f"all in training: under {FEWEST_STEPS} samples a session cannot be cut", None
    gap = min(gap_of(d.duration_s, rate) for d in drafts)
    rule = (
        f"by time inside each session, about 60/20/20, with {length_text(gap)} kept free between "
        "(a context and its horizon): too few sessions to hold some out"
    )
    return placed, rule, round(gap, 6)


def _unlearnable(sessions: Sequence[PlannedSession]) -> tuple[str, ...]:
    """Return what no split can judge, in words; nothing without labels."""
    found: dict[Split, set[str]] = {split: set() for split in SPLITS}
    for session in sessions:
        for start, end, label, _ in session.labels:
            if isinstance(session.split, str):
                found[session.split].add(label)
                continue
            for block in session.split:
                if min(end, block.end_s) > max(start, block.start_s):
                    found[block.split].add(label)
    return unlearnable(found) if any(found.values()) else ()


def _dates(sessions: Sequence[PlannedSession], calendar: Calendar) -> list[str]:
    """Return from when to when the data are, and on which calendar."""
    if sessions[0].start_utc is None:
        return []
    edges = []
    for s in sessions:
        ends = max(float(t[-1]) for t, _ in s.signals.values())
        edges.append(calendar.stamps(s.start_utc or moment(0.0), np.array([0.0, ends])))
    first, last = min(e[0] for e in edges), max(e[1] for e in edges)
    span = f"from {date_text(first, calendar.step)} to {date_text(last, calendar.step)}"
    if calendar.step is None:
        return [span + (f" ({calendar.zone})" if calendar.zone else "")]
    return [f"{span}, one row a step of {STEP_WORDS[calendar.step]}"]
