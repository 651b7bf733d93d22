"""Several files with the same columns: one table, in which each file is a session."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from tool_use_om.data.converters.table.columns import slug
from tool_use_om.data.converters.table.files.cells import Cells, Decimal, number_form
from tool_use_om.data.converters.table.options import TableOptions
from tool_use_om.data.converters.table.roles import find_roles
from tool_use_om.data.errors import DataError

_QUANTITY = re.compile(
    r"(?<![a-z])(acc|gyro|gyr|mag|grav|orient|baro|press|temp|humid|light|lux|ecg|ekg|eeg|emg|eog|"
    r"eda|gsr|bvp|ppg|hr|heart|resp|breath|spo2|co2|power|energy|current|volt|speed|wind|rain|"
    r"location|gps|pedo|steps|sound|micro|vibration|flow|level|torque|force)"
)

_ENDING = re.compile(r"(?i)\.(csv|tsv|txt|parquet|xlsx|xlsm|xls|xlsb|ods)(\.gz)?$")


def as_sessions(
    sources: Sequence[Path], tables: Sequence[Cells], options: TableOptions
) -> tuple[Cells, str] | None:
    """Return the rows of all files and the column that tells their sessions apart.

    None where files are modalities of one clock: their columns differ, they are named after
    different quantities, `options` names a session column, or they share sessions that a column
    of theirs names.

    Raises
    ------
    DataError : no column looks like time
    NotFoundError : a named column that the files do not have
    """
    first = tables[0]
    if len(tables) < 2 or options.session is not None:
        return None
    if any(set(t.names) != set(first.names) for t in tables) or _quantities(sources):
        return None
    joined = _stacked(tables, options.decimal)
    roles = find_roles(joined, options.roles(joined), options.skip, even=bool(options.rate_hz))
    told = f"{len(tables)} files with the same columns: "
    if roles.session is not None:
        ids = [set(t.text(roles.session)) for t in tables]
        if len(set().union(*ids)) < sum(len(i) for i in ids):
            return None
        said = f"{told}one table, sessions by {roles.session!r}"
        return replace(joined, said=(said, *joined.said)), roles.session
    column = next(n for n in ("file", "file name", "source file") if n not in joined.columns)
    names = file_names(sources)
    keys = [n for n, table in zip(names, tables, strict=True) for _ in range(len(table))]
    columns = {**joined.columns, column: pa.array(keys, pa.string())}
    said = f"{told}one session a file (--session none: one clock, a modality a file)"
    return replace(joined, columns=columns, said=(said, *joined.said)), column


def _quantities(sources: Sequence[Path]) -> bool:
    """Whether each file is named after a quantity of its own, as sensors' exports are."""
    found = [_QUANTITY.search(re.sub(r"[\d_]+", " ", s.name.casefold())) for s in sources]
    words = {m.group(1) for m in found if m is not None}
    return len(words) == len(sources)


def file_names(sources: Sequence[Path]) -> list[str]:
    """Return each file's stem; those that come again get their folder in front."""
    stems = [_ENDING.sub("", s.name) for s in sources]
    counts = Counter(slug(stem) for stem in stems)
    names = [
        f"{source.resolve().parent.name}-{stem}" if counts[slug(stem)] > 1 else stem
        for source, stem in zip(sources, stems, strict=True)
    ]
    if len({slug(n) for n in names}) < len(names):
        again = Counter(slug(n) for n in names).most_common(1)[0][0]
        raise DataError(f"Two files would both be session {again!r}. Rename one.")
    return names


def _stacked(tables: Sequence[Cells], decimal: Decimal) -> Cells:
    """Return the rows of all tables one below the other, numbers read in one form."""
    frames = [pa.table(dict(t.columns)).select(tables[0].names) for t in tables]
    each = max(1, 200 // len(tables))
    try:
        whole = pa.concat_tables(frames, promote_options="permissive")
        heads = pa.concat_tables([f.slice(0, each) for f in frames], promote_options="permissive")
    except pa.ArrowException as error:
        raise DataError(
            f"Files with the same columns hold different kinds of cells ({error}). Import them "
            "one by one, or save all of them as CSV."
        ) from error
    columns = {n: _one(whole[n]) for n in whole.column_names}
    said = dict.fromkeys(line for t in tables for line in t.said)
    if len({(t.decimal, t.thousands) for t in tables}) == 1:
        return replace(
            tables[0], columns=columns, said=tuple(said), _numbers={}, _marks={}, _suffixes={}
        )
    point, groups, how = number_form({n: _one(heads[n]) for n in columns}, ",", decimal)
    return Cells(columns=columns, decimal=point, thousands=groups, said=(*said, f"together: {how}"))


def _one(column: pa.ChunkedArray) -> pa.Array:
    joined = column.combine_chunks()
    return pa.concat_arrays(joined.chunks) if isinstance(joined, pa.ChunkedArray) else joined
