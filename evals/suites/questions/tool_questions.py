"""Write and read `tool_questions.jsonl`: questions with the tool calls that answer them.

``python -m tool_use_om.evals.suites.questions.tool_questions`` writes it from the templates.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tool_use_om.evals.suites.questions.scoring import Template

FILE = Path(__file__).with_suffix(".jsonl")


def questions() -> Iterator[dict[str, Any]]:
    """Yield every question: id, question, dataset, phase, template, phrasing, split, expect."""
    from tool_use_om.evals.suites.questions.data_questions import EDA
    from tool_use_om.evals.suites.questions.models_questions import MODELS
    from tool_use_om.evals.suites.questions.tool_questions_check import CHECK
    from tool_use_om.evals.suites.questions.tool_questions_more import MORE

    for phase, templates in (("eda", EDA + CHECK), ("models", MODELS + MORE)):
        for template in templates:
            yield from _phrasings(phase, template)


def load_questions(split: str | None = None) -> list[dict[str, Any]]:
    """Return the questions of the shipped file; `split` is "dev", "heldout" or None for both."""
    rows = [json.loads(line) for line in FILE.read_text("utf-8").splitlines()]
    return [row for row in rows if split in {None, row["split"]}]


def _phrasings(phase: str, template: Template) -> Iterator[dict[str, Any]]:
    for split, texts in (("dev", template.dev), ("heldout", template.heldout)):
        for number, text in enumerate(texts):
            yield {
                "id": f"{template.id}-{split}-{number}",
                "question": text,
                "dataset": template.dataset,
                "phase": phase,
                "template": template.id,
                "phrasing": number,
                "split": split,
                "expect": list(template.expect),
            }


def render() -> str:
    """Return the file's text."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in questions())


if __name__ == "__main__":
    FILE.write_text(render(), "utf-8")
