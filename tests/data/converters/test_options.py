"""Options of converters: read from their signatures, checked, offered by the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tool_use_om.data.catalog import CONVERTERS
from tool_use_om.data.converters.options import options_of, read_options
from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.graphs.commands.data import app


def test_options_are_those_of_the_signatures() -> None:
    """What a converter takes besides the files is found, with its kind and default."""
    found = {name: {o.name: (o.kind, o.default) for o in options_of(name).values()}
             for name in CONVERTERS}  # fmt: skip
    assert {name: options for name, options in found.items() if options} == {
        "ucr": {"rate_hz": ("float", None)},
        "ohlcv": {"currency": ("str", "USD")},
        "ptb-xl": {"rate_hz": ("int", 100)},
    }


def test_options_are_read_in_their_kind() -> None:
    """A number comes as a number, a text as a text; without options there are no arguments."""
    assert read_options("ucr", ["rate_hz=12.5"]) == {"rate_hz": 12.5}
    assert read_options("ohlcv", ["currency = EUR"]) == {"currency": "EUR"}
    assert read_options("ptb-xl", ["rate_hz=500"]) == {"rate_hz": 500}
    assert read_options("hmp", []) == {}


@pytest.mark.parametrize(
    ("converter", "pairs", "message"),
    [
        ("ucr", ["rate=5"], "Did you mean 'rate_hz'"),
        ("ucr", ["rate_hz"], "takes name=value"),
        ("ucr", ["rate_hz="], "takes name=value"),
        ("ucr", ["rate_hz=fast"], "takes a number, got 'fast'"),
        ("ptb-xl", ["rate_hz=99.5"], "a whole number"),
        ("ucr", ["rate_hz=1", "rate_hz=2"], "given twice"),
        ("hmp", ["rate_hz=1"], "takes no options"),
        ("hpm", [], "hmp"),
    ],
)
def test_options_refuse_what_they_cannot_be(converter: str, pairs: list[str], message: str) -> None:
    """An unknown, malformed, mistyped or repeated option is refused with what would do."""
    with pytest.raises((DataError, NotFoundError), match=message):
        read_options(converter, pairs)


def test_data_convert_hands_the_options_on(tmp_path: Path) -> None:
    """`--option rate_hz=50` gives a set at 50 Hz; the help names every option there is."""
    source = tmp_path / "Two"
    source.mkdir()
    rows = "1\t0.5\t0.25\t0.125\n2\t1.5\t1.25\t1.125\n"
    for part in ("TRAIN", "TEST"):
        (source / f"Two_{part}.tsv").write_text(rows)
    arguments = ["convert", "ucr", str(source), "--option", "rate_hz=50", "--name", "two"]
    result = CliRunner().invoke(app, [*arguments, "--workspace", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert DataSet.open(tmp_path / "datasets" / "two").manifest.rate_of("series.value") == 50
    help_text = " ".join(CliRunner().invoke(app, ["convert", "--help"]).output.split())
    for name in CONVERTERS:
        assert all(o.name in help_text and name in help_text for o in options_of(name).values())


@pytest.mark.parametrize(
    ("converter", "option", "message"),
    [
        ("ohlcv", "currency=GBP", "Unknown currency 'GBP'"),
        ("ucr", "rate_hz=0", "above 0"),
        ("ucr", "rate_hz=nan", "above 0"),
        ("ptb-xl", "rate_hz=200", "100 or 500"),
    ],
)
def test_data_convert_refuses_a_value_no_set_can_have(
    tmp_path: Path, converter: str, option: str, message: str
) -> None:
    """A value of the right kind that makes no sense is refused before anything is written."""
    with pytest.raises((DataError, NotFoundError), match=message):
        CliRunner().invoke(
            app,
            ["convert", converter, str(tmp_path), "--option", option, "--workspace", str(tmp_path)],
            catch_exceptions=False,
        )
    assert not (tmp_path / "datasets" / converter).exists()


def test_data_converters_lists_all_with_their_options() -> None:
    """One command shows which sets can be converted and what each takes."""
    output = CliRunner().invoke(app, ["converters"]).output
    assert all(name in output for name in CONVERTERS if name != "table")
    assert "--option rate_hz=INT (default 100)" in output
