"""Classification suites on the sample: windows, heads, the agent's choice, few labels, tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tool_use_om.data.errors import DataError, NotFoundError
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.report import Row, by_group
from tool_use_om.evals.suites.classify.fewshot import LABELS, FewShotSuite
from tool_use_om.evals.suites.classify.heads import HeadSuite
from tool_use_om.evals.suites.classify.tables import mean_difference
from tool_use_om.evals.suites.classify.windows import (
    LabelledWindows,
    _check_parts,
    draw_sessions,
    labelled_windows,
)
from tool_use_om.heads.registry import head_specs
from tool_use_om.tools.call.context import ToolContext
from tool_use_om.tools.call.working_set import WorkingSet
from tool_use_om.tools.registry import run_tool

SET = "basic-motions"


@pytest.fixture(scope="module")
def place(sample_workspace: Path) -> Workspace:
    return Workspace.at(sample_workspace)


@pytest.fixture(scope="module")
def data(place: Workspace) -> LabelledWindows:
    return labelled_windows(SET, place)


@pytest.fixture(scope="module")
def suite(place: Workspace) -> HeadSuite:
    return HeadSuite(data=[SET], workspace=place, peers=False)


def item_of(suite: HeadSuite | FewShotSuite, start: str) -> str:
    return next(i for i in suite.items() if i.startswith(f"{SET}/{start}"))


def test_labelled_windows_judge_one_label_sessions_case_by_case(data: LabelledWindows) -> None:
    """A session with one label throughout is one window, as long as the session, in its split."""
    table = data.dataset.sessions()
    assert data.by_case
    assert sorted(data.test.sessions) == sorted(table.loc[table["split"] == "test", "session_id"])
    assert len(data.fit) + len(data.test) == len(table)
    assert data.test.windows.window_s == pytest.approx(10.0)


def test_labelled_windows_give_each_window_its_own_sessions_label(data: LabelledWindows) -> None:
    """Windows, tokens and labels are in one order: each window's label is its session's."""
    by_session = data.dataset.labels().set_index("session_id")["label"]
    for part in (data.fit, data.test):
        assert list(part.y) == [by_session[s] for s in part.sessions]
        assert tuple(part.tokens.session_ids) == part.windows.session_ids
        mean = part.tokens.context[:, :, list(part.tokens.context_names).index("mean")]
        assert part.raw.values.mean(axis=2) == pytest.approx(mean, abs=1e-3)


def test_draw_sessions_takes_so_many_of_each_label_and_the_same_again(
    data: LabelledWindows,
) -> None:
    """A draw has that many sessions a label, is repeatable, and differs from other draws."""
    draws = [draw_sessions(data.fit, 2, (0, 2, d)) for d in (0, 0, 1)]
    labels, counts = np.unique(draws[0].y, return_counts=True)
    assert len(labels) == 4
    assert set(counts) == {2}
    assert list(draws[0].sessions) == list(draws[1].sessions)
    assert list(draws[0].sessions) != list(draws[2].sessions)
    everything = draw_sessions(data.fit, 1000, (0,))
    assert len(everything) == len(data.fit)


def test_parts_that_share_no_label_or_channel_are_refused(data: LabelledWindows) -> None:
    """Nothing of the test part could be said then; the error says what is missing."""
    walking, running = (np.flatnonzero(data.fit.y == y) for y in ("walking", "running"))
    two = data.fit.select(np.concatenate([walking, running]))
    with pytest.raises(DataError, match="fewer than two labels"):
        _check_parts(SET, data.fit.select(walking), data.test)
    others = data.test.select(np.flatnonzero(~np.isin(data.test.y, ["walking", "running"])))
    with pytest.raises(DataError, match=r"no label of the test split \(badminton, standing\)"):
        _check_parts(SET, two, others)
    parts = []
    for part, blind in ((data.fit, slice(0, 3)), (data.test, slice(3, 6))):
        mask = part.windows.mask.copy()
        mask[:, blind] = False
        parts.append(replace(part, windows=replace(part.windows, mask=mask)))
    with pytest.raises(DataError, match="none of the channels"):
        _check_parts(SET, *parts)


def test_agent_row_is_what_a_plain_question_gets(suite: HeadSuite, place: Workspace) -> None:
    """The same accuracy, members and weights as the tools' own answer without any option."""
    row = suite.run(item_of(suite, "agent"))
    assert row["error"] is None
    ctx, given = ToolContext(workspace=place, seed=0), WorkingSet().but(dataset=SET)
    given = run_tool("select_task_head", {"task": "classify"}, ctx, given).working_set
    told = run_tool("run_task", {}, ctx, given).content
    assert row["metrics"]["accuracy"]["value"] == told["metrics"]["accuracy"]["value"]
    assert row["vote"]["answered_by"] == told["answered_by"]
    weights = [
        [(m["model"], m.get("weight")) for m in v["rows"]] for v in (row["vote"], told["vote"])
    ]
    assert weights[0] == weights[1]


def test_head_suite_measures_every_registered_head_and_the_agent(suite: HeadSuite) -> None:
    """A head that is added is measured without a change here; weights are named in the item."""
    names = [i.split("/")[2].partition("@")[0] for i in suite.items()]
    assert {s.name for s in head_specs("classify")} | {"agent"} == set(names)
    mark = suite.tokenizer.weights_hash[:8]
    assert all(i.partition("@")[2].startswith(mark) for i in suite.items())


def test_head_suite_scores_far_above_chance_and_says_who_answered(suite: HeadSuite) -> None:
    """On the sample a head and the agent tell activities apart; the tables say how and by whom."""
    rows = [{"item": i, **suite.run(i)} for i in (item_of(suite, "agent"), item_of(suite, "head"))]
    assert [r["error"] for r in rows] == [None, None]
    assert all(r["metrics"]["accuracy"]["value"] > 2 * r["chance"] for r in rows)
    votes, own = suite.tables(rows)
    assert votes.rows[0]["answered by"] == "vote"
    assert "prototypes × " in votes.rows[0]["members"]
    assert "minirocket × " in votes.rows[0]["members"]
    assert "one window a case at 10 Hz" in own.note
    assert "content hash" in own.note


def test_head_suite_shows_what_could_not_be_measured(suite: HeadSuite) -> None:
    """A row that failed keeps its reason in its set's table."""
    failed: Row = {"data": SET, "kind": "peer", "method": "nn_dtw", "error": "over the cap"}
    (own,) = suite.tables([failed])
    assert own.rows[0]["accuracy"] == "over the cap"
    assert own.note.startswith("Nothing could be measured.")


def test_head_suite_refuses_an_unknown_set_or_label_set(place: Workspace) -> None:
    """The error lists the nearest names."""
    with pytest.raises(NotFoundError, match=SET):
        HeadSuite(data=["basic-motion"], workspace=place)
    with pytest.raises(NotFoundError, match="activity"):
        HeadSuite(data=[f"{SET}:activty"], workspace=place)


def test_mean_difference_weighs_sets_alike_whatever_their_size() -> None:
    """By hand: one set of 4 cases (1 and .5), one of 2 (.5 and .5): means .75 and .5."""

    def row(data: str, method: str, hits: list[int]) -> Row:
        kept = by_group({"hit": np.array(hits, float)}, np.arange(len(hits)))
        return {"data": data, "method": method, "error": None, "kept": kept}

    rows = [
        row("big", "a", [1, 1, 1, 1]),
        row("big", "b", [1, 1, 0, 0]),
        row("small", "a", [1, 0]),
        row("small", "b", [1, 0]),
    ]
    found = mean_difference(rows, "a", "b")
    assert found is not None
    assert found[:3] == pytest.approx((0.75, 0.5, 0.25))
    assert found[3] <= 0.25 <= found[4]
    assert mean_difference(rows[:3], "a", "b") is None


def test_fewshot_suite_measures_each_number_of_labels_on_the_same_windows(
    place: Workspace,
) -> None:
    """Every head has an item a number of labels; a row has an accuracy a draw."""
    suite = FewShotSuite(data=[SET], workspace=place, method=["knn"], draws=2)
    assert [i.split("/")[1] for i in suite.items()] == [str(n) for n in LABELS]
    rows = [suite.run(i) for i in (suite.items()[0], suite.items()[-1])]
    assert [len(r["accuracy"]) for r in rows] == [2, 2]
    assert rows[0]["n_short_classes"] == 0
    assert rows[1]["n_short_classes"] == 4  # ten sessions a class may be learned from
    assert np.mean(rows[1]["accuracy"]) >= np.mean(rows[0]["accuracy"]) - 0.1
    (table,) = suite.tables(rows)
    assert list(table.rows[0]) == ["method", "kind", "1", "20 (4)"]
    assert set(suite.figures(rows)) == {"fewshot.png"}
