"""How people and loggers write dates and times of day, brought to one form before it is read.

Month names of several languages become numbers; "14h", "8h05", "08.00" and "2 PM" get colons.
What the text says is not changed, only how it is written.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc

_MONTHS = (
    "jan jae ene gen", "feb fev fevr", "mar maa mrz mrt maerz", "apr avr abr", "may mai mei mag",
    "jun juin giu", "jul juil lug", "aug aou ago", "sep set", "oct okt ott out", "nov",
    "dec dez dic",
)  # fmt: skip
_MONTH_OF = {word: i for i, words in enumerate(_MONTHS, 1) for word in words.split()}
_WORD = r"[^\W\d_]"
_CLOCK = r"(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
_HALF = r" ?(?P<p>[AaPp])?\.?[Mm]?\.?"
_ZONE = r"(?P<z>[Zz]|(?:(?:GMT|UTC) ?)?[+-]\d{1,2}(?::?\d{2})?|GMT|UTC)?"
DATE = (
    r"^(?P<a>\d{1,4})[-./ ](?P<b>\d{1,2})[-./ ](?P<c>\d{1,4})"
    rf"(?:(?:[Tt_:-]|,? +){_CLOCK}{_HALF} ?{_ZONE})?$"
)
COMPACT = (
    r"^(?P<a>\d{4})(?P<b>\d{2})(?P<c>\d{2})"
    r"(?:[Tt_ -]?(?P<h>\d{2}):?(?P<m>\d{2})(?::?(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
    r"(?P<p>[AaPp])? ?" + _ZONE + r")?$"
)
MONTH_ONLY = r"^(?P<a>\d{4})[-./](?P<b>\d{1,2})$"
OF_DAY = rf"^{_CLOCK}{_HALF}$"
_MONTH_YEAR = r"<(?P<m>\d{1,2})>[-. /'’]*\d{2}"
_DAY_FIRST = r"^(\d{1,2})(?:er|st|nd|rd|th|\.|º)?[-. /]*(?:de |of )?"
_WEEKDAY = re.compile(
    rf"^{_WORD}{{2,}}\.?,? +(?=\d{{1,4}}[-./]\d{{1,2}}[-./]\d|"
    rf"\d{{1,2}}(?:er|st|nd|rd|th|\.)?[ -]*(?:de )?{_WORD}{{3,}}|{_WORD}{{3,}}\.? +\d)"
)


def one_form(column: pa.Array) -> pa.Array:
    """Return dates and times as text of one form; other text as it is.

    The first filled cell says what has to be rewritten; cells written like it are.
    """
    sample = next((t for t in column.slice(0, 50).to_pylist() if t), "")
    if re.match(DATE, sample) or not sample:
        return column
    column = pc.replace_substring_regex(column, r"[\x{00a0}\x{202f}]+", " ")
    if _WEEKDAY.match(sample):
        column = pc.replace_substring_regex(column, r"^\pL{2,}\.?,? +", "")
        sample = _WEEKDAY.sub("", sample)
    if re.search(rf"{_WORD}{{3,}}", sample):
        column = _months_of_years(_named_months(column))
    return _clocks(column, sample)


def _month(word: str) -> int | None:
    """Return a month by its name or the beginning of it, in English, German, French and others."""
    plain = unicodedata.normalize("NFKD", word.casefold().replace("ä", "ae"))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return next((_MONTH_OF[plain[:n]] for n in (5, 4, 3) if plain[:n] in _MONTH_OF), None)


def _named_months(column: pa.Array) -> pa.Array:
    """Return dates with month names as numbers: "1 Mar 2024" and "Mar 1, 2024" as "1.3.2024"."""
    words = pc.struct_field(pc.extract_regex(column, r"(?P<w>\pL{3,})"), "w")
    for word in pc.unique(words).to_pylist()[:40]:
        number = _month(word) if word else None
        if number is not None:
            column = pc.replace_substring_regex(column, rf"(?i){word}\.?", f"<{number}>")
    for form, plain in (
        (_DAY_FIRST + r"<(\d+)>[-. /,]*(?:de |of )?(\d{2,4})", r"\1.\2.\3"),
        (r"^<(\d+)>[-. /]+(\d{1,2})(?:st|nd|rd|th)?,?[-. /]+(\d{4})", r"\2.\1.\3"),
        (r"^(\d{4})[-. /]*<(\d+)>[-. /]*(\d{1,2})", r"\1-\2-\3"),
        (r"^<(\d+)> +(\d{1,2}),? +(\d{1,2}:\d{2}(?::\d{2})?) (\d{4})$", r"\2.\1.\4 \3"),
        (r"^<(\d+)>[-. /]*(\d{4})$", r"\2-\1"),
        (r"^(\d{4})[-. /]*<(\d+)>$", r"\1-\2"),
    ):
        column = pc.replace_substring_regex(column, form, plain)
    return column


def _months_of_years(column: pa.Array) -> pa.Array:
    """Return months with years of two digits as "2015-1": "<1>-15", "<2>-15" is one after another.

    Where the month stays from row to row, the number may be a day: such text is left as it is.
    """
    found = [re.fullmatch(_MONTH_YEAR, t) for t in column.slice(0, 50).to_pylist() if t]
    months = [m["m"] for m in found if m is not None]
    changed = sum(a != b for a, b in pairwise(months))
    if len(months) < len(found) or len(months) < 2 or 2 * changed < len(months) - 1:
        return column
    for years, century in (("[0-6]", 20), ("[7-9]", 19)):
        form = rf"^<(\d+)>[-. /'’]*({years}\d)$"
        column = pc.replace_substring_regex(column, form, rf"{century}\2-\1")
    return column


def _clocks(column: pa.Array, sample: str) -> pa.Array:
    """Return times of day with colons: "8h05", "14h", "14 Uhr", "08.00" behind a date, "2 PM"."""
    rules: list[tuple[str, str]] = []
    if re.search(r"(?i)\d ?h(?:\d|$| )", sample):
        rules += [
            (r"(\d) ?[hH] ?(\d{2}) ?(?:m|min|:|') ?(\d{2}) ?(?:s|sec|\")?$", r"\1:\2:\3"),
            (r"(\d) ?[hH] ?(\d{2}) ?(?:m|min|')?$", r"\1:\2"),
            (r"(\d) ?[hH]$", r"\1:00"),
        ]
    if re.search(r"(?i)\d ?uhr", sample):
        rules += [(r"(?i)(\d[:.]\d{2}) ?uhr$", r"\1"), (r"(?i)(\d) ?uhr(?: ?(\d{2}))$", r"\1:\2"),
                  (r"(?i)(\d) ?uhr$", r"\1:00")]  # fmt: skip
    date = r"^(\d{1,4}[-./]\d{1,2}[-./]\d{1,4})(?:[Tt_ ]|,? +(?:at |à |um |kl\.? )?)"
    rules += [(date + r"(\d{1,2})[.](\d{2})[.](\d{2})", r"\1 \2:\3:\4"),
              (date + r"(\d{1,2})[.](\d{2})", r"\1 \2:\3"),
              (date + r"(\d{2})(\d{2})(\d{2})?$", r"\1 \2:\3"),
              (date + r"(\d{1,2}:\d{2})", r"\1 \2")]  # fmt: skip
    if re.search(r"(?i)(?:^|[ T])\d{1,2} ?[ap]\.?m", sample):
        rules += [(r"(?i)(^|[ T])(\d{1,2}) ?([ap])\.?m\.?$", r"\1\2:00 \3M")]
    for form, plain in rules:
        column = pc.replace_substring_regex(column, form, plain)
    return column


def are_dates(texts: list[str]) -> bool:
    """Whether texts are dates, with or without a time of day.

    Digits alone are dates if each is one of a day between 1900 and 2199.
    """
    if not texts or any(re.fullmatch(r"\d{1,3}(?:\.\d{3})+", t) for t in texts):
        return False
    if all(t.isdigit() for t in texts):
        return _digits_are_dates(texts)
    if all(re.fullmatch(r"[-+]?\d+(?:[.,]\d+)?", t) for t in texts[:3]):
        return False  # plain numbers; most columns are left here
    plain = one_form(pa.array(texts, pa.string())).to_pylist()
    return all(any(re.match(f, t) for f in (DATE, COMPACT, MONTH_ONLY)) for t in plain)


def _digits_are_dates(texts: list[str]) -> bool:
    if {len(t) for t in texts} - {8, 12, 14} or len({len(t) for t in texts}) > 1:
        return False
    days = [(int(t[:4]), int(t[4:6]), int(t[6:8]), int(t[8:10] or 0)) for t in texts]
    return len(set(texts)) > 1 and all(
        1900 <= y < 2200 and 1 <= m <= 12 and 1 <= d <= 31 and h <= 24 for y, m, d, h in days
    )


def are_times_of_day(texts: list[str], *, named: bool) -> bool:
    """Whether texts are times of day without a date.

    Parameters
    ----------
    named : the column is called so; then "08.00" and "0800" are, too
    """
    if not texts:
        return False
    plain = of_day(pa.array(texts, pa.string()), named=named).to_pylist()
    return all(re.match(OF_DAY, t) for t in plain)


def of_day(column: pa.Array, *, named: bool) -> pa.Array:
    """Return times of day with colons."""
    plain = one_form(column)
    if named:
        plain = pc.replace_substring_regex(plain, r"^(\d{1,2})[.](\d{2})(?:[.](\d{2}))?$", r"\1:\2")
        plain = pc.replace_substring_regex(plain, r"^(\d{1,2})(\d{2})$", r"\1:\2")
    return plain
