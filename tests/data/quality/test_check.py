"""Quality checks: each planted defect is found at its place; clean data raises no alarm."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from tool_use_om.data.catalog import open_dataset
from tool_use_om.data.format.dataset import DataSet
from tool_use_om.data.format.schema import Channel, Modality
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.quality.check import check_dataset, draw_issue, merge, spread, write_figures
from tool_use_om.data.quality.issue import KINDS, Issue, Scope
from tool_use_om.data.workspace import Workspace
from tool_use_om.graphs.commands.data import app

Build = Callable[..., DataSet]
SECONDS, RATE = 60, 20.0
XYZ = ("x", "y", "z")


def acceleration(seed: int, unit_gravity: float = 1.0) -> np.ndarray:
    """Return (n, 3) noisy samples that rest at gravity along z."""
    noise = np.random.default_rng(seed).normal(0, 0.03, (int(SECONDS * RATE), 3))
    return (noise + np.array([0.0, 0.0, 1.0])) * unit_gravity


@pytest.fixture
def build(tmp_path: Path, new_writer: Callable[..., DataSetWriter]) -> Build:
    """Return a builder of two sessions; `change` may spoil session b's time and values."""

    def make(
        change: Callable[[np.ndarray, np.ndarray], Any] | None = None,
        *,
        unit: str = "g",
        scale: float = 1.0,
        labels: list[tuple[float, float, str, str]] | None = None,
        **facts: Any,
    ) -> DataSet:
        channels = tuple(Channel(name=c, unit=unit) for c in XYZ)
        modality = Modality(name="acc", rate_hz=RATE, channels=channels)
        full = [(0.0, 30.0, "walk", "activity"), (30.0, 60.0, "rest", "activity")]
        subjects = facts.pop("subjects", ("p", "q"))
        with new_writer(tmp_path / "set", modalities=(modality,), **facts) as writer:
            for i, (session, split) in enumerate((("a", "train"), ("b", "test"))):
                time_s = np.arange(int(SECONDS * RATE)) / RATE
                values = acceleration(i, scale)
                if change and session == "b":
                    time_s, values = change(time_s, values) or (time_s, values)
                writer.add_session(
                    session,
                    subject_id=subjects[i],
                    split=split,
                    signals={"acc": (time_s, values)},
                    duration_s=float(SECONDS),
                    labels=full if labels is None or session == "a" else labels,
                )
        return DataSet.open(tmp_path / "set")

    return make


def test_check_dataset_is_silent_on_clean_data(build: Build) -> None:
    """Noise at rest in its own unit, labelled throughout, split by subject: nothing to say."""
    assert check_dataset(build()) == []


def cut_out(time_s: np.ndarray, values: np.ndarray) -> Any:
    keep = (time_s < 20) | (time_s > 30)
    return time_s[keep], values[keep]


def lose(_: np.ndarray, values: np.ndarray) -> None:
    values[400:560, 1] = np.nan


def clip(_: np.ndarray, values: np.ndarray) -> None:
    values[:, 0] = np.clip(np.sin(np.arange(1200) / 7) + 0.01 * values[:, 0], -2, 0.9)


def stick(_: np.ndarray, values: np.ndarray) -> None:
    values[600:700, 2] = values[600, 2]


def copy_within(_: np.ndarray, values: np.ndarray) -> None:
    values[900:1100] = values[100:300]


def copy_other(_: np.ndarray, values: np.ndarray) -> None:
    values[200:1000] = np.float32(acceleration(0)[300:1100])


def slow(time_s: np.ndarray, values: np.ndarray) -> Any:
    return time_s[:600] * 2.0, values[:600]


@pytest.mark.parametrize(
    ("change", "kind", "where", "start_s", "end_s"),
    [
        (cut_out, "gap", "acc", 19.95, 30.05),
        (lose, "missing", "acc.y", 20.0, 28.0),
        (clip, "clipping", "acc.x", None, None),
        (stick, "stuck", "acc.z", 30.0, 35.0),
        (copy_within, "repeat", "acc", 45.0, 55.0),
        (copy_other, "leak", "acc", 10.0, 50.0),
        (slow, "rate", "acc", 0.0, None),
    ],
)
def test_check_dataset_finds_a_planted_defect(
    build: Build, change: Any, kind: str, where: str, start_s: float | None, end_s: float | None
) -> None:
    """Each defect is found once, in its session and channel, where it was planted; nothing else."""
    (issue,) = [i for i in check_dataset(build(change)) if i.kind != "hole"]
    assert (issue.kind, issue.where, issue.session_id) == (kind, where, "b")
    assert issue.severity == "problem"
    if start_s is not None:
        assert issue.start_s == pytest.approx(start_s, abs=1.5)
    if end_s is not None:
        assert issue.end_s == pytest.approx(end_s, abs=1.5)


def test_check_dataset_names_both_ends_of_a_leaking_repeat(build: Build) -> None:
    """The same samples in two splits name both sessions, both splits and the shift."""
    (issue,) = check_dataset(build(copy_other))
    assert issue.other_session == "a"
    assert issue.text == "test and train: the same samples as in session a, 5 s later"


@pytest.mark.parametrize(
    ("unit", "scale", "n", "severity"),
    [
        ("g", 9.81, 1, "problem"),
        ("g", 1000.0, 1, "problem"),
        ("m/s^2", 1.0, 1, "problem"),
        ("a.u.", 9.81, 1, "note"),
        ("m/s^2", 9.81, 0, ""),
        ("mg", 1000.0, 0, ""),
        ("V", 9.81, 0, ""),
    ],
)
def test_check_dataset_compares_gravity_with_the_unit(
    build: Build, unit: str, scale: float, n: int, severity: str
) -> None:
    """Acceleration that rests at another unit's gravity is named; the right unit is not."""
    found = check_dataset(build(unit=unit, scale=scale))
    assert [i.kind for i in found] == ["unit"] * n
    assert all((i.severity, i.n_sessions, i.unit) == (severity, 2, unit) for i in found)


def test_check_dataset_does_not_take_motion_without_gravity_for_g(build: Build) -> None:
    """Linear acceleration spread about 1 m/s^2 has no resting magnitude, so no alarm."""

    def shake(_: np.ndarray, values: np.ndarray) -> None:
        values[:] = np.random.default_rng(5).normal(0, 0.6, values.shape)

    found = check_dataset(build(shake, unit="m/s^2", scale=9.81))
    assert found == []


def test_check_dataset_finds_implausible_units(build: Build) -> None:
    """Values outside what a unit allows are named from the index."""
    found = check_dataset(build(unit="bpm", scale=9.81))
    assert {(i.kind, i.where) for i in found} == {("unit", f"acc.{c}") for c in XYZ}


@pytest.mark.parametrize(
    ("labels", "kind", "span"),
    [
        ([(0.0, 20.0, "walk", "activity"), (28.0, 60.0, "rest", "activity")], "hole", (20, 28)),
        ([(0.0, 35.0, "walk", "activity"), (30.0, 60.0, "rest", "activity")], "overlap", (30, 35)),
        (
            [
                (0.0, 50.0, "a", "activity"),
                (1.0, 2.0, "b", "activity"),
                (40.0, 60.0, "c", "activity"),
            ],
            "overlap",
            (40, 50),
        ),
    ],
)
def test_check_dataset_finds_label_holes_and_overlaps(
    build: Build, labels: Any, kind: str, span: tuple[float, float]
) -> None:
    """A pause between labels and two labels at once are named with their seconds."""
    (issue,) = check_dataset(build(labels=labels))
    assert (issue.kind, issue.start_s, issue.end_s) == (kind, *span)


def test_check_dataset_leaves_sparse_labels_alone(build: Build) -> None:
    """A label set that marks single events is not full of holes."""
    events = [(0.0, 60.0, "walk", "activity"), (3.0, 4.0, "odd", "anomaly")]
    assert check_dataset(build(labels=events)) == []


def test_check_dataset_finds_sessions_without_labels(build: Build) -> None:
    """A session without labels among labelled ones is noted."""
    (issue,) = check_dataset(build(labels=[]))
    assert (issue.kind, issue.session_id, issue.severity) == ("hole", "b", "note")


def test_check_dataset_finds_subjects_in_two_splits(build: Build) -> None:
    """A known subject on both sides of a split is a leak; unknown ones cannot be checked."""
    (leak,) = check_dataset(build(subjects=("p", "p"), subject_disjoint=False))
    assert (leak.kind, leak.where, leak.n_sessions) == ("leak", "subjects", 2)
    (note,) = check_dataset(build(subjects=("unknown", "unknown"), replace=True))
    assert (note.kind, note.severity) == ("unchecked", "note")


def test_check_dataset_says_what_was_not_read(build: Build) -> None:
    """A bounded check reads sessions spread over the set and says how many it left."""
    (note,) = check_dataset(build(stick), max_sessions=1)
    assert note.text.startswith("samples of 1 of 2 sessions were read")
    assert spread([str(i) for i in range(10)], 3) == ["0", "4", "9"]


def test_check_dataset_gives_json_of_known_kinds(build: Build) -> None:
    """Findings are plain JSON without NaN, and each kind is explained."""
    issues = check_dataset(build(copy_other, unit="bpm"))
    assert {i.kind for i in issues} <= set(KINDS)
    again = json.loads(json.dumps([i.model_dump() for i in issues], allow_nan=False))
    assert [Issue.model_validate(i) for i in again] == issues


@pytest.mark.parametrize("name", ["basic-motions", "synthetic-days", "synthetic-markets"])
def test_check_dataset_has_no_unexplained_alarm_on_samples(name: str, samples: Workspace) -> None:
    """On the embedded samples only what they say of themselves is found: simulated drop-outs."""
    found = check_dataset(open_dataset(name, samples))
    expected = {"basic-motions": {"unchecked"}, "synthetic-days": {"missing"}}
    assert {i.kind for i in found} <= expected.get(name, set())


def test_write_figures_draws_each_finding_that_has_a_place(build: Build, tmp_path: Path) -> None:
    """One PNG a finding with a place; a finding about subjects has none."""
    dataset = build(stick, subjects=("unknown", "unknown"))
    issues = check_dataset(dataset)
    (path,) = write_figures(dataset, issues, tmp_path / "figures")
    assert path.name == "01-stuck.png"
    assert path.read_bytes()[:4] == b"\x89PNG"
    assert draw_issue(dataset, issues[-1]) is None


def test_data_check_prints_a_table_and_json(samples: Workspace) -> None:
    """`tuom data check` prints findings with their count, or the same as JSON."""
    space = ["--workspace", str(samples.root)]
    printed = CliRunner().invoke(app, ["check", "basic-motions", *space])
    assert "0 problems, 1 notes" in printed.stdout
    as_json = CliRunner().invoke(app, ["check", "basic-motions", "--json", *space])
    assert json.loads(as_json.stdout)[0]["kind"] == "unchecked"


def still(time_s: np.ndarray, values: np.ndarray) -> None:
    values[:, 1] = 4.0


def idle(time_s: np.ndarray, values: np.ndarray) -> None:
    values[:, 1] = np.abs(values[:, 1])
    values[300:600, 1] = 0.0


def states(time_s: np.ndarray, values: np.ndarray) -> None:
    values[:, 1] = np.arange(len(values)) % 4
    values[300:600, 1] = 2.0


def paused(time_s: np.ndarray, values: np.ndarray) -> Any:
    keep = time_s % 5 < 4
    return time_s[keep], values[keep]


def uneven(time_s: np.ndarray, values: np.ndarray) -> Any:
    step = np.random.default_rng(0).exponential(0.02, len(time_s) * 2) + 1e-3
    new = np.cumsum(step)
    keep = new < time_s[-1]
    return new[keep], np.resize(values, (keep.sum(), 3)) + new[keep][:, None]


@pytest.mark.parametrize(
    ("change", "kind"),
    [(still, "stuck"), (idle, "stuck"), (states, "stuck"), (paused, "gap"), (uneven, "rate")],
)
def test_check_dataset_only_notes_what_may_be_as_it_should(
    build: Build, change: Any, kind: str
) -> None:
    """A setting, a state, an idle counter, planned pauses and events are no problem."""
    found = check_dataset(build(change), scope=Scope(kinds=frozenset({kind})))
    assert {(i.kind, i.severity) for i in found} == {(kind, "note")}


def test_check_dataset_takes_the_floor_at_zero_for_no_rail(build: Build) -> None:
    """A load that is often exactly zero is not clipped there; one cut at its top is."""
    rng = np.random.default_rng(1)

    def load(_: np.ndarray, values: np.ndarray) -> None:
        values[:, 0] = np.repeat(rng.normal(0, 1, 240), 5).clip(min=0)
        values[:, 0] += (values[:, 0] > 0) * rng.uniform(0, 0.1, 1200)

    wanted = Scope(kinds=frozenset({"clipping"}))
    assert check_dataset(build(load), scope=wanted) == []


@pytest.mark.parametrize(
    ("rule", "severity"), [("at random", "problem"), ("in order of time", "note")]
)
def test_split_by_time_is_no_leak(build: Build, rule: str, severity: str) -> None:
    """One subject in two splits is a problem, unless the split rule says: by time."""
    dataset = build(subjects=("p", "p"), subject_disjoint=False, split_rule=rule)
    (issue,) = check_dataset(dataset, scope=Scope(kinds=frozenset({"leak"})))
    assert (issue.kind, issue.severity) == ("leak", severity)


def test_merge_tells_many_channels_and_modalities_as_one() -> None:
    """More than a few places with one kind of issue are one line that counts them."""
    one = {"kind": "stuck", "text": "stands", "session_id": "s", "start_s": 0.0, "end_s": 1.0}
    channels = [Issue(where=f"m.c{i}", value=float(i), unit="s", **one) for i in range(6)]
    (issue,) = merge(channels)
    assert (issue.where, issue.text, issue.value) == ("m", "6 channels; c5: stands", 5.0)
    assert len(merge(channels[:4])) == 4
    gaps = [Issue(where=f"m{i}", **(one | {"kind": "gap"})) for i in range(6)]
    (issue,) = merge(gaps)
    assert issue.text == "6 modalities; m0: stands"


def holes_by_hand(spans: list[tuple[float, float]], start: float, end: float) -> float:
    """Return the longest stretch of a grid of milliseconds that no span covers, seconds."""
    grid = np.arange(round(start * 100), round(end * 100)) / 100
    free = np.array([not any(a <= t < b for a, b in spans) for t in grid])
    edges = np.flatnonzero(np.diff(np.concatenate([[0], free.astype(int), [0]])))
    return float(max((edges[1::2] - edges[::2]), default=0)) / 100


@pytest.mark.parametrize("seed", range(6))
def test_label_holes_are_those_of_a_grid(build: Build, seed: int) -> None:
    """The longest hole, overlaps and nested labels included, is what a fine grid gives."""
    rng = np.random.default_rng(seed)
    starts = np.round(np.sort(rng.uniform(0, 55, 9)), 2)
    spans = [(float(s), round(float(min(60.0, s + rng.uniform(1, 14))), 2)) for s in starts]
    dataset = build(labels=[(a, b, f"l{i}", "activity") for i, (a, b) in enumerate(spans)])
    for start, end in ((0.0, None), (10.0, 40.0)):
        scope = Scope(kinds=frozenset({"hole"}), start_s=start, end_s=end)
        found = [i for i in check_dataset(dataset, scope=scope) if i.session_id == "b"]
        longest = holes_by_hand(spans, start, end or 60.0)
        got = found[0].value if found else 0.0
        assert got == pytest.approx(longest if longest > 0.5 else 0.0, abs=0.011)
