"""Forecast results as tables, from rows written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tool_use_om.evals.report import Row, by_group
from tool_use_om.evals.suites.forecast.tables import forecast_figures, forecast_tables

GROUPS = np.arange(4)


def row(method: str, kind: str = "peer", **changes: Any) -> Row:
    values = changes.pop("values", {"mse": 0.4, "mae": 0.5})
    kept = by_group({k: np.full(4, v) for k, v in values.items()}, GROUPS)
    return {
        "data": "ett", "kind": kind, "method": method, "error": None, "protocol": "rolling",
        "context": 336, "horizon": 96, "rule": "the rule", "seconds": 1.0, "kept": kept,
    } | changes  # fmt: skip


def tables(rows: list[Row]) -> list[Any]:
    names = dict.fromkeys(str(r["data"]) for r in rows)
    return forecast_tables(rows, dict.fromkeys(names, "N."), dict.fromkeys(names, "T"))


@pytest.mark.parametrize(("mse", "met"), [(0.386, "yes"), (0.387, "no")])
def test_the_aim_on_ett_is_a_heads_error_at_96_from_336(mse: float, met: str) -> None:
    """Other horizons and peers have no say; the bar itself is met."""
    ours = row("direct", "head", values={"mse": mse, "mae": 0.1})
    others = [row("rlinear", values={"mse": 0.1, "mae": 0.1}), row("direct", "head", horizon=192)]
    aims, _ = tables([ours, *others])
    assert [a["met"] for a in aims.rows] == [met]
    assert f"{mse:.4f}" in aims.rows[0]["reached"]


def test_a_method_has_one_line_with_a_cell_a_horizon() -> None:
    """Errors stand where the figure would; coverage is shown for heads that give intervals."""
    sure = {"mse": 0.25, "mae": 0.5, "covered": 0.875}
    rows = [row("direct", "head", values=sure), row("naive"),
            row("direct", "head", horizon=192, error="too long", kept=None)]  # fmt: skip
    shown = {r["forecaster"]: r for r in tables(rows)[-1].rows}
    assert shown["direct"]["96 ahead"] == "0.250 [0.250, 0.250] / 0.500"
    assert shown["direct"]["192 ahead"] == "too long"
    assert shown["direct"]["coverage of 90 % interval"] == "0.875"
    assert shown["naive"]["coverage of 90 % interval"] == "–"
    assert (shown["direct"]["kind"], shown["naive"]["kind"]) == ("ours", "peer")


def test_contexts_have_tables_of_their_own_that_say_how() -> None:
    """The protocol's rule, the data's title and its note stand under each title."""
    found = tables([row("naive"), row("naive", context=512)])
    assert [t.title for t in found] == [
        "ett: forecasts from 336 samples", "ett: forecasts from 512 samples",
    ]  # fmt: skip
    assert all("T. Protocol: the rule." in t.note and t.note.endswith("N.") for t in found)


def m4(method: str, smape: float, mase: float, kind: str = "peer") -> Row:
    values = {"smape": smape, "mase": mase}
    return row(method, kind, data="m4", protocol="horizon", values=values)


def test_owa_is_the_mean_of_both_errors_over_naive2s() -> None:
    """By hand: (8/10 + 1.5/2) / 2 = 0.775; Naive2's own is 1."""
    rows = [m4("direct", 8.0, 1.5, "head"), m4("naive2", 10.0, 2.0), m4("theta", 9.0, 1.8)]
    aims, table = tables(rows)
    shown = {r["forecaster"]: r["OWA"] for r in table.rows}
    assert shown["direct"].startswith("0.775")
    assert shown["naive2"].startswith("1.000")
    assert aims.rows[0]["met"] == "yes"
    assert aims.rows[0]["reached"] == "direct: 0.775, Theta 0.900"


def test_owa_below_one_and_above_thetas_is_no_aim_met() -> None:
    """Both bars count."""
    rows = [m4("direct", 9.5, 1.9, "head"), m4("naive2", 10.0, 2.0), m4("theta", 9.0, 1.8)]
    assert tables(rows)[0].rows[0]["met"] == "no"


def test_without_naive2_there_is_no_owa() -> None:
    """What it is measured by was not measured: no figure, no aim met or missed."""
    aims, table = tables([m4("direct", 8.0, 1.5, "head"), m4("theta", 9.0, 1.8)])
    assert aims.rows[0]["met"] == "not measured"
    assert {r["OWA"] for r in table.rows} == {"–"}


def test_walk_forward_shows_the_difference_to_the_last_price() -> None:
    """In percent; the last price itself has no difference."""
    rows = [row(m, protocol="walk", data="spy", horizon=1, values={"mse": 0.0, "mae": mae})
            for m, mae in (("naive", 0.01), ("theta", 0.012))]  # fmt: skip
    shown = {r["forecaster"]: r["1 days ahead"] for r in tables(rows)[-1].rows}
    assert shown["naive"] == "1.000"
    assert shown["theta"] == "1.200; 0.200 [0.200, 0.200]"


def test_figures_are_drawn_for_sets_with_several_horizons(tmp_path: Path) -> None:
    """Three horizons make a curve, one does not; the file is a picture."""
    rows = [row("rlinear", horizon=h) for h in (96, 192, 336)] + [m4("theta", 9.0, 1.8)]
    found = forecast_figures(rows)
    assert list(found) == ["forecast-ett.png"]
    found["forecast-ett.png"](tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
