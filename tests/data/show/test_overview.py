"""The overview: one HTML file that loads nothing, whatever a source calls its things."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tool_use_om.data.format.dataset import DataSet, Signal
from tool_use_om.data.format.schema import Channel, Modality
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.show.overview import write_overview
from tool_use_om.data.show.overview_figures import _whole_stretch, draw_spectrum, draw_strips
from tool_use_om.data.workspace import Workspace
from tool_use_om.graphs.commands.data import app

HOSTILE = "<script>alert('x')</script>\"><img src=http://x.test/y onerror=z>$\\frac{$\x1b[31m"
Make = Callable[..., DataSetWriter]


def write(target: Path, new_writer: Make, n_channels: int, label: str = "walk") -> DataSet:
    channels = tuple(Channel(name=f"c{i}", unit="mV") for i in range(n_channels))
    modality = Modality(name="many", rate_hz=20.0, channels=channels)
    facts = {"title": label, "source": label, "notes": (label,), "split_rule": label}
    with new_writer(target, modalities=(modality,), licence=label, **facts) as writer:
        for i in range(2):
            values = np.random.default_rng(i).normal(size=(100, n_channels))
            writer.add_session(
                f"s{i}",
                subject_id=f"{label}{i}",
                split="train",
                signals={"many": (np.arange(100) / 20, values)},
                labels=[(0.0, 2.0, label, label)],
            )
    return DataSet.open(target)


class Tags(HTMLParser):
    """Collects the elements and the addresses of a page, and whether each was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.addresses: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.addresses += [v or "" for k, v in attrs if k in {"src", "href", "action"}]
        assert not [k for k, _ in attrs if k.startswith("on")]
        if tag not in {"meta", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_overview_escapes_everything_and_loads_nothing(tmp_path: Path, new_writer: Make) -> None:
    """Hostile titles, labels, subjects and notes stay text; every address is inside the page."""
    page = write_overview(write(tmp_path / "set", new_writer, 3, HOSTILE), tmp_path / "out")
    text = page.read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(text)
    assert not tags.open
    assert text.count("<script>") == 1  # the kept one
    assert "<script>alert" not in text
    assert all(a.startswith(("#", "data:image/")) for a in tags.addresses)
    assert "@import" not in text
    assert "url(" not in text
    assert "\x1b" not in text
    assert text.count("&lt;script&gt;") > 5


def test_overview_has_every_section(samples: Workspace, tmp_path: Path) -> None:
    """`tuom data overview` writes one file with findings, tables, signals and spectra."""
    space = ["--workspace", str(samples.root)]
    result = CliRunner().invoke(app, ["overview", "synthetic-days", "--out", str(tmp_path), *space])
    assert result.exit_code == 0, result.output
    assert [p.name for p in tmp_path.iterdir()] == ["index.html"]
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    titles = re.findall(r"<h2 id=\"\w+\">(\w+)</h2>", text)
    assert titles == ["Findings", "Sessions", "Channels", "Labels", "Signals", "Spectra"]
    assert "synthetic (simulated)" in text
    for words in ("heart.rate", "person-01-a", "values missing (NaN)", "128 Hz"):
        assert words in text


@pytest.mark.parametrize("n_channels", [1, 66])
def test_draw_strips_gives_each_channel_its_own_strip(
    tmp_path: Path, new_writer: Make, n_channels: int
) -> None:
    """From 1 to 66 channels each has a named strip that meets no other, on a seconds axis."""
    figure = draw_strips(write(tmp_path / "set", new_writer, n_channels), "s0")
    (panel,) = figure.axes
    assert [t.get_text() for t in panel.get_yticklabels()] == [
        f"many.c{i} [mV]" for i in range(n_channels)
    ]
    assert panel.get_xlim() == (0.0, 5.0)
    for place, line in enumerate(panel.lines):
        assert np.abs(np.asarray(line.get_ydata()) - place).max() < 0.5
    each = 0.34 if n_channels < 24 else 0.2  # inches
    assert figure.get_figheight() == pytest.approx(each * n_channels + 0.9)


def wave(hz: float, n_channels: int = 1, rate_hz: float = 50.0) -> Signal:
    time_s = np.arange(int(20 * rate_hz)) / rate_hz
    values = np.tile(np.sin(2 * np.pi * hz * time_s)[:, None], n_channels).astype(np.float32)
    channels = tuple(f"m.c{i}" for i in range(n_channels))
    units = ("1",) * n_channels
    return Signal(
        session_id="s", modality="m", rate_hz=rate_hz, channels=channels, units=units,
        time_s=time_s, values=values,
    )  # fmt: skip


def test_draw_spectrum_peaks_at_the_frequency_in_hz() -> None:
    """A 7 Hz wave sampled at 50 Hz peaks at 7 Hz on an axis that ends at 25 Hz."""
    figure = draw_spectrum([wave(7.0)])
    assert figure is not None
    (line,) = figure.axes[0].lines
    hz, db = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    assert hz[db.argmax()] == pytest.approx(7.0, abs=0.2)
    assert figure.axes[0].get_xlim() == (0.0, 25.0)


def test_draw_spectrum_becomes_a_map_for_many_channels() -> None:
    """More channels than curves can be told apart are drawn as a map with a row each."""
    figure = draw_spectrum([wave(7.0, n_channels=66)])
    assert figure is not None
    image = figure.axes[0].images[0].get_array()
    assert image is not None
    assert image.shape[0] == 66


def test_draw_spectrum_uses_the_longest_whole_stretch() -> None:
    """Gaps and missing values break stretches; a signal of crumbs gives no spectrum."""
    signal = wave(7.0)
    signal.values[100, 0] = np.nan
    signal.time_s[600:] += 3.0
    assert len(_whole_stretch(signal)) == 499
    signal.values[::20, 0] = np.nan
    assert draw_spectrum([signal]) is None
