"""Which column is the time, the session, the subject, the label: by evidence, and said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tool_use_om.data.converters.table.files.cells import Cells
from tool_use_om.data.converters.table.labels import event_columns, kind_of_text
from tool_use_om.data.converters.table.times.clock import (
    are_hours,
    is_dates,
    is_time_of_day,
    is_without_date,
)
from tool_use_om.data.errors import DataError

NONE = "none"  # an option's value for "there is no such column"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TIME = _words("""
    time timestamp date datetime t ts ds uhr zeit datum uhrzeit zeitpunkt zeitstempel localtime
    lastchanged lastupdated elapsed epoch unix unixtime seconds second sec secs millis ms
    milliseconds minutes hours dates times day month year heure horodatage fecha hora tijd
    recordedat createdat measuredat when
""")
_TIME_WORD = re.compile(r"(?:^|[^a-z])(time|timestamp|date|zeit|datum)(?:$|[^a-z])")
_SESSION = _words("""
    session sessionid trial trialid recording recordingid record run runid night cycle cycleid
    file series seriesid episode segment sequence set batch lap s
""")
_SUBJECT = _words("""
    subject subjectid person participant participantid user userid patient patientid who athlete
    proband individual wearer volunteer sub subj
""")
_LABEL = _words("""
    label labels activity class act y target stage state event fault status exercise category
    condition movement gesture behavior behaviour aktion klasse
""")
_SENSOR = _words("""
    entityid sensor sensorid sensorname variable channel signal metric parameter tag item
    measurement measure measurand quantity topic point name series kind field attribute signalname
    messgroesse messgrosse grandeur magnitude
""")
_VALUE = _words("value state reading val wert messwert measurement result data")
_UNIT = _words("unit units unitofmeasurement einheit")
_DAY_US = 86_400_000_000
_MOST_SENSORS = 500
_MOST_LABELS = 60
_REPEATED = 0.02  # share of times that come twice, from which rows are of several
_CLOCK_CHANGE = 0.005  # share that a doubled hour explains
_SHARE = 0.5  # of a column's cells that are numbers, for a value column with some other text


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The columns' uses; None = there is none. `time` empty = rows are evenly spaced.

    Parameters
    ----------
    sensor, value, unit : columns of a table in long form, one row a reading
    labels : further columns of labels, each a set of its own
    end : of a table whose rows are stretches, the column of their ends
    left_out : text columns that are no channel and have no use
    said : what was chosen by evidence, for people
    """

    time: tuple[str, ...]
    session: str | None = None
    subject: str | None = None
    label: str | None = None
    sensor: str | None = None
    value: str | None = None
    unit: str | None = None
    labels: tuple[str, ...] = ()
    end: str | None = None
    left_out: tuple[str, ...] = ()
    said: tuple[str, ...] = ()

    @property
    def named(self) -> set[str]:
        """The columns that have a use, channels not among them."""
        single = (self.session, self.subject, self.label, self.sensor, self.value, self.unit)
        ends = (*self.labels, self.end)
        return {*self.time, *(c for c in (*single, *ends) if c), *self.left_out}


def find_roles(cells: Cells, given: Roles, skip: Sequence[str], *, even: bool) -> Roles:
    """Return the columns' uses: those given, the others by what their names and cells say.

    Parameters
    ----------
    given : what was named; `NONE` for a use that no column has
    even : a rate was given, so that the table may have no time column

    Raises
    ------
    NotFoundError : a named column that the table does not have
    DataError : no column looks like time and no rate was given
    """
    single = (given.session, given.subject, given.label, given.sensor, given.value)
    for name in [*given.time, *(c for c in single if c), *skip]:
        if name != NONE or NONE in cells.columns:
            cells.has(name)
    free = [n for n in cells.names if n not in skip]
    said: list[str] = []
    untold = [n for n in free if n not in given.named]
    stretch = None if given.time else event_columns(cells, untold)
    time = given.time or ((stretch[0],) if stretch else _time(cells, untold))
    if not time and not even:
        shown = ", ".join(repr(n) for n in free[:8])
        raise DataError(
            f"No column looks like time; there are {shown}. Name it with --time, or give --rate "
            "in Hz if the rows are evenly spaced."
        )
    _check_whole(cells, given.time, untold)
    if time and not given.time:
        said.append(f"time is {' and '.join(repr(n) for n in time)}")
    found = replace(given, time=time, end=stretch[1] if stretch else None)
    found = _long_form(cells, found, [n for n in free if n not in found.named], said)
    free = [n for n in free if n not in found.named]
    for role, names in (("subject", _SUBJECT), ("session", _SESSION), ("label", _LABEL)):
        if getattr(found, role) is None and (guess := _guess(cells, free, role, names)):
            said.append(f"{role} is {guess!r}")
            found = _with(found, role, guess)
            free.remove(guess)
    if found.subject is None and found.session is None and (key := _key(cells, found, free)):
        said.append(f"subject is {key!r}: of each, a time comes once")
        found = _with(found, "subject", key)
        free.remove(key)
    for role in ("session", "subject", "label", "sensor", "value"):
        if getattr(found, role) == NONE and NONE not in cells.columns:
            found = _with(found, role, None)
    if found.sensor is not None:
        left = tuple(free)
        said += [f"left out: {', '.join(repr(n) for n in left[:6])}"] if left else []
        return replace(found, left_out=left, said=tuple(said))
    return _texts(cells, found, free, said, more=given.label is None)


def _check_whole(cells: Cells, given: Sequence[str], free: Sequence[str]) -> None:
    """Refuse a named column of days whose times of day stand in another one.

    Raises
    ------
    DataError : it does, with both columns to name
    """
    if len(given) != 1 or not is_dates(cells, given[0]) or not _only_days(cells, given[0]):
        return
    clocks = [n for n in free if n != given[0] and is_time_of_day(cells, n)]
    if clocks and _distinct(cells, given[0]) < len(cells):
        raise DataError(
            f"Column {given[0]!r} has the days only, {clocks[0]!r} the time of day: say "
            f"--time {given[0]}+{clocks[0]}, or leave --time out."
        )


def _texts(
    cells: Cells, found: Roles, free: Sequence[str], said: list[str], *, more: bool
) -> Roles:
    """Return the roles with columns of text as sets of labels; others are left out, and said.

    Parameters
    ----------
    more : no label column was named: those that look like one are
    """
    kinds = {n: kind_of_text(cells, n) for n in free if _is_words(cells, n)}
    labels = [n for n, kind in kinds.items() if kind == "label" and more]
    if labels:
        blank = any(cells.columns[n].null_count for n in labels)
        said.append(
            f"label{'s are' if len(labels) > 1 else ' is'} {', '.join(repr(n) for n in labels[:6])}"
            + " (blank = none)" * blank
        )
    left = tuple(n for n in kinds if n not in labels)
    for name in left:
        if kinds[name] == "constant":
            text = str(cells.columns[name][0].as_py())[:30]
            said.append(f"left out: {name!r}, {text!r} throughout")
    plain = [n for n in left if kinds[n] != "constant"]
    said += [f"left out as text: {', '.join(repr(n) for n in plain[:6])}"] if plain else []
    if found.label is None and labels:
        found = replace(found, label=labels[0], labels=tuple(labels[1:]))
    else:
        found = replace(found, labels=tuple(labels))
    return replace(found, left_out=left, said=tuple(said))


def _key(cells: Cells, found: Roles, free: Sequence[str]) -> str | None:
    """Return the column without which times come twice, and of each value of which they do not."""
    if not found.time or found.end is not None:
        return None
    few = [n for n in free if _tells_apart(cells, n)]
    named = [*found.time, *([found.sensor] if found.sensor not in {None, NONE} else [])]
    held = [n for n in named if n]
    if not few or (len(held) == 1 and _distinct(cells, held[0]) == len(cells)):
        return None
    moments, n = cells.joined(held), len(cells)
    if len(set(moments)) > (1 - _REPEATED) * n:
        return None
    for name in few:
        if len(set(cells.joined([*held, name]))) >= (1 - _CLOCK_CHANGE) * n:
            return name
    return None


def _tells_apart(cells: Cells, name: str) -> bool:
    """Whether a column may name several of a kind: text or numbers called so, that come again."""
    if is_dates(cells, name) or is_time_of_day(cells, name):
        return False
    if not _is_words(cells, name) and not re.search(r"(?i)(^|[^a-z])(id|nr|no)$", name):
        return False
    return not cells.columns[name].null_count and 2 <= _distinct(cells, name) <= len(cells) // 2


def _with(roles: Roles, role: str, column: str | None) -> Roles:
    fields = {"session": roles.session, "subject": roles.subject, "label": roles.label}
    fields |= {"sensor": roles.sensor, "value": roles.value, role: column}
    return replace(
        roles,
        session=fields["session"],
        subject=fields["subject"],
        label=fields["label"],
        sensor=fields["sensor"],
        value=fields["value"],
    )


def is_called_a_label(name: str) -> bool:
    """Whether a column is named as labels are: "state", "activity"."""
    return _folded(name) in _LABEL


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", re.sub(r"[\[(].*?[\])]", "", name).casefold())


def _time(cells: Cells, free: Sequence[str]) -> tuple[str, ...]:
    """Return the time column, or a date and a time of day; empty if there is none."""
    dates = [n for n in free if is_dates(cells, n)]
    if dates and _only_days(cells, dates[0]):
        clocks = [n for n in free if n not in dates and is_time_of_day(cells, n)]
        clocks += [n for n in dates[1:] if _folded(n) in _TIME and _is_clock(cells, n)]
        if _distinct(cells, dates[0]) < len(cells):
            clocks += [n for n in free if n not in dates and are_hours(cells, n)]
        if clocks:
            return dates[0], clocks[0]
    named = [n for n in free if _folded(n) in _TIME or _TIME_WORD.search(n.casefold())]
    for name in [*(n for n in dates if n in named), *dates[:1]]:
        return (name,)
    watches = [n for n in free if is_without_date(cells, n)]
    for name in [*(n for n in watches if n in named), *watches[:1]]:
        return (name,)
    for name in named:
        numbers = cells.numbers(name)
        if numbers is not None and np.isfinite(numbers).all() and _runs_on(numbers):
            return (name,)
    suffixed = [n for n in free if re.search(r"(?i)(^|_)t(ime)?_(s|ms|us|ns|sec)$", n)]
    return (suffixed[0],) if suffixed else ()


def _only_days(cells: Cells, name: str) -> bool:
    """Whether dates have no time of day."""
    kind = cells.columns[name].type
    if pa.types.is_timestamp(kind):
        times = cells.columns[name].drop_null().cast(pa.timestamp("us")).cast(pa.int64())
        return bool((times.to_numpy(zero_copy_only=False) % _DAY_US == 0).all())
    texts = [str(t) for t in cells.columns[name].slice(0, 20).to_pylist() if t]
    return not any(re.search(r"(?i):|\dT\d|\d ?h|uhr|[ap]m|^\d{12,}$|[ ,]\d\d[.]\d\d", t)
                   for t in texts)  # fmt: skip


def _is_clock(cells: Cells, name: str) -> bool:
    return bool(pa.types.is_time(cells.columns[name].type))


def _runs_on(numbers: np.ndarray) -> bool:
    """Whether numbers rise, or fall, most times that they change."""
    steps = np.diff(numbers)
    steps = steps[steps != 0]
    return len(steps) == 0 or bool(max((steps > 0).mean(), (steps < 0).mean()) >= 0.5)


def _long_form(cells: Cells, found: Roles, free: Sequence[str], said: list[str]) -> Roles:
    """Return the roles with sensor and value columns where rows are readings of several sensors."""
    if found.sensor == NONE or not found.time:
        return found
    sensor, value = found.sensor, found.value
    if sensor is None:
        texts = [n for n in free if _folded(n) in _SENSOR and _is_words(cells, n)]
        sensor = next((n for n in texts if _distinct(cells, n) <= _MOST_SENSORS), None)
    if value is None and sensor is not None:
        others = [n for n in free if n != sensor]
        named = [n for n in others if _folded(n) in _VALUE]
        numeric = [n for n in others if not _is_words(cells, n)]
        value = next((n for n in named if cells.share_of_numbers(n) >= _SHARE), None)
        if value is None and found.sensor is not None and len(numeric) == 1:
            value = numeric[0]
    if sensor is None or value is None:
        if found.sensor is not None:
            raise DataError("Long form needs the readings' column, too: name it with --value.")
        return found
    if found.sensor is None:
        said.append(f"one row a reading: sensor is {sensor!r}, value is {value!r}")
    unit = next((n for n in free if _folded(n) in _UNIT and n not in {sensor, value}), None)
    return replace(found, sensor=sensor, value=value, unit=unit)


def _guess(cells: Cells, free: Sequence[str], role: str, names: frozenset[str]) -> str | None:
    """Return the column that a role's usual names and its cells speak for."""
    for name in free:
        if _folded(name) not in names:
            continue
        numeric = [n for n in free if not _is_words(cells, n)]
        if numeric == [name]:
            continue  # the last column of numbers is a channel
        fits = _is_label(cells, name) if role == "label" else _is_id(cells, name)
        if fits:
            return name
    return None


def _is_words(cells: Cells, name: str) -> bool:
    """Whether a column holds text that is no number."""
    return cells.numbers(name) is None and cells.share_of_numbers(name) < _SHARE


def _distinct(cells: Cells, name: str) -> int:
    return int(pc.count_distinct(cells.columns[name]).as_py())


def _is_id(cells: Cells, name: str) -> bool:
    """Whether a column tells sessions or people apart: text or whole numbers that come again."""
    numbers = cells.plain(name)
    if cells.columns[name].null_count:
        return False
    if numbers is not None and not (numbers == np.round(numbers)).all():
        return False
    return _distinct(cells, name) <= max(2, len(cells) // 2)


def _is_label(cells: Cells, name: str) -> bool:
    """Whether a column labels stretches: few values that come in runs."""
    numbers = cells.plain(name)
    n = _distinct(cells, name)
    if n > _MOST_LABELS or n > max(2, len(cells) // (2 if numbers is None else 4)):
        return False
    if numbers is None:
        return True
    known = numbers[np.isfinite(numbers)]
    whole = bool(len(known)) and bool((known == np.round(known)).all())
    texts = cells.text(name)
    changes = int((texts[1:] != texts[:-1]).sum())
    plain = _folded(name) in {"label", "labels", "activity", "class", "y", "target"}
    return whole and plain and n > 1 and changes < len(cells) / 3
