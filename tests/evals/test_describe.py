"""The judge of readers: each row from its own method, chance as chance."""

from __future__ import annotations

import numpy as np
import pytest

from tool_use_om.agent.training.compact import load_base
from tool_use_om.agent.training.describe import DescribeConfig, corpus_words, train_reader
from tool_use_om.agent.training.tiny_llama import make_text_tokenizer, save_tiny_llama
from tool_use_om.evals.describe import judge as judging
from tool_use_om.evals.describe.cost import cost
from tool_use_om.evals.describe.exam import drawn, sit_exam
from tool_use_om.evals.describe.search import compare
from tool_use_om.heads.describe.exam import Item
from tool_use_om.heads.describe.prompts import prompt_of
from tool_use_om.heads.describe.reader import Reader
from tool_use_om.heads.describe.spans import Spans
from tool_use_om.heads.describe.tasks import Tasks
from tool_use_om.heads.describe.tree import SearchSettings


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """Return a reader over a tiny random model, its encoder warmed up and nothing more."""
    texts = [p.text + p.answer for p in (prompt_of(Tasks(0).sample(i)) for i in range(40))]
    folder = tmp_path_factory.mktemp("judged")
    save_tiny_llama(folder / "model", make_text_tokenizer(texts, vocab_size=400), d_model=32)
    made = Reader(*load_base(folder / "model"))
    train_reader(made, folder / "run", DescribeConfig(steps=1, batch_size=1, warm_steps=60))
    return made


@pytest.mark.slow
def test_judge_sets_the_reader_beside_every_baseline(reader: Reader) -> None:
    """Seven rows a task; the probe of warm tokens knows bottlenecks that no text tells."""
    sizes = judging.Sizes(test=60, fit=150, probe=150)
    answers, described = judging.judge(reader, corpus_words(reader, 0), sizes)
    assert len(answers.rows) == 14
    share = {(r["task"], r["by"]): float(r["right"].split()[0]) for r in answers.rows}
    assert share["B", "linear probe on the same tokens"] > share["B", "the commonest answer"] + 0.15
    assert abs(share["B", "text only, linear readout"] - 0.2) < 0.15
    (row,) = described.rows
    assert float(row["perplexity"]) > 1
    assert row["all numbers hold"].startswith("0.000")


def test_a_written_description_is_judged_by_reading_it_back() -> None:
    """The truth holds, another number does not, nonsense is no kind."""
    sample = Tasks(0).sample(4, "A")
    assert judging._judged(sample.answer, sample) == (True, True)
    wrong = sample.answer.replace("1", "7").replace("2", "9").replace("3", "8").replace("4", "6")
    assert judging._judged(wrong, sample)[1] is False
    assert judging._judged("blah", sample) == (False, False)
    assert judging._judged("", sample) == (False, False)


def test_cost_finds_both_losses_equal(reader: Reader) -> None:
    """The short list of words is no approximation."""
    table = cost(reader, corpus_words(reader, 0), batch_size=2, repeats=1)
    assert [r["task"] for r in table.rows] == ["A", "B", "C"]
    assert all(float(r["loss differs by"]) < 1e-5 for r in table.rows)
    assert np.isfinite([float(r["gain"]) for r in table.rows]).all()


def test_an_exam_is_counted_by_category_beside_chance(reader: Reader) -> None:
    """Every question in its category and in all; a draw is a part of the file, always the same."""
    items = [
        Item(
            question="What?", options=("a", "b", "c", "d")[: 2 + 2 * (i % 2)], answer="a",
            category=f"kind {i % 2}", series={"ts": np.sin(np.arange(40.0) * (i + 1))},
        )
        for i in range(6)
    ]  # fmt: skip
    table = sit_exam(reader, items)
    assert [(r["category"], r["questions"], r["chance"]) for r in table.rows] == [
        ("kind 0", "3", "0.500"), ("kind 1", "3", "0.250"), ("all", "6", "0.375"),
    ]  # fmt: skip
    assert drawn(items, 4, 1) == drawn(items, 4, 1)
    assert len({id(i) for i in drawn(items, 9, 1)}) == 6


def test_ways_to_reason_are_compared_at_one_budget(reader: Reader) -> None:
    """None writes more than it may; the right letter is known to the table alone."""
    item = Item(
        question="What?", options=("a", "b", "c"), answer="c", category="k",
        series={"ts": np.sin(np.arange(40.0))},
    )  # fmt: skip
    model = Spans(reader.network, reader.tokenizer)
    settings = SearchSettings(budget=48, most=8, span=2)
    rows = {r["method"]: r for r in compare(model, [item, item], settings).rows}
    assert len(rows) == 6
    assert all(float(r["tokens"]) <= 48 for r in rows.values())
    assert float(rows["best of N"]["nodes"]) == 6
    assert float(rows["tree, UCT"]["nodes"]) > 1
