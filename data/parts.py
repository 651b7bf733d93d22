"""Sets of many sessions: row groups of a few large files instead of a file a session."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tool_use_om.data.parquet import open_parquet, open_writer, read_table, write_table

PARTS_FROM = 2000  # a set of more sessions than this is written as parts
PART_SESSIONS = 256  # in one part: its footer is read whole for every session in it
ROW_GROUP = 1 << 15  # rows; a time range reads only the groups it touches
PLACES_SCHEMA = pa.schema(
    [
        ("session_id", pa.string()),
        ("modality", pa.string()),
        ("part", pa.int32()),
        ("first_group", pa.int32()),
        ("n_groups", pa.int32()),
    ]
)
Place = tuple[int, int, int]  # part, first row group, number of row groups


class PartWriter:
    """Appends sessions to parts/<modality>-<number>.parquet, each in row groups of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, tuple[ExitStack, pq.ParquetWriter]] = {}
        self._at: dict[str, tuple[int, int, int]] = {}  # modality → part, sessions, groups in it
        self._places: list[tuple[str, str, int, int, int]] = []
        (folder / "parts").mkdir()

    def add(self, session_id: str, modality: str, table: pa.Table) -> None:
        """Append one modality of one session."""
        part, sessions, groups = self._at.get(modality, (0, 0, 0))
        if sessions == PART_SESSIONS:
            self._close(modality)
            part, sessions, groups = part + 1, 0, 0
        if modality not in self._open:
            stack = ExitStack()
            path = part_path(self._folder, modality, part)
            self._open[modality] = stack, stack.enter_context(open_writer(path, table.schema))
        self._open[modality][1].write_table(table, row_group_size=ROW_GROUP)
        n_groups = -(-table.num_rows // ROW_GROUP)
        self._places.append((session_id, modality, part, groups, n_groups))
        self._at[modality] = (part, sessions + 1, groups + n_groups)

    def take_over(self, session_ids: Sequence[str]) -> None:
        """Move sessions already written as files of their own into parts."""
        for session_id in session_ids:
            for path in sorted((self._folder / "sessions" / session_id).glob("*.parquet")):
                with open_parquet(path) as file:
                    self.add(session_id, path.stem, file.read(use_threads=False))
        shutil.rmtree(self._folder / "sessions", ignore_errors=True)

    def finish(self) -> None:
        """Close the parts and write places.parquet."""
        for modality in list(self._open):
            self._close(modality)
        columns = list(zip(*sorted(self._places), strict=True))
        arrays = [pa.array(c, f.type) for c, f in zip(columns, PLACES_SCHEMA, strict=True)]
        write_table(pa.table(arrays, schema=PLACES_SCHEMA), self._folder / "places.parquet")

    def close(self) -> None:
        """Close the files without finishing, after an error."""
        for modality in list(self._open):
            self._close(modality)

    def _close(self, modality: str) -> None:
        stack, _ = self._open.pop(modality)
        stack.close()


def part_path(folder: Path, modality: str, part: int) -> Path:
    """Return the path of a part."""
    return folder / "parts" / f"{modality}-{part:05d}.parquet"


def read_places(path: Path) -> dict[tuple[str, str], Place]:
    """Return where each (session, modality) lies."""
    columns = [c.to_pylist() for c in read_table(path, PLACES_SCHEMA.names).columns]
    sessions, modalities, *numbers = columns
    keys = zip(sessions, modalities, strict=True)
    return dict(zip(keys, zip(*numbers, strict=True), strict=True))
