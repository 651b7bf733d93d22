"""A study from its command to its page: resumed, judged over blocks, honest if nothing is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.data.synthetic.sets.chances import NAME, convert
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.study.cells import Plan, read_size, run_cells
from tool_use_om.evals.study.findings import FD_ROWS, fd_table, hypotheses, judge_event, verdict
from tool_use_om.evals.study.report import run_study
from tool_use_om.graphs.commands.main import main
from tool_use_om.heads.events import judge

EVENT = "high > 1 % in 1 day"
FAST = ("base_rate", "last_day", "boosting")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Return a workspace with a short simulated market."""
    workspace = Workspace.at(tmp_path_factory.mktemp("ws"))
    convert(workspace.folder("datasets") / NAME, days=1500)
    return workspace


def test_command_writes_what_a_person_and_a_program_read(
    place: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "study"
    words = ["study", "threshold", "--data", NAME, "--event", EVENT, "--seeds", "2"]
    words += [w for name in FAST for w in ("--models", name)]
    with pytest.raises(SystemExit) as done:
        main([*words, "--out", str(out), "--workspace", str(place.root)])
    assert done.value.code == 0
    shown = capsys.readouterr().out
    assert "can be told" in shown
    assert "FD-07" in shown
    html = (out / "index.html").read_text(encoding="utf-8")
    assert html.count("<img") >= 4
    assert "http" not in html.replace("http-equiv", "")
    rows = json.loads((out / "runner.json").read_text(encoding="utf-8"))
    assert {row["model"] for row in rows} == set(FAST)
    assert all(set(row) == {"id", "model", "horizon", "metrics"} for row in rows)
    assert {row["horizon"] for row in rows} == {86400.0}
    lines = (out / "cells.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 4  # boosting alone draws


def test_study_goes_on_where_it_stopped_and_refuses_another_one(
    place: Workspace, tmp_path: Path
) -> None:
    ran: list[str] = []
    plan = Plan(data=NAME, events=(EVENT,), models=("base_rate", "last_day"), seeds=1)
    run_cells(plan, place, tmp_path, on_cell=lambda *cell: ran.append(cell[2]))
    assert len(ran) == 2
    more = Plan(data=NAME, events=(EVENT,), models=FAST, seeds=1)
    run_cells(more, place, tmp_path, on_cell=lambda *cell: ran.append(cell[2]))
    assert [cell.split(" · ")[1] for cell in ran] == ["base_rate", "last_day", "boosting"]
    other = Plan(data=NAME, events=(EVENT,), models=FAST, context=20)
    with pytest.raises(DataError, match=r"another study.*context"):
        run_cells(other, place, tmp_path)


def test_best_of_what_is_known_is_the_known_chance(place: Workspace, tmp_path: Path) -> None:
    """Nothing ranks far above the true probability, and a model of it comes near."""
    plan = Plan(data=NAME, events=(EVENT,), models=FAST, seeds=1)
    run_study(plan, place, tmp_path)
    report = (tmp_path / "report.md").read_text(encoding="utf-8")
    rows = json.loads((tmp_path / "runner.json").read_text(encoding="utf-8"))
    metrics = {row["model"]: row["metrics"] for row in rows}
    bayes = float(report.partition("The known probability has AUC ")[2][:5])
    assert metrics["last_day"]["auc"] == pytest.approx(bayes, abs=0.05)  # 860 days to learn from
    assert metrics["last_day"]["to_truth"] < 0.08
    assert metrics["base_rate"]["auc"] == 0.5
    assert metrics["base_rate"]["collapsed"]


def test_noise_beats_no_base_rate_and_the_verdict_says_so(place: Workspace, tmp_path: Path) -> None:
    plan = Plan(data=NAME, events=(EVENT,), models=("base_rate",), seeds=1)
    data, cells, _ = run_cells(plan, place, tmp_path)
    rng = np.random.default_rng(3)
    noise = {
        **cells[0], "model": "patchtst",
        "validation": rng.uniform(size=len(data[EVENT].validation.y)).tolist(),
        "test": rng.uniform(size=len(data[EVENT].test.y)).tolist(),
    }  # fmt: skip
    found = judge_event(data[EVENT], EVENT, [*cells, noise], None)
    assert verdict(found).startswith("Nothing beats the base rate")
    assert not any(m.beats_the_base_rate for m in found.models)
    assert [h.met for h in hypotheses([found])] == [None, None, None, None]


def test_every_row_of_the_plan_has_a_figure_or_a_reason(place: Workspace, tmp_path: Path) -> None:
    plan = Plan(data=NAME, events=(EVENT,), models=("base_rate",), seeds=1)
    data, cells, _ = run_cells(plan, place, tmp_path)
    rows = fd_table([judge_event(data[EVENT], EVENT, cells, None)])
    assert [r["row"] for r in rows][:18] == [f"FD-{i:02d}" for i in range(1, 19)]
    assert all(row[EVENT] for row in rows)
    assert len(FD_ROWS) == 18
    assert {r["model"] for r in rows if r["row"] == "–"} == {"LENS", "MarketGPT"}


def test_auc_is_the_share_of_pairs_in_order() -> None:
    rng = np.random.default_rng(0)
    y, said = rng.integers(0, 2, 60), rng.integers(0, 9, 60) / 9
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a in said[y == 1] for b in said[y == 0]]
    assert judge.auc(y, said) == pytest.approx(np.mean(pairs))
    assert np.isnan(judge.auc(np.ones(5), said[:5]))


def test_interval_over_blocks_is_wider_where_neighbours_are_alike() -> None:
    """Labels and predictions that come in runs hold less than so many windows seem to."""
    rng = np.random.default_rng(1)
    n = 400
    state = np.repeat(rng.standard_normal(n // 40), 40)
    y = (rng.uniform(size=n) < 1 / (1 + np.exp(-2 * state))).astype(int)
    said = state + 0.3 * rng.standard_normal(n)

    def width(draws: list[np.ndarray]) -> float:
        low, high = np.nanquantile([judge.auc(y[r], said[r]) for r in draws], [0.025, 0.975])
        return float(high - low)

    length, blocks = judge.blocks_of(n, steps=20)
    assert length == 40
    single = [rng.integers(0, n, n) for _ in blocks]
    assert width(blocks) > 1.5 * width(single)


def test_holm_multiplies_the_smallest_by_all() -> None:
    found = judge.holm({"a": 0.01, "b": 0.04, "c": 0.03})
    assert found == {"a": pytest.approx(0.03), "c": pytest.approx(0.06), "b": pytest.approx(0.06)}


def test_calibration_mends_what_is_too_sure_and_turns_no_ranking_round() -> None:
    rng = np.random.default_rng(2)
    truth = rng.uniform(0.05, 0.95, 4000)
    y = (rng.uniform(size=4000) < truth).astype(int)
    sure = 1 / (1 + np.exp(-3 * judge.log_odds(truth)))
    mended = judge.calibrated(sure, judge.platt(y, sure))
    assert np.abs(mended - truth).mean() < 0.02 < np.abs(sure - truth).mean()
    upside_down = judge.calibrated(1 - truth, judge.platt(y, 1 - truth))
    np.testing.assert_allclose(upside_down, 1 - truth)


def test_sizes_are_read() -> None:
    assert (read_size("20M"), read_size("5000")) == (20_000_000, 5000)
    with pytest.raises(DataError, match="2M, 20M, 200M"):
        read_size("big")


def test_notebook_of_one_cell_runs_by_itself(
    place: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its cells, the installation left out, give the cell's JSON; other data stop it."""
    path = tmp_path / "cell.ipynb"
    words = ["study", "notebook", "--data", NAME, "--model", "last_day", "--out", str(path)]
    with pytest.raises(SystemExit) as done:
        main([*words, "--workspace", str(place.root)])
    assert done.value.code == 0
    book = json.loads(path.read_text(encoding="utf-8"))
    sources = ["".join(c["source"]) for c in book["cells"] if c["cell_type"] == "code"]
    assert sources[0].startswith("%pip install")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUOM_WORKSPACE", str(place.root))
    names: dict[str, object] = {}
    for source in sources[1:]:
        exec(compile(source, "cell", "exec"), names)
    (written,) = tmp_path.glob("*.json")
    (row,) = json.loads(written.read_text(encoding="utf-8"))
    assert row["model"] == "last_day"
    assert row["metrics"]["auc"] > 0.7
    other = sources[1].replace(row_hash(sources[1]), "0" * 64)
    with pytest.raises(SystemExit, match="not the data of this study"):
        exec(compile(other, "cell", "exec"), names)


def row_hash(source: str) -> str:
    """Return the content hash that a notebook's cell names."""
    return source.partition("expected = '")[2][:64]
