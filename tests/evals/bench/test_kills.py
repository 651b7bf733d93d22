"""The driver that kills commands: what is left of them, and that it would notice."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tool_use_om.evals.bench.kills import JOBS, Job, render, run
from tool_use_om.graphs.commands import main

TUOM = [sys.executable, "-c", f"from {main.__name__} import main; main()"]


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("TUOM_WHOLE"), reason="many minutes; TUOM_WHOLE=1 runs it")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_killed_commands_end_with_the_product_of_undisturbed_ones(job: Job) -> None:
    """Killed thrice at random, started again: done, equal, and nothing half-written left."""
    (row,) = run(TUOM, 3, seed=1, jobs=[job])
    assert row.faults == []
    assert (row.kills, row.finished, row.equal, row.left) == (3, 1, 1, 0)


APPENDS = """
import sys, time
from pathlib import Path
out = Path(sys.argv[1])
(out.parent / ".out.partial").touch()
with out.open("a") as file:
    for _ in range(20):
        file.write("x")
        file.flush()
        time.sleep(0.02)
"""


def test_a_command_that_leaves_half_is_noticed() -> None:
    """One that appends and cleans nothing: another product, and a scratch path left."""

    def command(folder: Path) -> Sequence[str]:
        return [str(folder / "out")]

    job = Job(
        name="appends", prepare=lambda _: [], command=command,
        product=lambda folder: (folder / "out").read_text(),
    )  # fmt: skip
    (row,) = run([sys.executable, "-c", APPENDS], 5, seed=2, jobs=[job])
    assert row.kills == 5
    assert row.equal == 0
    assert row.left == 1
    assert "| appends | 5 |" in render([row], "tuom bench kills")
