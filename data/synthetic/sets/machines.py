"""`synthetic-machines`: simulated resource curves with days, spikes and plateaus."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from tool_use_om.data.format.schema import Channel, Modality, Split
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.progress import Progress, track
from tool_use_om.data.synthetic.sets.sensors import Sensor

DAY_S = 86400.0
ROLES = ("web", "batch", "idle")
SENSOR = Sensor(rate_hz=1 / 60, dropout_frac=0.003, burst_s=600.0)
MODALITY = Modality(
    name="resource",
    rate_hz=1 / 60,
    channels=(Channel(name="cpu", unit="%"), Channel(name="memory", unit="%")),
)
_SPLITS: tuple[Split, ...] = ("train", "train", "calibration", "test")


def convert(target: Path, *, progress: Progress | None = None, seed: int = 2026) -> None:
    """Write 12 simulated machines × 2 sessions of 1 to 3 days at one sample a minute.

    Labels: "role" (web, batch, idle) over whole sessions, "anomaly" (spike, plateau) where planted.
    Truth: `truth.parquet` holds each session's period_s (one day).
    """
    writer = DataSetWriter(
        target,
        name="synthetic-machines",
        title="Simulated machines: CPU and memory by the minute",
        synthetic=True,
        licence="Apache-2.0 (simulated by tool-use-om)",
        source=f"synthetic-machines, seed {seed}",
        modalities=(MODALITY,),
        split_rule="by simulated machine: of a role's four, two train, one calibration, one test",
        notes=("Synthetic: no machine was measured.",),
    )
    todo = [(m, i) for m in range(4 * len(ROLES)) for i in range(2)]
    with writer:
        for machine, i in track(
            todo, progress, phase="simulate machines", unit="sessions", total=len(todo)
        ):
            _add_session(writer, machine, i, seed)


def _add_session(writer: DataSetWriter, machine: int, i: int, seed: int) -> None:
    role = ROLES[machine % len(ROLES)]
    rng = np.random.default_rng([seed, machine, i])
    habit = np.random.default_rng([seed, machine])  # the same in both sessions of a machine
    duration = DAY_S * int(rng.integers(1, 4))
    time_s = SENSOR.clock(rng, duration)
    cpu = _load(time_s, role, habit, rng)
    anomalies = _plant(time_s, cpu, duration, rng)
    lag = np.exp(-np.arange(120) / 40.0)
    memory = 20 + 0.6 * np.convolve(cpu, lag / lag.sum())[: cpu.size] + rng.normal(0, 0.4, cpu.size)
    values = np.clip(np.stack([cpu, memory], axis=1), 0, 100)
    writer.add_session(
        f"machine-{machine + 1:02d}-{'ab'[i]}",
        subject_id=f"machine-{machine + 1:02d}",
        split=_SPLITS[machine // len(ROLES)],
        signals={"resource": (time_s, SENSOR.lose(rng, values))},
        labels=[(0.0, duration, role, "role"), *anomalies],
        truth=[(0.0, duration, "period_s", DAY_S, "s")],
        start_utc=datetime(2026, 1, 5 + 7 * i, tzinfo=UTC),
        duration_s=duration,
    )


def _load(
    time_s: np.ndarray, role: str, habit: np.random.Generator, rng: np.random.Generator
) -> np.ndarray:
    """Return CPU (n,), percent: a daily wave (web), night jobs (batch) or nearly nothing (idle)."""
    peak_s = habit.uniform(0.45, 0.65) * DAY_S
    day = 0.5 + 0.5 * np.cos(2 * np.pi * (time_s - peak_s) / DAY_S)
    slow = np.cumsum(rng.normal(0, 0.08, time_s.size))
    slow -= np.linspace(0, slow[-1], slow.size)
    if role == "web":
        return np.asarray(12 + habit.uniform(25, 45) * day**1.5 + slow + rng.normal(0, 2, day.size))
    if role == "batch":
        hour = (time_s % DAY_S) / 3600
        start, length = habit.uniform(0, 4), habit.uniform(2, 5)
        running = (hour >= start) & (hour < start + length)
        return np.asarray(6 + 65 * running + slow + rng.normal(0, 1.5, day.size))
    return np.asarray(3 + 2 * day + 0.3 * slow + rng.normal(0, 0.5, day.size))


def _plant(
    time_s: np.ndarray, cpu: np.ndarray, duration: float, rng: np.random.Generator
) -> list[tuple[float, float, str, str]]:
    """Add one spike and, in half the sessions, one plateau to `cpu`; return them as labels."""
    kinds = [("spike", 300.0)] + ([("plateau", 7200.0)] if rng.random() < 0.5 else [])
    planted: list[tuple[float, float, str, str]] = []
    slots = rng.permutation(2)
    for slot, (kind, length) in zip(slots, kinds, strict=False):
        low = (0.1 + 0.45 * slot) * duration
        start = 60 * round(rng.uniform(low, low + 0.3 * duration) / 60)
        inside = (time_s >= start) & (time_s < start + length)
        level = rng.uniform(88, 99)
        cpu[inside] = level + rng.normal(0, 0.6, int(inside.sum()))
        planted.append((float(start), start + length, kind, "anomaly"))
    return planted
