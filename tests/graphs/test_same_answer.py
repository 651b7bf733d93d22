"""One question, one answer: processes, threads and what is cached change nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_ASK = """
import json, sys
from tool_use_om.agent.answering import results_of
from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.graph import build_graph

context = AgentContext(dataset="basic-motions", workspace=sys.argv[2])
state = build_graph().invoke({"question": sys.argv[1]}, context=context)
ids = [one["result_id"] for one in results_of(state["messages"])]
print(json.dumps([state["outcome"], state["answer"], ids]))
"""
QUESTION = "Which sessions are most like bm-test-020?"


def _asked(workspace: Path, threads: int) -> list[object]:
    env = {**os.environ, "OMP_NUM_THREADS": str(threads), "TUOM_READER": "off"}
    command = [sys.executable, "-c", _ASK, QUESTION, str(workspace)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    told: list[object] = json.loads(done.stdout.splitlines()[-1])
    return told


@pytest.mark.slow
def test_the_same_question_has_the_same_answer_and_result_ids(tmp_path: Path) -> None:
    """Four fresh processes: one and two threads, each with an empty cache and with a full one."""
    told = [_asked(tmp_path / name, t) for name, t in (("a", 1), ("a", 2), ("b", 2), ("b", 1))]
    assert told[0][0] == "answer"
    assert told[0][2]
    assert all(one == told[0] for one in told[1:])
