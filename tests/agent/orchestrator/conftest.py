"""A tiny random Llama and its words: the roads are tested, not what it knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tool_use_om.agent.orchestrator.protocol import Plan, PlannedCall, prompt_of, write_plan
from tool_use_om.agent.training.tiny_llama import make_text_tokenizer, save_tiny_llama


@pytest.fixture(scope="session")
def lessons() -> list[dict[str, Any]]:
    """Return four rows of the compact protocol."""
    card = {
        "name": "walks",
        "channels": [{"id": "heart.rate", "unit": "bpm", "rate_hz": 1.0}],
        "labels": {"state": ["running", "walking"]},
        "session_ids": ["s01", "s02"],
        "id_pattern": r"s\d+",
        "subject_ids": ["anna"],
    }
    find = Plan(calls=(PlannedCall(tool="run_task", args={"target_label": "walking"}),))
    plans = {
        "find walking": find,
        "where is it": Plan(ask="label"),
        "blood pressure?": Plan(lacks="blood pressure"),
        "write a poem": Plan(refuse="irrelevant"),
    }
    return [
        {"prompt": prompt_of(q, card), "completion": write_plan(p), "meta": {"kind": "x"}}
        for q, p in plans.items()
    ]


@pytest.fixture(scope="session")
def tiny(lessons: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a two-layer Llama of random weights."""
    folder = tmp_path_factory.mktemp("tiny") / "base"
    texts = [row["prompt"] + row["completion"] for row in lessons]
    return save_tiny_llama(folder, make_text_tokenizer(texts, vocab_size=400), d_model=32)


@pytest.fixture(scope="session")
def lesson_file(lessons: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the rows as a file."""
    file = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in lessons), encoding="utf-8")
    return file
