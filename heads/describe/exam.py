"""Multiple-choice questions about series, as TimeSeriesExam publishes them: one JSON list.

Source: Cai et al. (2024), TimeSeriesExam: `qa_dataset.json` of github.com/
moment-timeseries-foundation-model/TimeSeriesExam. An item has `question`, `options`, `answer` (one
of the options), `category`, and `ts` or both `ts1` and `ts2`, lists of numbers without time stamps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.heads.describe.encoder import rows_of
from tool_use_om.heads.describe.prompts import Prompt, channel_line

Array = np.ndarray
_SERIES = (("ts",), ("ts1", "ts2"))
LETTERS = "ABCDEFGH"
_HELD_OUT = 3  # every third question of the file is held out
WHERE = (
    "It is output/round_3_folder/qa_dataset.json of "
    "github.com/moment-timeseries-foundation-model/TimeSeriesExam."
)


@dataclass(frozen=True, kw_only=True)
class Item:
    """One question: its series (n,), options, the right one, and its category as published."""

    question: str
    options: tuple[str, ...]
    answer: str
    category: str
    series: Mapping[str, Array]

    @property
    def letter(self) -> str:
        """The letter of the right option."""
        return LETTERS[self.options.index(self.answer)]


def read_exam(path: Path) -> list[Item]:
    """Return the questions of a file; those whose options are no list of two to eight are left out.

    Raises
    ------
    DataError : no file, no JSON list, or an item without what it must have
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"No questions at {path}: {error.strerror}. {WHERE}") from error
    except ValueError as error:
        raise DataError(f"{path} is no JSON ({error}). {WHERE}") from error
    if not isinstance(found, list) or not found:
        raise DataError(f"{path} must be a JSON list of questions, and is not. {WHERE}")
    items = [_item(path, number, raw) for number, raw in enumerate(found)]
    return [item for item in items if item is not None]


def _item(path: Path, number: int, raw: Any) -> Item | None:  # noqa: ANN401 - whatever is in the file
    if not isinstance(raw, dict):
        raise DataError(f"{path} item {number} is no object. {WHERE}")
    names = next((ns for ns in _SERIES if all(isinstance(raw.get(n), list) for n in ns)), None)
    lacking = [k for k in ("question", "options", "answer") if k not in raw]
    if names is None or lacking:
        said = ", ".join(lacking) or "ts, or ts1 and ts2"
        raise DataError(f"{path} item {number} lacks {said}. {WHERE}")
    options = raw["options"]
    if not isinstance(options, list) or not 2 <= len(options) <= len(LETTERS):
        return None
    told = tuple(str(o) for o in options)
    if str(raw["answer"]) not in told:
        raise DataError(f"{path} item {number}: the answer is none of its options. {WHERE}")
    return Item(
        question=str(raw["question"]),
        options=told,
        answer=str(raw["answer"]),
        category=str(raw.get("category", "")),
        series={n: np.asarray(raw[n], dtype=np.float64) for n in names},
    )


def lessons_of(items: Sequence[Item]) -> list[Item]:
    """Return the questions that may be learnt from."""
    return [item for i, item in enumerate(items) if i % _HELD_OUT]


def held_out(items: Sequence[Item]) -> list[Item]:
    """Return the questions that are none of the lessons; their wording may be, their series not."""
    return list(items[::_HELD_OUT])


def exam_prompt(item: Item) -> Prompt:
    """Return a question as it is asked: options by letter, a letter to answer."""
    lines = [channel_line(name, "units", values) for name, values in item.series.items()]
    told = [f"{letter}) {o}\n" for letter, o in zip(LETTERS, item.options, strict=False)]
    return Prompt(
        text="".join([*lines, f"{item.question}\n", *told, "Answer:"]),
        rows=tuple(rows_of(values) for values in item.series.values()),
        answer=item.letter,
        options=tuple(LETTERS[: len(item.options)]),
    )
