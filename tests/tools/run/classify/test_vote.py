"""The vote and the cases: a session with one label is one case; calibrating costs no session."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tool_use_om.data.catalog import datasets_folder
from tool_use_om.data.format.schema import Channel, Modality
from tool_use_om.data.format.writer import DataSetWriter
from tool_use_om.data.workspace import Workspace
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.registry import run_tool
from tool_use_om.tools.run.classify.cases import Units

RATE = 10.0
N_TRAIN, N_CALIBRATION, N_TEST = 12, 6, 8


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Sessions of 6 s with one label each: a bump in the first or in the second half.

    A window of 4 s from the start holds a bump of the first half only, one of the last half that of
    the second only in part; lengths differ by up to 1 s.
    """
    made = Workspace.at(tmp_path_factory.mktemp("cases"))
    rng = np.random.default_rng(0)
    writer = DataSetWriter(
        datasets_folder(made) / "bumps",
        name="bumps",
        title="bumps",
        synthetic=True,
        licence="none",
        source="test",
        modalities=[Modality(name="m", rate_hz=RATE, channels=(Channel(name="x", unit="a.u."),))],
        split_rule="by hand",
    )
    splits = ["train"] * N_TRAIN + ["calibration"] * N_CALIBRATION + ["test"] * N_TEST
    with writer:
        for i, split in enumerate(splits):
            n = 60 + int(rng.integers(0, 10))
            time_s = np.arange(n) / RATE
            label = ("early", "late")[i % 2]
            centre = 1.5 if label == "early" else 4.5
            wave = np.exp(-(((time_s - centre) / 0.4) ** 2)) + 0.05 * rng.normal(size=n)
            writer.add_session(
                f"s{i:02d}",
                subject_id=f"p{i:02d}",
                split=split,
                signals={"m": (time_s, wave[:, None])},
                labels=[(0.0, n / RATE, label, "class")],
            )
    return made


def _asked(place: Workspace, **args: object) -> dict[str, object]:
    given = WorkingSet().but(dataset="bumps", task="classify", head="prototypes")
    context = ToolContext(workspace=place, seed=0)
    return dict(run_tool("run_task", args, context, given).content)


def test_a_session_with_one_label_is_judged_whole(place: Workspace) -> None:
    """Each held-out session is one case, read to its end, and found from end to end."""
    found = _asked(place, target_label="late")
    assert found["judged_on"] == {"split": "test", "n_sessions": N_TEST, "unit": "sessions"}
    assert found["metrics"]["accuracy"]["n"] == N_TEST  # type: ignore[index]
    assert found["metrics"]["accuracy"]["value"] == 1.0  # type: ignore[index]
    assert all(row["start_s"] == 0 and row["end_s"] >= 6 for row in found["segments"])  # type: ignore[attr-defined]
    assert any("judged as a whole" in note for note in found["notes"])  # type: ignore[attr-defined]


def test_all_training_and_calibration_sessions_are_learned_from(place: Workspace) -> None:
    """Folds calibrate: 6 sessions stand where 9 are needed, and still not all is left open."""
    found = _asked(place)
    assert found["trained_on"]["n_sessions"] == N_TRAIN + N_CALIBRATION  # type: ignore[index]
    coverage = found["coverage"]
    assert coverage["calibrated_on"] == "training folds"  # type: ignore[index]
    assert coverage["n_calibration_sessions"] == N_TRAIN + N_CALIBRATION  # type: ignore[index]
    assert found["abstention"]["abstained_frac"] < 0.5  # type: ignore[index]


def test_both_members_vote_and_show_what_they_are_worth(place: Workspace) -> None:
    """Where aeon is there the token head and MiniRocket answer together, each with its figures."""
    pytest.importorskip("aeon")
    found = _asked(place)
    assert found["answered_by"] == "vote"
    rows = {row["model"]: row for row in found["vote"]["rows"]}  # type: ignore[index]
    assert set(rows) == {"prototypes", "minirocket", "vote"}
    assert rows["prototypes"]["weight"] + rows["minirocket"]["weight"] == pytest.approx(1.0)
    assert all(0 <= row["folds"]["value"] <= 1 for row in rows.values())
    assert rows["vote"]["test"]["value"] == found["metrics"]["accuracy"]["value"]  # type: ignore[index]


def test_without_aeon_the_head_answers_and_says_why(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No peer, no vote: the head alone, calibrated on folds all the same."""
    monkeypatch.setattr("tool_use_om.tools.run.classify.vote.find_spec", lambda _name: None)
    found = _asked(place)
    assert found["answered_by"] == "prototypes"
    assert found["vote"] is None
    assert any("aeon is not installed" in note for note in found["notes"])  # type: ignore[attr-defined]
    assert found["coverage"]["calibrated_on"] == "training folds"  # type: ignore[index]


def test_a_peer_over_the_budget_stays_out(
    place: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The budget is stated in the note."""
    pytest.importorskip("aeon")
    monkeypatch.setattr("tool_use_om.tools.run.classify.vote.BUDGET_S", 1e-9)
    found = _asked(place)
    assert found["answered_by"] == "prototypes"
    assert any("over the budget" in note for note in found["notes"])  # type: ignore[attr-defined]


def test_windows_somebody_asked_for_are_judged_as_windows(place: Workspace) -> None:
    """An explicit window is kept, and so is its unit."""
    given = WorkingSet().but(dataset="bumps", task="classify", head="prototypes")
    context = ToolContext(workspace=place, seed=0)
    window = {"window_s": 3.2, "stride_s": 1.6}
    chosen = run_tool("configure_tokenizer", window, context, given).working_set
    found = run_tool("run_task", {}, context, chosen).content
    assert found["judged_on"]["unit"] == "windows"
    assert found["metrics"]["accuracy"]["n"] > N_TEST


def test_votes_of_a_longer_case_are_combined() -> None:
    """By hand: rows of two sessions, in any order, give their means in order of appearance."""
    units = Units(place=np.array([1, 0, 1]), first=np.array([1, 0]))
    assert units.mean(np.array([[1.0], [5.0], [3.0]])).tolist() == [[5.0], [2.0]]
    assert units.rows(np.array([1])).tolist() == [0, 2]
    assert replace(units, first=units.first[:1]).place.tolist() == [1, 0, 1]


def test_few_calibration_sessions_are_joined_by_what_folds_said(place: Workspace) -> None:
    """Six kept apart could leave no label out at 90 %; with the eight folds judged, they can."""
    found = _asked(place, labels_per_class=4)
    coverage: dict[str, object] = found["coverage"]  # type: ignore[assignment]
    assert coverage["calibrated_on"] == "training folds and calibration sessions"
    assert coverage["n_calibration_sessions"] == 8 + N_CALIBRATION
    assert found["abstention"]["abstained_frac"] < 1.0  # type: ignore[index]
    enough = _asked(place, labels_per_class=4, coverage=0.8)["coverage"]
    assert enough["calibrated_on"] == "calibration sessions"  # type: ignore[index]
