"""Bitbrains: resources of virtual machines in a data centre (GWA-T-12, fastStorage and Rnd).

Original files of the trace Rnd were at hand; fastStorage is published in the same form.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from tool_use_om.data.converters.shared.csv_columns import files_like, moment, read_columns
from tool_use_om.data.converters.shared.recordings import naming, split_recordings
from tool_use_om.data.format.schema import Channel, Modality, Split
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.originals.archive import opened_source
from tool_use_om.data.progress import Progress, track

TIME = "Timestamp [ms]"
STEP_S = 300.0
# the file's column → channel, unit
COLUMNS = {
    "CPU cores": ("cpu_cores", "count"),
    "CPU capacity provisioned [MHZ]": ("cpu_capacity", "MHz"),
    "CPU usage [MHZ]": ("cpu_usage", "MHz"),
    "CPU usage [%]": ("cpu_usage_pct", "%"),
    "Memory capacity provisioned [KB]": ("memory_capacity", "KB"),
    "Memory usage [KB]": ("memory_usage", "KB"),
    "Disk read throughput [KB/s]": ("disk_read", "KB/s"),
    "Disk write throughput [KB/s]": ("disk_write", "KB/s"),
    "Network received throughput [KB/s]": ("network_received", "KB/s"),
    "Network transmitted throughput [KB/s]": ("network_transmitted", "KB/s"),
}
MODALITY = Modality(
    name="machine",
    rate_hz=1 / STEP_S,
    channels=tuple(Channel(name=name, unit=unit) for name, unit in COLUMNS.values()),
)


def convert(
    source: Path, target: Path, *, progress: Progress | None = None, replace: bool = False
) -> None:
    """Convert a Bitbrains trace (folder or zip): one session a file <month>/<machine>.csv.

    Raises
    ------
    DataError : no file, another header, an empty cell, times that do not increase

    Source: Shen, van Beek, Iosup (2015), the Grid Workloads Archive's GWA-T-12. The column called
    "Timestamp [ms]" holds Unix seconds, against its name.
    """
    with opened_source(source) as folder:
        paths = files_like(
            folder, "[0-9]*.csv", hint="Give the folder 'rnd' or 'fastStorage', or its zip."
        )
        splits = _splits(paths)
        writer = DataSetWriter(
            target,
            name=target.name,
            title="Bitbrains: resources of virtual machines in a data centre",
            synthetic=False,
            licence="not stated; the Grid Workloads Archive asks for citation",
            source="Grid Workloads Archive, GWA-T-12 Bitbrains",
            modalities=(MODALITY,),
            split_rule=(
                "by machine, about 60/20/20 (seed 0); months of one machine stay together. "
                "Machines run at the same time, so a data-centre event may be in every split."
            ),
            notes=(
                "The column 'Timestamp [ms]' holds Unix seconds; kept as they are.",
                "Steps are 300 s with hundreds of irregular ones a month, and one outage of about "
                "31 hours in July 2013: the samples' own times are kept, gaps are not filled.",
            ),
            replace=replace,
        )
        with writer:
            for path in track(
                paths, progress, phase="convert bitbrains", unit="files", total=len(paths)
            ):
                _add(writer, path, splits[path.stem])


def _splits(paths: list[Path]) -> dict[str, Split]:
    return split_recordings({p.stem: Counter(files=1) for p in paths})


def _add(writer: DataSetWriter, path: Path, split: Split) -> None:
    frame = read_columns(path, TIME, list(COLUMNS), separator=";")
    ticks = frame[TIME].to_numpy(np.float64)
    seconds = ticks / 1000 if ticks[0] > 1e11 else ticks  # milliseconds, should a copy mend them
    with naming(path):
        writer.add_session(
            f"{path.parent.name}-vm-{path.stem}",
            subject_id=f"vm-{path.stem}",
            split=split,
            signals={"machine": (seconds - seconds[0], frame[list(COLUMNS)].to_numpy(np.float64))},
            start_utc=moment(seconds[0]),
        )
