"""Classification results as tables: aims, all sets at a glance, the vote, each set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tool_use_om.evals.report import (
    N_RESAMPLES,
    Row,
    Table,
    aim,
    how_measured,
    mean_of,
    of_data,
    with_interval,
)

RIVAL = "minirocket"
_EMPTY = ("accuracy", "macro-F1", "kappa", "seconds")


def head_tables(rows: Sequence[Row], notes: Mapping[str, str]) -> list[Table]:
    """Return the aims, the summary and who answered, then a table for each data set."""
    several = len(notes) > 1
    overall = [_aims(rows), *([_summary(rows)] if several else []), _votes(rows)]
    return [
        *(t for t in overall if t.rows),
        *(_of_set(name, of_data(rows, name), note) for name, note in notes.items()),
    ]


def mean_difference(
    rows: Sequence[Row], a: str, b: str, seed: int = 0
) -> tuple[float, float, float, float, float] | None:
    """Return the mean accuracies of two methods over sets and their difference with its interval.

    The sets stay as they are; groups are resampled within each. None where a set lacks one.
    """
    pairs = []
    for name in dict.fromkeys(r["data"] for r in rows):
        kept = {r["method"]: r["kept"] for r in of_data(rows, name) if not r["error"]}
        if a not in kept or b not in kept:
            return None
        pairs.append((kept[a], kept[b]))
    if not pairs:
        return None
    rng = np.random.default_rng(seed)
    gaps = []
    for _ in range(N_RESAMPLES):
        gap = 0.0
        for first, second in pairs:
            size = len(first["n"]["hit"])
            pick = rng.integers(0, size, size)
            gap += mean_of(first, "hit", pick) - mean_of(second, "hit", pick)
        gaps.append(gap / len(pairs))
    low, high = np.quantile(gaps, [0.025, 0.975])
    means = [float(np.mean([mean_of(p[i], "hit") for p in pairs])) for i in (0, 1)]
    return means[0], means[1], means[0] - means[1], float(low), float(high)


def _aims(rows: Sequence[Row]) -> Table:
    archive = [r for r in rows if str(r["data"]).startswith("ucr-")]
    by_subject = [r for r in rows if str(r["data"]).partition(":")[0] in {"hmp", "sisfall"}]
    found = []
    if archive:
        n = len({r["data"] for r in archive})
        found.append(_aim(f"agent's mean accuracy at least {RIVAL}'s on {n} UCR sets", archive))
    for name in dict.fromkeys(r["data"] for r in by_subject):
        own = of_data(by_subject, name)
        found.append(_aim(f"agent's accuracy at least {RIVAL}'s on {name}, by subject", own))
    note = (
        "Set before the run. The interval of the difference resamples cases or subjects within "
        "each set; met = the difference is at least 0, whether clearly so or not."
    )
    return Table(title="Aims", note=note, rows=tuple(found))


def _aim(text: str, rows: Sequence[Row]) -> dict[str, str]:
    found = mean_difference(rows, "agent", RIVAL)
    if found is None:
        return aim(text, "–", met=None)
    ours, theirs, gap, low, high = found
    said = f"{ours:.4f} against {theirs:.4f}; difference {with_interval(gap, low, high, 4)}"
    return aim(text, said, met=gap >= 0)


def _summary(rows: Sequence[Row]) -> Table:
    names = list(dict.fromkeys(r["data"] for r in rows))
    methods = list(dict.fromkeys(r["method"] for r in rows))
    value = {(r["data"], r["method"]): mean_of(r["kept"], "hit") for r in rows if not r["error"]}
    shown = [{"data": n, **{m: _share(value.get((n, m))) for m in methods}} for n in names]
    archive = [n for n in names if n.startswith("ucr-")]
    if len(archive) > 1:
        means = {m: [value.get((n, m)) for n in archive] for m in methods}
        cells = {
            m: _share(None if None in v else float(np.mean([x for x in v if x is not None])))
            for m, v in means.items()
        }
        shown.append({"data": f"mean of {len(archive)} UCR sets", **cells})
    return Table(
        title="Accuracy at a glance",
        note="agent = what a plain question gets, by the tools' own windows and vote; – = not "
        "measured, the set's own table says why.",
        rows=tuple(shown),
    )


def _votes(rows: Sequence[Row]) -> Table:
    shown = []
    for r in (r for r in rows if r["kind"] == "agent" and not r["error"]):
        vote = r["vote"]
        members = [m for m in vote.get("rows", []) if "weight" in m]
        shown.append(
            {
                "data": r["data"],
                "members": "; ".join(_member(m) for m in members) or vote["note"] or vote["head"],
                "weighed on": f"{vote['n_folded']} {vote['unit']}" if members else "–",
                "answered by": str(vote["answered_by"]),
                "accuracy": f"{mean_of(r['kept'], 'hit'):.3f}",
                "cost, s": f"{sum(vote['cost_s'].values()):.1f}",
            }
        )
    return Table(
        title="Who answered a plain question",
        note="Each member: its weight; accuracy on folds of what may be learned from, then on the "
        "test split (for show: no part of the weights). Cost: encoding, fitting, folds.",
        rows=tuple(shown),
    )


def _member(row: Mapping[str, Any]) -> str:
    shares = f"folds {row['folds']['value']:.3f}, test {row['test']['value']:.3f}"
    return f"{row['model']} × {row['weight']:.2f}: {shares}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _of_set(name: str, rows: Sequence[Row], note: str) -> Table:
    about = how_measured(rows, how)
    return Table(
        title=f"{name}: classification of the test split",
        note=f"{about} {note}",
        rows=tuple(_cells(r) for r in rows),
    )


def how(row: Row) -> str:
    """Return how windows were cut, how many there are, and who is kept together."""
    coded = row["encoding"]
    unit = (
        "one window a case"
        if row["by_case"]
        else (f"windows of {coded['window_s']:g} s every {coded['stride_s']:g} s")
    )
    short = (
        f" {row['n_too_short']} of them hold no whole patch: heads say the commonest label there."
        if row["n_too_short"]
        else ""
    )
    return (
        f"Labels: {row['label_set']}, {row['n_classes']} classes; {unit} at {coded['rate_hz']:g} "
        f"Hz, {len(coded['channels'])} channels, {coded['tokenizer']}; learned from "
        f"{row['n_fit']}{_thinned(row)}, judged on {row['n_test']} of {row['n_groups']} "
        f"{'cases' if row['by_case'] else 'subjects or sessions'}.{short} Chance: "
        f"{row['chance']:.3f}. Not learned from: the test split alone."
    )


def _thinned(row: Row) -> str:
    if row["n_fit"] == row["n_there"]:
        return ""
    return f" (evenly thinned from {row['n_there']}, alike for all methods)"


def _cells(row: Row) -> dict[str, str]:
    cells = {"method": str(row["method"]), "kind": str(row["kind"])}
    if row["error"]:
        return cells | dict.fromkeys(_EMPTY, "–") | {"accuracy": str(row["error"])}
    for title, name in (("accuracy", "accuracy"), ("macro-F1", "macro_f1"), ("kappa", "kappa")):
        m = row["metrics"][name]
        one = name == "kappa" and row["n_groups"] == 1  # nothing to resample, no interval
        shown = with_interval(m["value"], m["lower"], m["upper"])
        cells[title] = f"{m['value']:.3f}" if one else shown
    return cells | {"seconds": f"{row['seconds']:.1f}"}
