"""`synthetic-days`: simulated people who rest, walk, run and cycle, with the truth kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tool_use_om.data.format.schema import Channel, Modality, Split
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.progress import Progress, track
from tool_use_om.data.synthetic.sets.bodies import (
    Style,
    acceleration,
    cadence_hz,
    draw_style,
    ecg,
    heart_rate,
)
from tool_use_om.data.synthetic.sets.sensors import Sensor

ACTIVITIES = ("resting", "walking", "running", "cycling")
SPLIT_OF: dict[int, Split] = {6: "calibration", 7: "calibration", 8: "test", 9: "test"}
N_SUBJECTS = 10
SENSORS = {
    "accelerometer": Sensor(rate_hz=50.0, jitter_s=0.002, dropout_frac=0.004),
    "ecg": Sensor(rate_hz=128.0, late_s=3.0, dropout_frac=0.01, burst_s=1.0),
    "heart": Sensor(rate_hz=1.0, late_s=5.0, dropout_frac=0.02, burst_s=2.0),
}
MODALITIES = (
    Modality(
        name="accelerometer",
        rate_hz=50.0,
        channels=tuple(Channel(name=a, unit="m/s^2") for a in "xyz"),
    ),
    Modality(name="ecg", rate_hz=128.0, channels=(Channel(name="lead", unit="mV"),)),
    Modality(name="heart", rate_hz=1.0, channels=(Channel(name="rate", unit="bpm"),)),
)
_GRID_HZ = 128.0


@dataclass(frozen=True, kw_only=True)
class _Person:
    name: str
    split: Split
    style: Style
    rest_bpm: float
    max_bpm: float


def convert(target: Path, *, progress: Progress | None = None, seed: int = 2026) -> None:
    """Write 10 simulated people × 3 sessions: 20 s to 5 min, three modalities at three rates.

    Truth: `truth.parquet` holds cadence_hz (Hz) and heart_rate (bpm) of every bout; the label set
    "anomaly" holds the intervals with irregular beats or a shock to the accelerometer.
    """
    writer = DataSetWriter(
        target,
        name="synthetic-days",
        title="Simulated people: wrist acceleration, ECG, heart rate",
        synthetic=True,
        licence="Apache-2.0 (simulated by tool-use-om)",
        source=f"synthetic-days, seed {seed}",
        modalities=MODALITIES,
        split_rule="by simulated person: 01 to 06 train, 07 and 08 calibration, 09 and 10 test",
        notes=(
            "Synthetic: nobody was measured. Cadence counts steps, or crank turns when cycling.",
            "truth.parquet holds the cadence and heart rate of every bout.",
        ),
    )
    people = [_draw_person(i, seed) for i in range(N_SUBJECTS)]
    todo = [(p, i) for p in people for i in range(3)]
    with writer:
        for person, i in track(
            todo, progress, phase="simulate people", unit="sessions", total=len(todo)
        ):
            _add_session(writer, person, i, seed)


def _draw_person(i: int, seed: int) -> _Person:
    rng = np.random.default_rng([seed, i])
    return _Person(
        name=f"person-{i + 1:02d}",
        split=SPLIT_OF.get(i, "train"),
        style=draw_style(rng),
        rest_bpm=float(rng.uniform(52, 74)),
        max_bpm=float(rng.uniform(165, 190)),
    )


def _bouts(person: _Person, i: int, rng: np.random.Generator) -> list[tuple[float, float, str]]:
    """Return (start_s, end_s, activity): one short bout, two middling ones, or all four."""
    turn = (int(person.name[-2:]) + i) % len(ACTIVITIES)
    order = [ACTIVITIES[(turn + k) % len(ACTIVITIES)] for k in range(len(ACTIVITIES))]
    chosen = {0: order[:1], 1: order[:2], 2: list(rng.permutation(order))}[i]
    low, high = {0: (18, 29), 1: (22, 50), 2: (40, 75)}[i]
    ends = np.cumsum(rng.integers(low, high, len(chosen))).astype(float)
    starts = [0.0, *ends[:-1]]
    return [(float(s), float(e), str(a)) for s, e, a in zip(starts, ends, chosen, strict=True)]


def _add_session(writer: DataSetWriter, person: _Person, i: int, seed: int) -> None:
    rng = np.random.default_rng([seed, int(person.name[-2:]), i])
    bouts = _bouts(person, i, rng)
    duration = bouts[-1][1]
    clocks = {name: sensor.clock(rng, duration) for name, sensor in SENSORS.items()}
    cadences = [cadence_hz(person.style, a, rng) for _, _, a in bouts]
    body = np.concatenate(
        [
            acceleration(_within(clocks["accelerometer"], s, e), a, cadence, person.style, rng)
            for (s, e, a), cadence in zip(bouts, cadences, strict=True)
        ]
    )
    grid = np.arange(int(duration * _GRID_HZ)) / _GRID_HZ
    rate = heart_rate(grid, bouts, person.rest_bpm, person.max_bpm)
    unusual = _unusual(person, i, duration, rng)
    for start, end, kind, _ in unusual:
        if kind == "shock":
            hit = (clocks["accelerometer"] >= start) & (clocks["accelerometer"] < end)
            body[hit] += rng.normal(0, 14, (int(hit.sum()), 3))
        else:
            inside = (grid >= start) & (grid < end)
            rate[inside] *= 1 + 0.35 * np.sign(np.sin(2 * np.pi * 0.9 * grid[inside]))
    beats = np.cumsum(rate) / 60 / _GRID_HZ
    pulse = np.interp(clocks["heart"], grid, rate) + rng.normal(0, 0.8, clocks["heart"].size)
    values = {
        "accelerometer": body,
        "ecg": ecg(np.interp(clocks["ecg"], grid, beats), rng)[:, None],
        "heart": np.round(pulse)[:, None],
    }
    means = [float(rate[(grid >= s) & (grid < e)].mean()) for s, e, _ in bouts]
    writer.add_session(
        f"{person.name}-{'abc'[i]}",
        subject_id=person.name,
        split=person.split,
        signals={k: (clocks[k], SENSORS[k].lose(rng, v)) for k, v in values.items()},
        labels=[(s, e, a, "activity") for s, e, a in bouts] + unusual,
        truth=_truth(bouts, cadences, means),
        duration_s=duration,
    )


def _within(time_s: np.ndarray, start: float, end: float) -> np.ndarray:
    return time_s[(time_s >= start) & (time_s < end)]


def _unusual(
    person: _Person, i: int, duration: float, rng: np.random.Generator
) -> list[tuple[float, float, str, str]]:
    """Return at most one unusual interval, in the longer sessions of every person."""
    if i == 0:
        return []
    kind, length = ("irregular beats", 10.0) if (int(person.name[-2:]) + i) % 2 else ("shock", 1.5)
    start = float(np.round(rng.uniform(8, duration - length - 2), 2))
    return [(start, start + length, kind, "anomaly")]


def _truth(
    bouts: list[tuple[float, float, str]], cadences: list[float], bpm: list[float]
) -> list[tuple[float, float, str, float, str]]:
    rows = [(s, e, "heart_rate", rate, "bpm") for (s, e, _), rate in zip(bouts, bpm, strict=True)]
    steps = zip(bouts, cadences, strict=True)
    return rows + [(s, e, "cadence_hz", c, "Hz") for (s, e, _), c in steps if c]
