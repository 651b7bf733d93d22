"""The OHLCV converter, on small files in the forms that Yahoo and yfinance write."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from tool_use_om.data.converters.ohlcv import convert
from tool_use_om.data.errors import DataError
from tool_use_om.data.format.dataset import DataSet

pytestmark = pytest.mark.usefixtures("no_pictures")


def days(**changes: object) -> pd.DataFrame:
    """Return 6 trading days a year from 2018 to 2022."""
    dates = [d for y in range(2018, 2023) for d in pd.bdate_range(f"{y}-01-02", periods=6)]
    n = len(dates)
    frame = {
        "Date": [f"{d:%Y-%m-%d}" for d in dates],
        "Adj Close": [90.0 - (n - i) for i in range(n)],
        "Close": [100.0 - (n - i) for i in range(n)],
        "High": 200.0,
        "Low": 50.0,
        "Open": 99.0,
        "Volume": 1000,
    }
    return pd.DataFrame(frame | changes)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    days().to_csv(tmp_path / "ABC.csv", index=False)
    return tmp_path / "ABC.csv"


def test_ohlcv_reads_columns_by_name_not_by_place(tmp_path: Path, source: Path) -> None:
    """Yahoo's order (Adj Close, Close, High, Low, Open) lands in the right channels, in USD."""
    convert(source, tmp_path / "abc")
    dataset = DataSet.open(tmp_path / "abc")
    (signal,) = dataset.read("ABC-2018", ["market.open", "market.close", "market.volume"])
    assert signal.values[0].tolist() == [99.0, 70.0, 1000.0]
    assert signal.units == ("USD", "USD", "count")


def test_ohlcv_keeps_real_dates_and_weekends_empty(tmp_path: Path, source: Path) -> None:
    """A year is a session from its first trading day; weekends are gaps, not samples."""
    convert(source, tmp_path / "abc")
    dataset = DataSet.open(tmp_path / "abc")
    sessions = dataset.sessions().set_index("session_id")
    assert sessions.loc["ABC-2020", "start_utc"] == datetime(2020, 1, 2, tzinfo=UTC)
    (signal,) = dataset.read("ABC-2020", ["market.close"])
    assert (signal.time_s / 86_400).tolist() == [0, 1, 4, 5, 6, 7]


def test_ohlcv_splits_by_year_in_order(tmp_path: Path, source: Path) -> None:
    """Later years test; symbols share the years, so no future is trained on."""
    days().to_csv(tmp_path / "XYZ.csv", index=False)
    convert(tmp_path, tmp_path / "out")
    sessions = DataSet.open(tmp_path / "out").sessions()
    by_year = sessions.groupby(sessions["session_id"].str[-4:])["split"].agg(set).to_dict()
    assert by_year["2018"] == by_year["2020"] == {"train"}
    assert (by_year["2021"], by_year["2022"]) == ({"calibration"}, {"test"})


def test_ohlcv_marks_ex_dividend_days_from_the_adjusted_close(tmp_path: Path) -> None:
    """Where Adj Close departs from Close by more than 0.01 %, that day is labelled, no other."""
    frame = days()
    frame["Adj Close"] = frame["Close"]
    frame.loc[:14, "Adj Close"] = frame.loc[:14, "Close"] * 0.99
    frame.to_csv(tmp_path / "A.csv", index=False)
    convert(tmp_path / "A.csv", tmp_path / "a")
    labels = DataSet.open(tmp_path / "a").labels()
    assert labels[["session_id", "label"]].to_numpy().tolist() == [["A-2020", "ex-dividend"]]


def test_ohlcv_takes_dividends_and_splits_from_their_columns(tmp_path: Path) -> None:
    """yfinance's history form: zones in the dates, newest first, its own event columns."""
    frame = days(**{"Dividends": 0.0, "Stock Splits": 0.0}).drop(columns="Adj Close")
    frame["Date"] = pd.to_datetime(frame["Date"]).dt.strftime("%Y-%m-%d 00:00:00-05:00")
    frame.loc[1, "Dividends"], frame.loc[8, "Stock Splits"] = 0.25, 2.0
    frame.iloc[::-1].to_csv(tmp_path / "A.csv", index=False)
    convert(tmp_path / "A.csv", tmp_path / "a")
    dataset = DataSet.open(tmp_path / "a")
    labels = dataset.labels()[["session_id", "start_s", "label"]].to_numpy().tolist()
    assert labels == [["A-2018", 86_400, "ex-dividend"], ["A-2019", 172_800, "split"]]
    assert dataset.sessions()["start_utc"].dt.hour.eq(5).all()
    assert dataset.channel_stats(["market.adj_close"])["nan_frac"].eq(1).all()


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (days().drop(columns="Low"), "no column 'low'"),
        (days(Date="2020-01-02"), "2020-01-02 twice"),
        (days(Open="1.2M"), "row 1: Open must be a number"),
        (days(Date="02.01.2020 x"), "ISO 8601"),
        (days().head(0), "has no rows"),
    ],
)
def test_ohlcv_refuses_a_damaged_file_by_name(
    tmp_path: Path, frame: pd.DataFrame, message: str
) -> None:
    """Columns, dates and numbers that cannot be read are refused, naming the file."""
    frame.to_csv(tmp_path / "ABC.csv", index=False)
    with pytest.raises(DataError, match=f"ABC.csv.*{message}"):
        convert(tmp_path / "ABC.csv", tmp_path / "out" / "abc")
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []
