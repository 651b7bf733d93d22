"""The page of `tuom bench data`: tables, and the command beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tool_use_om.evals.bench.data_peers import READERS

_SET = ("samples_mb", "disk_mb", "files")
TABLES: dict[str, tuple[str, ...]] = {
    "Writing": (*_SET, "convert_s", "convert_cpu_s", "cpu_ms_session", "mb_cpu_s"),
    "Index": tuple(
        f"{name}_{unit}"
        for name in ("open", "pooled", "by_label", "sessions", "one_channel", "all_channels")
        for unit in ("ms", "cpu_ms")
    ),
    "Tools": tuple(
        f"{name}_{unit}"
        for name in (
            "session_stats", "channels", "channels_by_label", "sessions_filtered",
            "channel_filtered", "channels_filtered", "channel_by_subject",
        )
        for unit in ("ms", "cpu_ms")
    ),
    "Reading": (
        "read_session_ms", "read_session_cpu_ms", "read_session_kb", "read_range_ms",
        "read_range_cpu_ms", "read_range_kb", "in_turn_mb_s", "in_turn_mb_cpu_s",
        "in_turn_kb_session",
    ),
    "The same files by others": tuple(f"{r}_{u}" for u in ("mb_cpu_s", "mb_s") for r in READERS),
    "Peak memory, MB": tuple(
        f"{s}_peak_mb" for s in ("build", "build-index", "index", "tools", "read", *READERS)
    ),
}  # fmt: skip


def render(rows: Sequence[Mapping[str, Any]], command: str, machine: str) -> str:
    """Return the page: tables, the command beside them, and the machine."""
    parts = [
        f"`{command}`\n\n{machine}. 6 channels at 50 Hz; files in the system's cache; each stage "
        "in a process of its own, on one core."
    ]
    for title, columns in TABLES.items():
        held = [r for r in rows if any(c in r for c in columns)]
        if held:
            shown = [c for c in columns if any(c in r for r in held)]
            parts.append(f"### {title}\n\n{_table(held, shown)}")
    return "\n\n".join(parts) + "\n"


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    head = ["sessions", "seconds", *columns]
    lines = ["| " + " | ".join(head) + " |", "|" + "---:|" * len(head)]
    for row in rows:
        seconds = "index only" if row.get("index_only") else _cell(row.get("seconds"))
        cells = [_cell(row.get("sessions")), seconds]
        cells += [_cell(row[c]) if c in row else "" for c in columns]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(value: Any) -> str:  # noqa: ANN401 - a JSON scalar
    if value is None:
        return "not installed"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"
