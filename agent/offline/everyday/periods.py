"""Times as people say them of dated data: "yesterday", "in March", "since 1 Oct", "at night"."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from tool_use_om.agent.offline.everyday.text import Words

_MONTHS: dict[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier", "february feb februar fevrier",
            "march mar marz maerz mars",
            "april apr avril", "may mai", "june jun juni juin", "july jul juli juillet",
            "august aug aout", "september sep sept septembre", "october oct oktober okt octobre",
            "november nov novembre", "december dec dezember dez decembre",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "(" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\.?"
_DAYS: dict[str, int] = {
    name: number
    for number, names in enumerate((
        "monday mondays mon montag montags lundi "
        "lundis", "tuesday tuesdays tue tues dienstag mardi",
        "wednesday wednesdays wed mittwoch mercredi", "thursday thursdays thu thurs donnerstag "
        "jeudi",
        "friday fridays fri freitag vendredi", "saturday saturdays sat samstag samedi",
        "sunday sundays sun sonntag dimanche",
    ))
    for name in names.split()
}  # fmt: skip
_BARE_DAYS = {"mon", "sun", "sat", "wed", "fri", "mar", "may"}  # words of other meaning, too
_DAY = "(" + "|".join(d for d in _DAYS if d not in _BARE_DAYS) + ")"
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12,
            "fruhling": 3, "fruhjahr": 3, "sommer": 6, "herbst": 9, "ete": 6,
            "hiver": 12}  # fmt: skip
_SEASON = "(" + "|".join(_SEASONS) + ")"
_OF_DAY = (
    ("(?:at|during the|by|over|pro|in der|la|de) (?:nights?|nacht|nuit)|nachts|overnight|night "
     "?time", [22, 23, 0, 1, 2, 3, 4, 5]),
    ("(?:in the|this|every) mornings?|morgens|vormittags|le matin", list(range(6, 12))),
    ("(?:in the|this) afternoons?|nachmittags|l'apres-midi", list(range(12, 18))),
    ("(?:in the|this) evenings?|abends|le soir", list(range(18, 22))),
    ("during the day(?:time)?|tagsuber|daytime", list(range(6, 22))),
)  # fmt: skip
_ORDINAL = r"(\d{1,2})(?:st|nd|rd|th|\.|er)?"
_WEEK = timedelta(days=7)
_CLOCK = r"(\d{1,2})(?:[:.h]\d{2})?\s*(am|pm|uhr|h|o'? ?clock)?"


def names_time(word: str) -> bool:
    """Say whether a word names a month, a day of the week or a season, or is a number."""
    plain = word.casefold()
    return plain in _MONTHS or plain in _DAYS or plain in _SEASONS or plain.isdigit()


@dataclass
class When:
    """What a question says of time.

    Parameters
    ----------
    calendar : hours, weekdays, months, first_date, last_date as `filter_by_time` names them
    periods : several stretches of dates that are compared
    by : the group that the words compare: weekend, weekday, parts, periods, half
    parts : hours of the day that are compared
    refused : a date outside the data
    """

    calendar: dict[str, Any] = field(default_factory=dict)
    periods: list[list[str]] = field(default_factory=list)
    by: str = ""
    parts: list[list[int]] = field(default_factory=list)
    refused: str = ""

    @property
    def said(self) -> bool:
        """Whether anything was said."""
        return bool(self.calendar or self.by)


def read_when(words: Words, first: date | None, last: date | None) -> When:
    """Return what a question says of time, those words used.

    Parameters
    ----------
    first, last : the first and last local day of the data; None where they have no dates
    """
    when = When()
    _halves(words, when)
    if first is None or last is None:
        return when
    _compared(words, when)
    spans = [span for span in _spans(words, first, last) if span]
    if len(spans) > 1 and not when.by:
        when.by, when.periods = "periods", [[a.isoformat(), b.isoformat()] for a, b in spans]
    elif spans:
        begin, end = spans[0]
        when.calendar |= {"first_date": begin.isoformat(), "last_date": end.isoformat()}
        if end < first or begin > last:
            when.refused = (
                f"The data go from {first.isoformat()} to {last.isoformat()}; they have nothing of "
                f"{begin.isoformat()}{'' if begin == end else f' to {end.isoformat()}'}."
            )
    _within_day(words, when)
    _weekdays(words, when)
    return when


def _halves(words: Words, when: When) -> None:
    early = (
        r"(?:at |in |the |am |au )*(?:begin(?:ning)?|start|anfang|debut|first days?)(?: of "
        r"(?:the |this )?(?:month|week|year|period|data))?"
    )
    if words.take(rf"now than (?:{early}|earlier|before)|lately|recently|later than {early}"):
        when.by = "half"
        return
    if words.take(
        r"(?:in |during )?(?:the )?(?:2nd|second|zweiten?|deuxieme) (?:half|halfte|moitie)"
    ):
        when.by = "half"
        words.take(r"(?:than|vs\.?|versus|compared to|or)?\s*(?:in )?the (?:1st|first)(?: half)?")


def _compared(words: Words, when: When) -> None:
    """Read the weekend against the week, and shifts."""
    week = (
        r"(?:(?:the )?(?:rest of the )?(?:week|weekdays|working days|workdays)|in the week|"
        r"wochentags?|unter der woche|in week)"
    )
    end = r"(?:on |am |at |the |in )*(?:weekends?|wochenenden?)"
    joint = (
        r"\s*(?:,|than|vs\.?|versus|or|and|compared (?:to|with)|als|oder|und)\s*(?:on|in|"
        r"during|am|at)?\s*"
    )
    if words.take(end + joint + week) or words.take(week + joint + end):
        when.by = "weekend"
        return
    shifts = [m for m in re.finditer(r"(?<![\d.:-])(\d{1,2})\s*(?:-|–|to|"
                                     r"bis)\s*(\d{1,2})(?![\d.:-])", words.plain)
              if int(m[1]) <= 24 and int(m[2]) <= 24]  # fmt: skip
    if words.has("shifts?|schicht(?:en)?|equipes?") and shifts:
        found = [[int(m[1]) % 24, int(m[2]) % 24] for m in shifts]
        for m in shifts:
            words.use(m.start(), m.end())
        if len(found) == 2 and words.take("nights?|nacht|nuit"):
            found.append([found[1][1], found[0][0]])
        when.by, when.parts = "parts", found
        words.take("shifts?|schicht(?:en)?|equipes?")


def _spans(words: Words, first: date, last: date) -> Iterator[tuple[date, date] | None]:
    """Yield the stretches of dates that are named, in their order."""
    yield _between(words, first, last)
    yield from _month_ranges(words, first, last)
    yield _open(words, first, last)
    found: list[tuple[int, tuple[date, date]]] = []
    for pattern, of in _NAMED:
        for match in words.take_all(pattern):
            span = of(match, first, last)
            if span is not None:
                found.append((match.start(), span))
    yield from (span for _, span in sorted(found, key=lambda row: row[0]))


def _date_at(match: re.Match[str], first: date, last: date) -> tuple[date, date] | None:
    return _iso(match.group()) or _written(match.group(), first, last)


_DATE = (
    r"(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}|"
    rf"{_ORDINAL}(?: of| de)? {_MONTH}(?:,? (?:of )?\d{{4}})?|{_MONTH} (?:the "
    rf")?{_ORDINAL}(?!\d)(?:,? \d{{4}})?)"
)  # fmt: skip


def _between(words: Words, first: date, last: date) -> tuple[date, date] | None:
    found = words.find(
        rf"(?:between|from|von|zwischen|entre|du)?\s*(?:the )?{_DATE}\s*(?:and|to|until|till|bis|"
        rf"-|–|et|und|au)\s*(?:the )?{_DATE}"
    )
    if not found:
        return None
    dates = list(re.finditer(_DATE, found.group()))
    if len(dates) != 2:
        return None
    begin, end = (_date_at(m, first, last) for m in dates)
    if not begin or not end or end[1] < begin[0]:
        return None
    words.use(found.start(), found.end())
    return begin[0], end[1]


def _month_ranges(words: Words, first: date, last: date) -> Iterator[tuple[date, date] | None]:
    """Read "June to August 2023", "December to February"."""
    one = rf"{_MONTH}(?: (\d{{4}}))?"
    for found in words.take_all(
        rf"(?:from |between |von )?{one} (?:to|through|until|bis|and|-|–) {one}"
    ):
        begin_month, end_month = _MONTHS[found[1]], _MONTHS[found[3]]
        said = found[4] or found[2]
        year = int(said) if said else _year_with(end_month, first, last)
        begin_year = year - (begin_month > end_month)
        end = date(year, end_month, calendar.monthrange(year, end_month)[1])
        yield date(begin_year, begin_month, 1), end


def _open(words: Words, first: date, last: date) -> tuple[date, date] | None:
    """Read "since 1 October", "from March on", "until May", "since March"."""
    point = rf"(?:the )?(?:{_DATE}|{_MONTH}(?: \d{{4}})?|\d{{4}})"
    found = words.find(
        rf"(since|after|seit|depuis|starting|until|till|before|up to|bis|vor|avant)\s+(?:the "
        rf")?(?:start of |beginning of )?{point}"
    )
    if not found:
        return None
    rest = found.group()[len(found[1]) :].strip()
    span = _iso(rest) or _written(rest, first, last) or _whole(rest, first, last)
    if not span:
        return None
    words.use(found.start(), found.end())
    if found[1] in {"until", "till", "up to", "bis"}:
        return first, span[1]
    if found[1] in {"before", "vor", "avant"}:
        return first, span[0] - timedelta(days=1)
    return (span[1] + timedelta(days=1) if found[1] == "after" else span[0]), last


def _iso(text: str) -> tuple[date, date] | None:
    if found := re.search(r"(\d{4})-(\d{1,2})-(\d{1,2})", text):
        return _day(int(found[1]), int(found[2]), int(found[3]))
    if found := re.search(r"(\d{1,2})[./](\d{1,2})[./](\d{2,4})", text):
        year = int(found[3]) + (2000 if len(found[3]) == 2 else 0)
        return _day(year, int(found[2]), int(found[1])) or _day(year, int(found[1]), int(found[2]))
    return None


def _written(text: str, first: date, last: date) -> tuple[date, date] | None:
    found = re.search(
        rf"(?:{_ORDINAL}(?: of| de)? {_MONTH}|{_MONTH} (?:the )?{_ORDINAL}(?!\d))", text
    )
    if not found:
        return None
    number, name = (found[1], found[2]) if found[1] else (found[4], found[3])
    year = re.search(r"(?<!\d)(\d{4})(?!\d)", text[found.end() - 1 :])
    month = _MONTHS[name]
    return _day(
        int(year[1]) if year else _year_of(month, int(number), first, last), month, int(number)
    )


def _day(year: int, month: int, number: int) -> tuple[date, date] | None:
    try:
        one = date(year, month, number)
    except ValueError:
        return None
    return one, one


def _year_of(month: int, number: int, first: date, last: date) -> int:
    """Return the last year in which such a day is in the data, else the last year."""
    for year in range(last.year, first.year - 1, -1):
        one = _day(year, month, number)
        if one and first <= one[0] <= last:
            return year
    return last.year


def _whole(text: str, first: date, last: date) -> tuple[date, date] | None:
    found = re.search(rf"{_MONTH}(?: (\d{{4}}))?", text)
    if found:
        month = _MONTHS[found[1]]
        year = int(found[2]) if found[2] else _year_with(month, first, last)
        return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
    found = re.search(r"(?<!\d)((?:19|20)\d{2})(?!\d)", text)
    return (date(int(found[1]), 1, 1), date(int(found[1]), 12, 31)) if found else None


def _year_with(month: int, first: date, last: date) -> int:
    for year in range(last.year, first.year - 1, -1):
        end = calendar.monthrange(year, month)[1]
        if date(year, month, 1) <= last and date(year, month, end) >= first:
            return year
    return last.year


def _season(match: re.Match[str], first: date, last: date) -> tuple[date, date]:
    month = _SEASONS[match["season"]]
    for year in range(last.year, first.year - 2, -1):
        end_month = (month + 1) % 12 + 1
        end_year = year + (month == 12)
        span = (
            date(year, month, 1),
            date(end_year, end_month, calendar.monthrange(end_year, end_month)[1]),
        )
        if span[0] <= last and span[1] >= first:
            return span
    return date(last.year, month, 1), last


def _day_of_month(match: re.Match[str], first: date, last: date) -> tuple[date, date] | None:
    number = int(match[1])
    for back in range((last - first).days + 1):
        one = last - timedelta(days=back)
        if one.day == number:
            return one, one
    return None


def _first(match: re.Match[str], first: date, last: date) -> tuple[date, date]:
    days = int(match["n"] or 1) * {"d": 1, "w": 7, "m": 30}[match["unit"][0]]
    return first, min(last, first + timedelta(days=days - 1))


def _ago(match: re.Match[str], first: date, last: date) -> tuple[date, date]:
    days = int(match["n"]) * {"d": 1, "t": 1, "j": 1, "w": 7, "s": 7, "m": 30}[match["unit"][0]]
    return max(first, last - timedelta(days=days - 1)), last


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _month_of(day: date) -> tuple[date, date]:
    return day.replace(day=1), day.replace(day=calendar.monthrange(day.year, day.month)[1])


_NAMED = (
    (_DATE, _date_at),
    (r"(?:on )?(?:the )?(?:day before yesterday|vorgestern|"
     r"avant-hier)", lambda _m, _a, b: (b - timedelta(days=2),) * 2),
    (r"yesterday|gestern|hier(?= )|hier$", lambda _m, _a, b: (b - timedelta(days=1),) * 2),
    (r"today|heute|aujourd'hui", lambda _m, _a, b: (b, b)),
    (r"(?:in |over |during |for )?(?:the )?(?:last|past|previous|letzten|derniers?|dernieres?) "
     r"(?P<n>\d{1,3}) (?P<unit>days?|weeks?|months?|tagen?|wochen|jours|semaines)", _ago),
    (r"(?:in |during )?(?:the )?(?:last|previous|past|vorige|letzte) (?:week|woche)|la semaine "
     r"derniere", lambda _m, _a, b: (_monday(b) - _WEEK, _monday(b) - timedelta(days=1))),
    (r"(?:in |during |the |my )*first (?P<n>\d{0,3}) ?(?P<unit>days?|weeks?|months?)", _first),
    (r"this week|diese woche|cette semaine", lambda _m, _a, b: (_monday(b), b)),
    (r"(?:the )?(?:last|previous|letzten?|vorigen?) (?:month|monat)|le mois "
     r"dernier", lambda _m, _a, b: _month_of(_month_of(b)[0] - timedelta(days=1))),
    (r"this month|diesen monat|ce mois", lambda _m, _a, b: _month_of(b)),
    (r"(?:the )?last year|letztes jahr|l'annee "
     r"derniere", lambda _m, _a, b: (date(b.year - 1, 1, 1), date(b.year - 1, 12, 31))),
    (r"this year|dieses jahr|cette annee", lambda _m, _a, b: (date(b.year, 1, 1), b)),
    (rf"(?:in |during |last |this |the |im |en )*(?P<season>{_SEASON[1:-1]})(?: "
     rf"\d{{4}})?", _season),
    (rf"(?:in |during |im |en |for |of |von |vom |im monat |the month of |all of )*{_MONTH} "
     rf"\d{{4}}", lambda m, a, b: _whole(m.group(), a, b)),
    (rf"(?:in|during|im|en|for|of|since|au mois de|this|last)(?: the)?(?: month of)? "
     rf"{_MONTH}", lambda m, a, b: _whole(m.group(), a, b)),
    (rf"(?:{_MONTH[:-3]})(?= (?:vs|and|or|than|compared|against|all|to)\b)|(?<=vs "
     rf")(?:{_MONTH[1:-4]})|(?<=vs\. )(?:{_MONTH[1:-4]})", lambda m, a, b: _whole(m.group(), a, b)),
    (r"(?:in |during |im jahr |en )?(?:19|20)\d{2}", lambda m, a, b: _whole(m.group(), a, b)),
    (rf"(?:on |am |le )(?:the )?{_ORDINAL}(?! ?[a-z%°])", _day_of_month),
)  # fmt: skip


def _within_day(words: Words, when: When) -> None:
    """Read hours of the day: "between 10 and 12", "22-6", "at night"."""
    if when.by == "parts":
        return
    found = words.find(
        rf"(?:between|from|zwischen|von|entre|de)\s+{_CLOCK}\s*(?:and|to|-|–|und|bis|et|"
        rf"a)\s*{_CLOCK}"
    )
    dashed = words.find(r"(\d{1,2})\s*(?:-|–)\s*(\d{1,2})\s*(?:o'? ?clock|uhr|h|hours?)?")
    hours: list[int] = []
    if found and not words.plain[found.end() :].lstrip().startswith(
        ("degree", "°", "%", "w", "k", "m", "b")
    ):
        hours = _hours(_hour(found[1], found[2] or found[4]), _hour(found[3], found[4]))
        match: re.Match[str] | None = found
    elif (
        dashed
        and int(dashed[1]) <= 24
        and int(dashed[2]) <= 24
        and words.has("at night|nights?|nacht|hours?|uhr|o'?clock|morning|evening")
    ):
        hours, match = _hours(int(dashed[1]) % 24, int(dashed[2]) % 24), dashed
    else:
        match = None
    if match and hours:
        words.use(match.start(), match.end())
        words.take("o'? ?clock|uhr|h")
        when.calendar["hours"] = hours
    for pattern, named in _OF_DAY:
        if words.take(pattern) and "hours" not in when.calendar:
            when.calendar["hours"] = named


def _hour(text: str, half: str | None) -> int:
    hour = int(text)
    if half == "pm" and hour < 12:
        hour += 12
    return (0 if half == "am" and hour == 12 else hour) % 24


def _hours(begin: int, end: int) -> list[int]:
    if begin == end:
        return []
    return list(range(begin, end)) if begin < end else [*range(begin, 24), *range(end)]


def _weekdays(words: Words, when: When) -> None:
    if words.take(r"(?:on |am |at |the |le )*(?:weekends?|wochenenden?|week-?ends?)"):
        when.calendar["weekdays"] = [5, 6]
    elif words.take(r"(?:on |the )*(?:working days|workdays|weekdays(?! )|werktags)"):
        when.calendar["weekdays"] = [0, 1, 2, 3, 4]
    days = [_DAYS[m[1]] for m in words.take_all(rf"(?:on |am |le |les |an )*{_DAY}")]
    if days:
        when.calendar["weekdays"] = sorted(set(days))
        if len(set(days)) > 1:
            when.by = when.by or "weekday"
