"""Threshold events: what is read, labelled and refused, and that nothing looks ahead."""

from __future__ import annotations

import numpy as np
import pytest
from tests.heads.events.made import made_set

from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.heads.events.event import ThresholdEvent
from tool_use_om.heads.events.features import MARKET_FEATURES, compute, features_for
from tool_use_om.heads.events.series import read_series
from tool_use_om.heads.events.windows import Cuts, came_within, event_data

UNITS = {"market.high": "USD", "market.close": "USD", "machine.cpu": "%", "room.t": "degC"}


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """Return simulated market days with a known chance."""
    from tool_use_om.data.synthetic.sets.chances import convert

    folder = tmp_path_factory.mktemp("sets") / "chances"
    convert(folder, days=1500)
    return DataSet.open(folder)


def test_a_percentage_is_relative_except_on_a_channel_in_percent() -> None:
    rise = ThresholdEvent.parse("high > 1 % in 1 day", UNITS)
    assert (rise.relative, rise.reference, rise.horizon_s) == (True, "market.close", 86400.0)
    assert rise.level(200.0) == pytest.approx(202.0)
    busy = ThresholdEvent.parse("cpu ≥ 80 % within 30 minutes", UNITS)
    assert (busy.relative, busy.level(3.0), busy.horizon_s) == (False, 80.0, 1800.0)
    assert busy.said() == "cpu at least 80 % within 30 minutes"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("high > 1 EUR in 1 day", "measured in USD"),
        ("t > 3 kW in 1 hour", "measured in degC"),
        ("price > 1 % in 1 day", "no channel"),
        ("high rises", "high > 1 % in 1 day"),
        ("high > 1 % in 3 kW", "must be a time"),
    ],
)
def test_an_event_that_cannot_be_read_says_what_would_do(text: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        ThresholdEvent.parse(text, UNITS)


def test_labels_look_at_the_next_samples_and_at_no_others() -> None:
    event = ThresholdEvent(
        on="x", threshold=1.0, unit="%", direction="above", relative=True, horizon_s=2.0
    )
    path = np.array([100.0, 100.5, 101.0, 100.0, 90.0, 100.0])
    found = came_within(path, path, event, 2)
    assert found[:4].tolist() == [1, 0, 0, 0]  # 101 is 1 % above 100, two samples on
    assert np.isnan(found[4:]).all()


def test_no_feature_moves_when_the_future_does(market: DataSet) -> None:
    """Samples after a day are shaken: none of the 25 features of the day or before may change."""
    event = ThresholdEvent.parse("high > 1 % in 1 day", UNITS)
    (series,) = read_series(market, "market.high")
    assert len(MARKET_FEATURES) == 25
    before = compute(series, event, MARKET_FEATURES)
    day = 700
    series.values[day + 1 :] *= np.random.default_rng(0).uniform(0.5, 2.0, (1, 5))
    after = compute(series, event, MARKET_FEATURES)
    np.testing.assert_array_equal(before[: day + 1], after[: day + 1])
    assert (before[day + 1 :] != after[day + 1 :]).any(axis=0).all()


def test_no_feature_of_a_channel_moves_when_the_future_does(market: DataSet) -> None:
    event = ThresholdEvent(
        on="market.volume", threshold=1e8, unit="count", direction="above", relative=False,
        horizon_s=86400.0,
    )  # fmt: skip
    (series,) = read_series(market, "market.volume")
    features = features_for(series, event)
    if features is MARKET_FEATURES:
        from dataclasses import replace

        keep = [series.channels.index(c) for c in ("market.volume", "market.low")]
        series = replace(
            series, values=series.values[:, keep], channels=("market.volume", "market.low")
        )
        features = features_for(series, event)
    before = compute(series, event, features)
    series.values[701:] += 1e7
    after = compute(series, event, features)
    np.testing.assert_array_equal(before[:701], after[:701])
    assert len(features) == 22


def test_splits_follow_each_other_and_no_horizon_reaches_over(market: DataSet) -> None:
    data = event_data(market, "high > 1 % in 3 days", cuts=Cuts())
    for one, other in ((data.train, data.validation), (data.validation, data.test)):
        assert one.windows.time_s.max() + 3 * 86400 < other.windows.time_s.min()
    values = data.test.windows.values()
    assert values.shape == (len(data.test.y), 80, 25)
    assert np.isfinite(values).all()
    assert abs(float(data.train.windows.last().mean())) < 0.2  # scaled by training windows


def test_simulated_chance_is_the_share_in_which_the_event_comes(market: DataSet) -> None:
    """The known probability is right: it is calibrated, and no feature ranks better."""
    from sklearn.metrics import roc_auc_score

    from tool_use_om.data.synthetic.sets.chances import CHANCE

    data = event_data(market, "high > 1 % in 1 day")
    known = market.truth().sort_values("start_s")
    assert set(known["name"]) == {CHANCE}
    truth = known["value"].to_numpy()
    y = np.concatenate([data.part(p).y for p in ("train", "validation", "test")])
    rows = np.concatenate([data.part(p).windows.ends for p in ("train", "validation", "test")])
    assert abs(truth[rows].mean() - y.mean()) < 3 * np.sqrt(0.25 / len(y))
    last = np.concatenate([data.part(p).windows.last() for p in ("train", "validation", "test")])
    best = max(roc_auc_score(y, last[:, i]) for i in range(last.shape[1]))
    assert 0.7 < roc_auc_score(y, truth[rows]) < 0.95
    assert best <= roc_auc_score(y, truth[rows]) + 0.005


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ("high > 60 % in 1 day", "never comes in the train split.*Choose a lower threshold"),
        ("high > -50 % in 1 day", "always comes in the train split.*Choose a higher threshold"),
        ("high > 5 % in 1 day", "windows only in the .* split; at least 20"),
        ("high > 1 % in 2 hours", "shorter than the time between samples"),
        ("high > 1 % in 4000 days", "goes beyond the data.*at most 1420 days"),
    ],
)
def test_what_cannot_be_studied_is_refused_with_what_would_do(
    market: DataSet, event: str, told: str
) -> None:
    with pytest.raises(DataError, match=told):
        event_data(market, event)


def test_a_window_never_spans_a_gap(tmp_path: object) -> None:
    dataset = made_set(gap_at=400)
    data = event_data(dataset, "level > 0.5 in 5 s", context=10)
    rows = np.concatenate([data.part(p).windows.rows() for p in ("train", "validation", "test")])
    assert not ((rows < 400).any(axis=1) & (rows >= 400).any(axis=1)).any()


def test_dates_split_only_what_has_dates() -> None:
    with pytest.raises(DataError, match="no dates"):
        event_data(
            made_set(),
            "level > 0.5 in 5 s",
            context=10,
            cuts=Cuts(validation="2023-01-01", test="2025-01-01"),
        )
