"""The orchestrator in the graph, and how it decodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.graph import build_graph
from tool_use_om.agent.orchestrator.decode import Decoder
from tool_use_om.agent.orchestrator.grammar import plan_schema
from tool_use_om.agent.orchestrator.model import OrchestratorModel
from tool_use_om.agent.orchestrator.protocol import prompt_of, read_plan
from tool_use_om.agent.prompts import act_prompt
from tool_use_om.agent.training.compact import load_base
from tool_use_om.tools.registry import TOOLS

pytest.importorskip("llguidance")


class Written:
    """A writer that says what it is told to, and remembers what it was asked."""

    tokens_in = tokens_out = 1

    def __init__(self, *plans: str) -> None:
        self.plans, self.asked = list(plans), []

    def write(self, prompt: str, schema: Mapping[str, Any] | None) -> Iterator[str]:
        self.asked.append(prompt)
        assert schema is not None
        yield from self.plans.pop(0)


def _run(writer: Written, question: str, root: Path) -> dict[str, Any]:
    agent = build_graph(model=OrchestratorModel(writer=writer))
    context = AgentContext(dataset="basic-motions", workspace=str(root))
    return dict(agent.invoke({"question": question}, context=context))


def test_orchestrator_answers_by_its_own_plan(tmp_path: Path) -> None:
    """One prompt, one plan, its calls in order, the answer from their results."""
    writer = Written(
        '{"calls":[["select_channels",{"channels":["accelerometer.x"]}],'
        '["show_channel_stats",{"statistic":"mean"}]]}'
    )
    found = _run(writer, "What is the mean of accelerometer.x?", tmp_path)
    made = [c["name"] for m in found["messages"] if isinstance(m, AIMessage) for c in m.tool_calls]
    assert made == ["show_session_stats", "select_channels", "show_channel_stats"]
    assert "mean" in found["answer"]
    assert found["outcome"] == "answer"
    assert len(writer.asked) == 1


@pytest.mark.parametrize(
    ("plan", "said", "outcome"),
    [
        ('{"ask":"session"}', "Which session is meant?", "question"),
        ('{"ask":"gyro","of":["gyroscope.x","gyroscope.y"]}', "gyroscope.x or gyro", "question"),
        ('{"lacks":"heart rate"}', 'nothing called "heart rate"', "refusal"),
        ('{"refuse":"advice"}', "no such advice", "refusal"),
    ],
)
def test_orchestrator_runs_nothing_where_it_asks_or_refuses(
    plan: str, said: str, outcome: str, tmp_path: Path
) -> None:
    """What is open, lacking or not ours is said; no tool is called."""
    found = _run(Written(plan), "plot it", tmp_path)
    assert said in found["answer"]
    assert found["outcome"] == outcome
    assert not any(isinstance(m, ToolMessage) for m in found["messages"])


def test_orchestrator_mends_a_call_by_its_error(cards: list[dict[str, Any]]) -> None:
    """A call that failed is planned again with the error in view; its arguments must be others."""
    wrong = '{"calls":[["list_datasets",{}],["run_task",{"target_label":"walking","k":9}]]}'
    writer = Written(
        wrong, '{"calls":[["list_datasets",{}],["run_task",{"target_label":"running"}]]}'
    )
    model = OrchestratorModel(writer=writer)
    prompt = act_prompt(datasets=cards[:1], working_set={}, plan=[], tools=list(TOOLS))
    messages: list[Any] = [prompt, HumanMessage("find it")]
    for reply in ("{}", "Error: there is no such thing"):
        call = model.invoke(messages)
        messages.append(call)
        status = "error" if reply.startswith("Error") else "success"
        made = call.tool_calls[0]
        messages.append(
            ToolMessage(reply, tool_call_id=made["id"], name=made["name"], status=status)
        )
    (mended,) = model.invoke(messages).tool_calls
    assert (mended["name"], mended["args"]) == ("run_task", {"target_label": "running"})
    assert "last: run_task failed: Error: there is no such thing" in writer.asked[-1]


def test_decoder_of_random_weights_writes_a_plan_and_keeps_its_cache(
    tiny: Path, cards: list[dict[str, Any]]
) -> None:
    """Whatever the weights: JSON that can be read; the same again, and with a cache as without."""
    decoder = Decoder(*load_base(tiny))
    schema = plan_schema("find walking", cards, ["run_task", "list_datasets"])
    first = prompt_of("find walking", cards[0])
    other = prompt_of("find running", cards[0])
    alone = "".join(Decoder(*load_base(tiny)).write(other, schema))
    pieces = list(decoder.write(first, schema))
    assert len(pieces) > 1  # it streams
    read_plan("".join(pieces))
    assert "".join(decoder.write(other, schema)) == alone
    assert decoder.forced > 0
    assert "".join(decoder.write(first, schema)) == "".join(pieces)
