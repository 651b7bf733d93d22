"""Questions with the tool calls that answer them, read from data.yaml and models.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PHASES = {"eda": "data.yaml", "models": "models.yaml"}
FOLDER = Path(__file__).parent


def questions() -> Iterator[dict[str, Any]]:
    """Yield every question: id, question, dataset, phase, template, phrasing, split, expect."""
    import yaml

    for phase, name in PHASES.items():
        for template in yaml.safe_load((FOLDER / name).read_text("utf-8")):
            yield from _phrasings(phase, template)


def load_questions(split: str | None = None) -> list[dict[str, Any]]:
    """Return the questions of the shipped files; `split` is "dev", "heldout" or None for both."""
    return [row for row in questions() if split in {None, row["split"]}]


def _phrasings(phase: str, template: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for split in ("dev", "heldout"):
        for number, text in enumerate(template[split]):
            yield {
                "id": f"{template['id']}-{split}-{number}",
                "question": text,
                "dataset": template["dataset"],
                "phase": phase,
                "template": template["id"],
                "phrasing": number,
                "split": split,
                "expect": template["expect"],
            }
