"""The data sets of a workspace as one Markdown table, to compare with what was published."""

from __future__ import annotations

from pathlib import Path

from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.show.markdown import table

_HEAD = ("set", "sessions", "subjects", "hours", "channels at their rates", "samples", "labels")
_SHOWN = 6  # rates, and labels of a set, that are named


def list_datasets(folder: Path) -> str:
    """Return a row a complete set below `folder`, in order of the names.

    Samples are those of the channel that has most; labels are counted as intervals, the most
    frequent first.

    Raises
    ------
    DataError : a set is damaged
    """
    found = sorted(folder.glob("[!.]*/manifest.json"))
    return table(_HEAD, (_cells(DataSet.open(m.parent)) for m in found))


def _cells(dataset: DataSet) -> list[str]:
    manifest = dataset.manifest
    at: dict[str, int] = {}
    for modality in manifest.modalities:
        rate = f"{modality.rate_hz:.4g} Hz"
        at[rate] = at.get(rate, 0) + len(modality.channels)
    samples = dataset.pooled_stats()["n"].max()
    return [
        manifest.name,
        str(manifest.n_sessions),
        str(manifest.n_subjects or "not published"),
        f"{manifest.duration_s / 3600:.4g}",
        _some([f"{n} at {rate}" for rate, n in at.items()]),
        str(samples),
        "; ".join(f"{name}: {_counts(dataset, name)}" for name in list(manifest.label_sets)[:3]),
    ]


def _counts(dataset: DataSet, label_set: str) -> str:
    counts = dataset.labels(label_set=label_set)["label"].value_counts()
    ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return _some([f"{label} {n}" for label, n in ordered])


def _some(parts: list[str]) -> str:
    left = len(parts) - _SHOWN
    return ", ".join(parts[:_SHOWN]) + (f", … {left} more" if left > 0 else "")
