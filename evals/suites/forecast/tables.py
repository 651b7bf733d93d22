"""Forecast results as tables under their aims, and as curves over horizons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tool_use_om.evals.report import (
    Row,
    Table,
    aim,
    gap_cell,
    interval,
    mean_cell,
    mean_of,
    of_data,
    with_interval,
)
from tool_use_om.evals.suites.charts import COLOURS, drawing
from tool_use_om.evals.suites.forecast.scores import owa

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

Array = np.ndarray
ETT_AIM = 0.386  # MSE at 96 hours from 336: what RLinear and iTransformer publish from 96
_WORDS = {
    "rolling": "MSE / MAE in units of the training part's deviation",
    "sessions": "MSE / MAE in units of the training sessions' deviation",
    "walk": "100 x mean absolute error of the log price, which is nearly percent; then its "
    "difference to the last price carried on, clear where the interval leaves out zero",
    "horizon": "sMAPE in percent, MASE over the seasonal naive error of the history, OWA = mean of "
    "both over Naive2's",
}


def forecast_tables(
    rows: Sequence[Row], notes: Mapping[str, str], titles: Mapping[str, str]
) -> list[Table]:
    """Return the aims (where a set has one), then a table for each data set and context."""
    tables = [_aims(rows)] if _aims(rows).rows else []
    for name, note in notes.items():
        own = of_data(rows, name)
        for context in dict.fromkeys(r["context"] for r in own):
            part = [r for r in own if r["context"] == context]
            protocol = part[0]["protocol"]
            rule = next((r["rule"] for r in part if not r["error"]), "nothing could be measured")
            tables.append(
                Table(
                    title=f"{name}: forecasts from {context} samples",
                    note=f"{titles[name]}. Protocol: {rule}. Shown: {_WORDS[protocol]}. Coverage: "
                    "of the head's own 5 to 95 % interval, not calibrated, nominal 0.9. Seconds: "
                    "fit and forecast, encoding included for the head that came first. "
                    f"{note}",
                    rows=tuple(_CELLS[protocol](part)),
                )
            )
    return tables


def forecast_figures(rows: Sequence[Row]) -> dict[str, Callable[[Path], None]]:
    """Return the error over the horizon, a panel a context, for sets with several horizons."""
    found = {}
    for name in dict.fromkeys(r["data"] for r in rows if not r["error"]):
        own = [r for r in of_data(rows, name) if not r["error"]]
        if len({r["horizon"] for r in own}) > 2:
            found[f"forecast-{name}.png"] = _curves(own)
    return found


def _aims(rows: Sequence[Row]) -> Table:
    found = []
    for r in (r for r in rows if r["kind"] != "peer" and not r["error"]):
        if r["method"] == "seasonal_naive":
            continue
        if r["protocol"] == "rolling" and (r["context"], r["horizon"]) == (336, 96):
            mse = mean_of(r["kept"], "mse")
            text = f"{r['data']} from 336 to 96 samples: MSE at most {ETT_AIM}"
            found.append(aim(text, f"{r['method']}: {mse:.4f}", met=mse <= ETT_AIM))
        if r["protocol"] == "horizon":
            found += _owa_aim(r, of_data(rows, r["data"]))
    return Table(title="Aims", note="Set before the run.", rows=tuple(found))


def _owa_aim(row: Row, own: Sequence[Row]) -> list[dict[str, str]]:
    text = f"{row['data']}: OWA below 1, and below Theta's"
    said = {r["method"]: _owa(r, own) for r in own if not r["error"]}
    ours, theirs = _owa(row, own), said.get("theta")
    if ours is None or theirs is None:
        return [aim(text, f"{row['method']}: –", met=None)]
    reached = f"{row['method']}: {ours:.3f}, Theta {theirs:.3f}"
    return [aim(text, reached, met=ours < min(1.0, theirs))]


def _owa(row: Row, own: Sequence[Row], pick: Array | None = None) -> float | None:
    """Return a row's OWA over its set's Naive2; None where that was not measured."""
    base = next((r for r in own if r["method"] == "naive2" and not r["error"]), None)
    if base is None:
        return None
    mine, theirs = (
        [mean_of(r["kept"], name, pick) for name in ("smape", "mase")] for r in (row, base)
    )
    return owa(mine[0], mine[1], theirs[0], theirs[1])


def _by_method(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the rows of each method, heads first, in the order they were run."""
    names = dict.fromkeys((r["kind"], r["method"]) for r in rows)
    return [[r for r in rows if (r["kind"], r["method"]) == name] for name in names]


def _head_cells(row: Row) -> dict[str, str]:
    return {"forecaster": row["method"], "kind": "peer" if row["kind"] == "peer" else "ours"}


def _tail_cells(rows: Sequence[Row]) -> dict[str, str]:
    fine = [r for r in rows if not r["error"]]
    covered = [mean_of(r["kept"], "covered") for r in fine if "covered" in r["kept"]["n"]]
    seconds = sum(r["seconds"] for r in fine)
    return {
        "coverage of 90 % interval": " / ".join(f"{c:.3f}" for c in covered) or "–",
        "seconds": f"{seconds:.1f}",
    }


def _error_cells(rows: Sequence[Row]) -> list[dict[str, str]]:
    shown = []
    for own in _by_method(rows):
        cells = _head_cells(own[0])
        for r in own:
            key = f"{r['horizon']} ahead"
            if r["error"]:
                cells[key] = str(r["error"])
                continue
            mae = mean_of(r["kept"], "mae")
            cells[key] = f"{mean_cell(r['kept'], 'mse')} / {mae:.3f}"
        shown.append(cells | _tail_cells(own))
    return shown


def _walk_cells(rows: Sequence[Row]) -> list[dict[str, str]]:
    base = {r["horizon"]: r for r in rows if r["method"] == "naive" and not r["error"]}
    shown = []
    for own in _by_method(rows):
        cells = _head_cells(own[0])
        for r in own:
            key = f"{r['horizon']} days ahead"
            cells[key] = str(r["error"]) if r["error"] else _against(r, base.get(r["horizon"]))
        shown.append(cells | _tail_cells(own))
    return shown


def _against(row: Row, base: Row | None) -> str:
    mae = f"{100 * mean_of(row['kept'], 'mae'):.3f}"
    if base is None or row["method"] == "naive":
        return mae
    mine, theirs = (_times(r["kept"], 100.0) for r in (row, base))
    return f"{mae}; {gap_cell(mine, theirs, 'mae')}"


def _times(kept: Mapping[str, Any], factor: float) -> dict[str, Any]:
    return {
        "n": kept["n"],
        "sum": {k: [factor * x for x in v] for k, v in kept["sum"].items()},
    }


def _m4_cells(rows: Sequence[Row]) -> list[dict[str, str]]:
    shown = []
    for r in rows:
        cells = _head_cells(r)
        if r["error"]:
            shown.append(cells | {"sMAPE": str(r["error"]), "MASE": "–", "OWA": "–"})
            continue
        cells |= {"sMAPE": mean_cell(r["kept"], "smape"), "MASE": mean_cell(r["kept"], "mase")}
        shown.append(cells | {"OWA": _owa_cell(r, rows)} | _tail_cells([r]))
    return shown


def _owa_cell(row: Row, own: Sequence[Row]) -> str:
    if _owa(row, own) is None:
        return "–"
    found = interval([row["kept"]], lambda pick: _owa(row, own, pick) or 0.0)
    return with_interval(*found)


_CELLS: Mapping[str, Callable[[Sequence[Row]], list[dict[str, str]]]] = {
    "rolling": _error_cells,
    "sessions": _error_cells,
    "walk": _walk_cells,
    "horizon": _m4_cells,
}


def _curves(rows: Sequence[Row]) -> Callable[[Path], None]:
    contexts = list(dict.fromkeys(r["context"] for r in rows))
    measure = "mae" if rows[0]["protocol"] == "walk" else "mse"
    if rows[0]["protocol"] == "rolling":  # the last value is so far off that it hides the others
        rows = [r for r in rows if r["method"] != "naive"]

    def paint(figure: Figure) -> None:
        panels = figure.subplots(1, len(contexts), sharey=True, squeeze=False)[0]
        for axes, context in zip(panels, contexts, strict=True):
            part = [r for r in rows if r["context"] == context]
            for i, own in enumerate(_by_method(part)):
                ahead = [r["horizon"] for r in own]
                error = [mean_of(r["kept"], measure) for r in own]
                ours = own[0]["kind"] != "peer"
                style = "-o" if ours else "--s"
                name = f"{own[0]['method']}{'' if ours else ' (peer)'}"
                axes.plot(ahead, error, style, label=name, color=COLOURS[i % len(COLOURS)], ms=3)
            axes.set_title(f"{rows[0]['data']}: from {context} samples")
            axes.set_xlabel("samples ahead")
            axes.set_xticks(sorted({r["horizon"] for r in part}))
        panels[0].set_ylabel(measure.upper())
        panels[-1].legend()

    return drawing(paint, width=8.0, height=3.4)
