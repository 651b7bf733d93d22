"""Forecast protocols, peers and scores by hand; a small run of heads and peers on written sets."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.catalog import CONVERTERS, datasets_folder, load_function, open_dataset
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.report import mean_of
from tool_use_om.evals.suites.forecast import protocols
from tool_use_om.evals.suites.forecast.scores import absolute, mase, owa, smape, squared
from tool_use_om.evals.suites.forecast.suite import ForecastSuite
from tool_use_om.heads.samples.base import raw_forecaster
from tool_use_om.heads.samples.local import is_seasonal, seasonal_indices
from tool_use_om.heads.samples.problem import Fold, Problem, filled, origins_of


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a tiny M4: four series of 420 hours and the next 24."""
    root = tmp_path_factory.mktemp("forecasts")
    rng = np.random.default_rng(0)
    t = np.arange(444)
    rows = [
        scale * (10 + 3 * np.sin(2 * np.pi * t / 24 + phase) + 0.1 * rng.normal(size=444))
        for scale, phase in ((1, 0.0), (100, 1.0), (5, 2.0), (20, 3.0))
    ]
    for name, part in (("train", slice(0, 420)), ("test", slice(420, 444))):
        folder = root / "m4" / name.title()
        folder.mkdir(parents=True)
        width = len(rows[0][part])
        lines = [",".join(f'"V{i}"' for i in range(1, width + 2))]
        lines += [f'"H{i}",' + ",".join(f"{x:.5f}" for x in r[part]) for i, r in enumerate(rows)]
        (folder / f"Hourly-{name}.csv").write_text("\n".join(lines) + "\n")
    made = Workspace.at(root / "workspace")
    load_function(CONVERTERS["m4"])(root / "m4", datasets_folder(made) / "m4")
    return made


@pytest.fixture(scope="module")
def m4(place: Workspace) -> DataSet:
    return open_dataset("m4", place)


def test_scores_by_hand() -> None:
    """Two windows of one channel and two steps; NaN is left out; sMAPE of 0 against 0 is 0."""
    truth = np.array([[[1.0, 3.0]], [[0.0, np.nan]]])
    points = np.array([[[2.0, 1.0]], [[0.0, 5.0]]])
    assert squared(truth, points) == pytest.approx([2.5, 0.0])
    assert absolute(truth, points) == pytest.approx([1.5, 0.0])
    assert smape(truth, points) == pytest.approx([200 * (1 / 3 + 2 / 4) / 2, 0.0])
    history = [np.array([[0.0, 1.0, 4.0, 4.0]])] * 2  # one step apart: 1, 3, 0; two: 4, 3
    assert mase(truth, points, history, 1) == pytest.approx([1.5 / (4 / 3), 0.0])
    assert mase(truth, points, history, 2) == pytest.approx([1.5 / 3.5, 0.0])
    assert owa(10.0, 2.0, 20.0, 1.0) == pytest.approx(0.5 * (0.5 + 2.0))


def test_mase_refuses_a_history_without_a_scale() -> None:
    """A constant or too short history has no seasonal naive error to scale by."""
    one = np.ones((1, 1, 2))
    with pytest.raises(DataError, match="error of a history is 0"):
        mase(one, one, [np.ones((1, 9))], 1)
    with pytest.raises(DataError, match="more than 4 samples"):
        mase(one, one, [np.ones((1, 4))], 4)


def test_problem_windows_end_where_the_forecast_starts() -> None:
    """By hand on 0, 1, 2, …: context, future and history meet at the origin and do not overlap."""
    problem = toy(np.arange(20.0)[None], context=3, horizon=2)
    at = np.array([[0, 7]])
    assert problem.windows(at).tolist() == [[[4.0, 5.0, 6.0]]]
    assert problem.futures(at).tolist() == [[[7.0, 8.0]]]
    assert problem.history(at[0]).tolist() == [[0, 1, 2, 3, 4, 5, 6]]
    assert np.isnan(problem.futures(np.array([[0, 19]]))).tolist() == [[[False, True]]]


def test_thinned_keeps_each_so_many_th_window_of_a_fold_with_its_group() -> None:
    """One in three is judged, with its own group, and the rule says so; one in one is all."""
    problem = toy(np.arange(40.0)[None], context=3, horizon=2)
    fewer = problem.thinned(3)
    assert fewer.judged.tolist() == problem.judged[::3].tolist()
    assert fewer.groups.tolist() == problem.groups[::3].tolist()
    assert fewer.folds[0].fit.tolist() == problem.folds[0].fit.tolist()
    assert fewer.rule.endswith("judged on one window in 3")
    assert problem.thinned(1).rule == problem.rule


def test_filled_bridges_gaps_and_keeps_the_rest() -> None:
    """A gap is a straight line, an end is the nearest value, an empty row is 0."""
    nan = np.nan
    rows = np.array([[nan, 1.0, nan, 3.0, nan], [nan] * 5])
    assert filled(rows).tolist() == [[1, 1, 2, 3, 3], [0] * 5]


def test_horizon_protocol_learns_before_what_it_judges(m4: DataSet) -> None:
    """M4: judged is each published horizon; nothing learned or checked reaches into it."""
    assert protocols.protocol_of(m4) == "horizon"
    assert protocols.sizes(m4) == [(336, 24)]
    problem = protocols.horizons(m4, 336, 24)
    (fold,) = problem.folds
    assert fold.judge.tolist() == [[i, 420] for i in range(4)]
    assert fold.check.tolist() == [[i, 396] for i in range(4)]
    assert (fold.fit[:, 1] + 24 <= 396).all()
    assert problem.season == 24
    level = problem.futures(fold.judge)[:, 0].mean(axis=1)
    assert level == pytest.approx([10, 1000, 50, 200], rel=0.05)


def test_rolling_protocol_counts_windows_as_the_papers_do(tmp_path: Path) -> None:
    """ETT: 2880 - H + 1 test windows; standardised by the 12 training months; nothing leaks."""
    rows = 14_400
    stamps = np.datetime_as_string(
        np.datetime64("2016-07-01T00:00:00") + np.arange(rows) * np.timedelta64(1, "h"), unit="s"
    )
    names = ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")
    values = np.random.default_rng(0).normal(5, 2, size=(rows, 7)).round(3)
    values[11_520:] += 50  # only the test part
    lines = [",".join(("date", *names))]
    lines += [
        f"{s.replace('T', ' ')}," + ",".join(map(str, v))
        for s, v in zip(stamps.tolist(), values.tolist(), strict=True)
    ]
    (tmp_path / "ETTh1.csv").write_text("\n".join(lines) + "\n")
    load_function(CONVERTERS["ett"])(tmp_path, tmp_path / "ett")
    dataset = DataSet.open(tmp_path / "ett")
    assert protocols.protocol_of(dataset) == "rolling"
    problem = protocols.rolling(dataset, 96, 192)
    (fold,) = problem.folds
    assert len(fold.judge) == 2880 - 192 + 1
    assert fold.judge[0].tolist() == [0, 11_520]
    assert fold.fit[-1, 1] + 192 == 8640
    assert fold.check[-1, 1] + 192 == 11_520
    train = problem.series[0][:, :8640]
    assert train.mean() == pytest.approx(0, abs=1e-6)
    assert train.std() == pytest.approx(1, abs=1e-2)
    assert len(np.unique(problem.groups)) == 17  # weeks


def test_walk_protocol_fits_each_year_on_what_came_before(tmp_path: Path) -> None:
    """Market days: one fold a test year, log of the unadjusted close, no day of the year seen."""
    days = np.arange("2000-01-03", "2012-01-01", dtype="datetime64[D]")
    days = days[np.is_busday(days)]
    price = 100 + np.arange(len(days)) * 0.01
    lines = ["Date,Adj Close,Close,High,Low,Open,Volume"]
    lines += [f"{d},{p / 2},{p},{p},{p},{p},10" for d, p in zip(days, price, strict=True)]
    (tmp_path / "X.csv").write_text("\n".join(lines) + "\n")
    load_function(CONVERTERS["ohlcv"])(tmp_path / "X.csv", tmp_path / "x")
    problem = protocols.walk(DataSet.open(tmp_path / "x"), 256, 5)
    assert np.exp(problem.series[0][0, :3]) == pytest.approx(price[:3], rel=1e-5)
    for fold in problem.folds:
        first = fold.judge[0, 1]
        assert (fold.fit[:, 1] + 5 <= first).all()
        assert (fold.check[:, 1] + 5 <= first).all()
        assert fold.fit[:, 1].max() + 5 <= fold.check[:, 1].min()
    assert len(problem.judged) == len(problem.groups)


def test_seasonal_indices_recover_a_season_and_the_test_finds_it() -> None:
    """A trend times a season of four: the indices are the season's; noise alone has none."""
    season = np.array([0.5, 1.5, 1.2, 0.8])
    series = (100 + np.arange(80)) * np.tile(season, 20)
    assert seasonal_indices(series, 4) == pytest.approx(season, abs=0.02)
    assert is_seasonal(series, 4)
    assert not is_seasonal(np.random.default_rng(3).normal(size=200), 12)
    assert not is_seasonal(np.ones(50), 4)


def toy(series: np.ndarray, context: int, horizon: int) -> Problem:
    """Return one series with folds in order of time."""
    n = series.shape[1]
    cut = [context, n // 2, 3 * n // 4, n]
    fit, check, judge = (origins_of(0, max(a, context), b - horizon) for a, b in pairwise(cut))
    return Problem(
        name="toy",
        series=(series,),
        session_ids=("s",),
        channels=("m.x",),
        rate_hz=1.0,
        context=context,
        horizon=horizon,
        season=1,
        folds=(Fold(fit=fit, check=check, judge=judge),),
        groups=np.arange(len(judge)),
        rule="toy",
    )


@pytest.mark.parametrize("name", ["rlinear", "dlinear"])
def test_linear_peers_find_a_linear_rule(name: str) -> None:
    """A sine obeys y[t] = 2 cos(w) y[t-1] - y[t-2]: both maps forecast it almost exactly."""
    problem = toy(np.sin(0.3 * np.arange(400))[None], context=24, horizon=5)
    (fold,) = problem.folds
    points = raw_forecaster(name).fit(problem, fold).points(fold.judge)
    assert squared(problem.futures(fold.judge), points).max() < 1e-3


def test_dlinear_is_ridge_regression_by_brute_force() -> None:
    """With one strength the weights are those of the normal equations over all rows."""
    rng = np.random.default_rng(0)
    problem = toy(rng.normal(size=(1, 120)), context=4, horizon=2)
    (fold,) = problem.folds
    alone = Fold(fit=fold.fit, check=fold.check[:0], judge=fold.judge)
    peer = raw_forecaster("dlinear")
    peer.fit(problem, alone)
    rows = np.stack([np.append(problem.series[0][0, o - 4 : o], 1.0) for _, o in fold.fit])
    wanted = np.stack([problem.series[0][0, o : o + 2] for _, o in fold.fit])
    ridge = np.diag([peer.strength_ * len(rows)] * 4 + [1e-9 * len(rows)])
    by_hand = np.linalg.solve(rows.T @ rows + ridge, rows.T @ wanted)
    assert peer.weights_ == pytest.approx(by_hand)


def test_forecast_suite_runs_heads_and_peers_on_the_same_windows(place: Workspace) -> None:
    """On a tiny M4 each method has a row; Naive2's OWA is 1; the aim names both sides."""
    methods = ["direct", "seasonal_naive", "naive2", "theta", "rlinear"]
    suite = ForecastSuite(data=["m4"], workspace=place, method=methods)
    rows = [suite.run(i) for i in suite.items()]
    assert [r["error"] for r in rows] == [None] * len(methods)
    found = {r["method"]: mean_of(r["kept"], "mase") for r in rows}
    assert found["direct"] < 3
    assert found["seasonal_naive"] < 1.5
    aims, table = suite.tables(rows)
    assert "OWA below 1" in aims.rows[0]["aim"]
    (naive2,) = (r for r in table.rows if r["forecaster"] == "naive2")
    assert naive2["OWA"] == "1.000 [1.000, 1.000]"
    assert suite.figures(rows) == {}
