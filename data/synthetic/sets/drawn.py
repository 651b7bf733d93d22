"""Sets drawn from a seed: names, channels, units, rates, labels and subjects without limit.

Nothing about such a set can be known beforehand, so what answers questions about it has read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from tool_use_om.data.format.schema import Channel, Modality, Split
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.progress import Progress, track

_MEASURED = (
    ("accelerometer", ("x", "y", "z"), "m/s^2"), ("gyroscope", ("x", "y", "z"), "deg/s"),
    ("heart", ("rate",), "bpm"), ("skin", ("temperature", "conductance"), "degC"),
    ("motor", ("current", "voltage", "speed"), "A"), ("meter", ("power", "reactive"), "kW"),
    ("pump", ("pressure", "flow"), "hPa"), ("room", ("temperature", "humidity"), "degC"),
    ("breath", ("volume", "flow"), "a.u."), ("market", ("price", "volume"), "USD"),
    ("river", ("level", "discharge"), "m"), ("server", ("cpu", "memory", "load"), "%"),
    ("engine", ("torque", "vibration"), "N"), ("muscle", ("left", "right"), "mV"),
)  # fmt: skip
_DOING = (
    "walking", "running", "cycling", "sitting", "lifting", "stirring", "kneeling", "throwing",
    "climbing", "rowing", "pouring", "resting", "chewing", "grazing", "welding", "drilling",
    "braking", "idling", "charging", "defrosting", "rinsing", "grinding", "loading", "mixing",
)  # fmt: skip
_STATES = ("pump on", "valve open", "night mode", "full load", "half load", "door open", "leak")
_PEOPLE = (
    "anna", "bilal", "chen", "dana", "emeka", "farah", "goran", "hana", "ivo", "jun", "kofi",
    "lena", "mira", "noor", "olu", "pia", "quentin", "rosa", "sven", "tariq",
)  # fmt: skip
_SYLLABLES = ("ka", "lo", "mi", "ra", "tu", "ven", "zor", "bex", "du", "fil", "gam", "hes", "jun")
_IDS = ("s{:02d}", "run-{:03d}", "rec{:02d}", "trial-{:02d}", "m{:03d}", "log-{:02d}")
_SPLITS: tuple[Split, ...] = ("train", "train", "train", "calibration", "test")


@dataclass(frozen=True, kw_only=True)
class DrawnSet:
    """What a seed draws, before any signal is made.

    Parameters
    ----------
    modalities : as the manifest has them
    labels : of one label set, "state"
    subjects : ids
    sessions : (session id, subject id, split, duration in seconds), in order
    start_utc : of the first session, None = without dates
    """

    name: str
    seed: int
    modalities: tuple[Modality, ...]
    labels: tuple[str, ...]
    subjects: tuple[str, ...]
    sessions: tuple[tuple[str, str, Split, float], ...]
    start_utc: datetime | None


def draw_set(seed: int) -> DrawnSet:
    """Return the set of a seed; the same seed draws the same."""
    rng = np.random.default_rng([4117, seed])
    labels = _labels(rng)
    subjects = _subjects(rng)
    per = int(rng.integers(1, 4))
    form = _IDS[int(rng.integers(len(_IDS)))]
    first = int(rng.integers(1, 30))
    splits = [_SPLITS[i % len(_SPLITS)] for i in range(len(subjects))]
    sessions = tuple(
        (form.format(first + i * per + j), who, splits[i], float(rng.integers(20, 91)))
        for i, who in enumerate(subjects)
        for j in range(per)
    )
    dated = rng.random() < 0.5
    start = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=int(rng.integers(2000)))
    return DrawnSet(
        name=f"drawn-{_word(rng)}-{seed}",
        seed=seed,
        modalities=_modalities(rng),
        labels=labels,
        subjects=subjects,
        sessions=sessions,
        start_utc=start if dated else None,
    )


def _word(rng: np.random.Generator) -> str:
    return "".join(rng.choice(_SYLLABLES, int(rng.integers(2, 4))))


def _modalities(rng: np.random.Generator) -> tuple[Modality, ...]:
    found = []
    for place in rng.choice(len(_MEASURED), int(rng.integers(1, 4)), replace=False):
        name, channels, unit = _MEASURED[int(place)]
        rate = float(rng.choice([1.0, 2.0, 5.0, 10.0, 20.0]))
        own = tuple(Channel(name=c, unit=_unit(c, unit)) for c in channels)
        found.append(Modality(name=name, rate_hz=rate, channels=own))
    return tuple(found)


def _unit(channel: str, unit: str) -> str:
    return {"humidity": "%", "volume": "a.u.", "conductance": "a.u."}.get(channel, unit)


def _labels(rng: np.random.Generator) -> tuple[str, ...]:
    count = int(rng.integers(2, 6))
    if rng.random() < 0.2:
        return tuple(dict.fromkeys(_word(rng) for _ in range(count + 1)))
    pool = _DOING if rng.random() < 0.7 else _STATES
    return tuple(str(w) for w in rng.choice(pool, min(count, len(pool)), replace=False))


def _subjects(rng: np.random.Generator) -> tuple[str, ...]:
    count = int(rng.integers(5, 11))
    if rng.random() < 0.4:
        return tuple(str(w) for w in rng.choice(_PEOPLE, count, replace=False))
    stem = str(rng.choice(["p", "subject-", "unit-", "w"]))
    return tuple(f"{stem}{i:02d}" for i in range(1, count + 1))


def convert(
    target: Path, *, progress: Progress | None = None, seed: int = 0, replace: bool = False
) -> None:
    """Write the set of a seed: sessions of 20 to 90 s, each cut into stretches of one label.

    Each label has its own level, swing and rate in every channel; each subject an offset.
    """
    spec = draw_set(seed)
    writer = DataSetWriter(
        target,
        name=spec.name,
        title="A set drawn from a seed",
        synthetic=True,
        licence="Apache-2.0 (simulated by tool-use-om)",
        source=f"tool_use_om.data.synthetic.sets.drawn, seed {seed}",
        modalities=spec.modalities,
        split_rule="by simulated subject",
        notes=("Synthetic: nothing was measured.",),
        replace=replace,
    )
    with writer:
        for place, session in enumerate(
            track(
                spec.sessions, progress, phase="simulate", unit="sessions", total=len(spec.sessions)
            )
        ):
            _add_session(writer, spec, place, session)


def _add_session(
    writer: DataSetWriter, spec: DrawnSet, place: int, session: tuple[str, str, Split, float]
) -> None:
    name, subject, split, duration = session
    rng = np.random.default_rng([4117, spec.seed, 1 + place])
    bouts = _bouts(spec, duration, rng)
    start = spec.start_utc and spec.start_utc + timedelta(hours=7 * place)
    writer.add_session(
        name,
        subject_id=subject,
        split=split,
        signals={
            m.name: _signal(spec, i, session, bouts, rng) for i, m in enumerate(spec.modalities)
        },
        labels=[(s, e, spec.labels[k], "state") for s, e, k in bouts],
        start_utc=start,
        duration_s=duration,
    )


def _bouts(
    spec: DrawnSet, duration: float, rng: np.random.Generator
) -> list[tuple[float, float, int]]:
    """Return (start_s, end_s, place of the label); every label comes up in most sessions."""
    order = rng.permutation(len(spec.labels))[: int(rng.integers(1, len(spec.labels) + 1))]
    cuts = np.round(np.linspace(0, duration, len(order) + 1))
    return [(float(a), float(b), int(k)) for a, b, k in zip(cuts, cuts[1:], order, strict=False)]


def _signal(
    spec: DrawnSet,
    place: int,
    session: tuple[str, str, Split, float],
    bouts: list[tuple[float, float, int]],
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Return times (n,) in seconds and values (n, C)."""
    _, subject, _, duration = session
    modality = spec.modalities[place]
    time_s = np.arange(int(duration * modality.rate_hz)) / modality.rate_hz
    habit = np.random.default_rng([4117, spec.seed, 999, place])
    shape = (len(spec.labels), len(modality.channels))
    levels, swings = habit.uniform(5, 60, shape), habit.uniform(0.3, 6, shape)
    rates = habit.uniform(0.05, 0.4, shape) * modality.rate_hz
    offset = np.random.default_rng([7, spec.seed, spec.subjects.index(subject)]).normal(0, 2)
    values = rng.normal(0, 0.4, (time_s.size, shape[1])) + offset
    for start, end, k in bouts:
        inside = (time_s >= start) & (time_s < end)
        wave = np.sin(2 * np.pi * rates[k] * time_s[inside, None] + rng.uniform(0, 6.28))
        values[inside] += levels[k] + swings[k] * wave
    return time_s, np.round(values, 4)
