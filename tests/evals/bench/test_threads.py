"""Many questions at once: each gets its own answer, and nothing is kept of it."""

from __future__ import annotations

import os

import pytest

from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.bench import threads


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("TUOM_WHOLE"), reason="many minutes; TUOM_WHOLE=1 runs it")
@pytest.mark.timeout(600)
def test_many_questions_at_once_get_the_answers_they_get_alone(samples: Workspace) -> None:
    """No cross-talk between data sets and questions; memory within 5 %, no file stays open."""
    found = threads.run(240, 16, samples)
    assert found.wrong == ()
    assert found.growth_percent < 5
    assert found.end.files <= found.warm.files + 2


def test_an_answer_of_another_question_is_counted(
    samples: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The measure could fail: answers that change from call to call are all wrong."""
    calls = iter(range(1000))

    class Graph:
        def invoke(self, *_: object, **__: object) -> dict[str, object]:
            return {"answer": str(next(calls)), "result_ids": []}

    monkeypatch.setattr(threads, "build_graph", Graph)
    found = threads.run(10, 2, samples)
    assert len(found.wrong) == 10
    assert "10 " in threads.render(found, "tuom bench threads")
