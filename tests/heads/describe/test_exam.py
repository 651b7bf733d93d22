"""Files in the published form of TimeSeriesExam, made here: read, asked, and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tool_use_om.data.errors import DataError
from tool_use_om.heads.describe.exam import exam_prompt, read_exam

ONE = {
    "question": "Is there a trend?", "options": ["No trend", "Upward"], "answer": "Upward",
    "ts": [float(i) for i in range(20)], "category": "Pattern Recognition", "id": 1,
}  # fmt: skip
TWO = {
    "question": "Are they alike?", "options": ["Yes", "No"], "answer": "No",
    "ts1": [0.0, 1.0] * 8, "ts2": [1.0] * 16, "category": "Similarity Analysis",
}  # fmt: skip


def written(folder: Path, content: Any) -> Path:
    path = folder / "qa_dataset.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_questions_of_one_and_of_two_series_are_read_and_asked(tmp_path: Path) -> None:
    """One block a series with its scale, options by letter, the right letter as the answer."""
    one, two = read_exam(written(tmp_path, [ONE, TWO]))
    prompt = exam_prompt(one)
    assert (one.letter, prompt.options) == ("B", ("A", "B"))
    assert len(prompt.parts()) == 2
    assert "ts units: mean 9.5, sd 5.8 <signal>" in prompt.text
    assert prompt.text.endswith("A) No trend\nB) Upward\nAnswer:")
    assert len(exam_prompt(two).parts()) == 3


def test_a_question_without_a_list_of_options_is_left_out(tmp_path: Path) -> None:
    """The published file has such ones; a missing value is written NaN there."""
    assert len(read_exam(written(tmp_path, [ONE, ONE | {"options": float("nan")}]))) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "no JSON"),
        ({}, "JSON list"),
        ([], "JSON list"),
        ([3], "item 0 is no object"),
        ([ONE, {k: v for k, v in ONE.items() if k != "answer"}], "item 1 lacks answer"),
        ([{k: v for k, v in TWO.items() if k != "ts2"}], "ts1 and ts2"),
        ([ONE | {"answer": "Sideways"}], "none of its options"),
    ],
)
def test_what_is_not_of_that_form_is_named_with_where_to_get_it(
    tmp_path: Path, content: Any, words: str
) -> None:
    with pytest.raises(DataError, match=words) as refused:
        read_exam(written(tmp_path, content))
    assert "TimeSeriesExam" in str(refused.value)


def test_a_missing_file_is_named_with_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"No questions at .*qa_dataset.json of"):
        read_exam(tmp_path / "none.json")
