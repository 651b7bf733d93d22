"""`--model auto`: the reader plans, and the orchestrator what the reader would ask back about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from safetensors import safe_open

from tool_use_om.agent.context import AgentContext
from tool_use_om.agent.graph import build_graph
from tool_use_om.agent.models.resolve import resolve_model
from tool_use_om.agent.offline.model import OfflineModel
from tool_use_om.agent.orchestrator import base
from tool_use_om.agent.orchestrator.auto import AutoModel
from tool_use_om.data.workspace import Workspace

pytest.importorskip("llguidance")
UNSURE = "gyroscope wobbliness of it"


class Written:
    """A writer that says what it is told to, and counts how often it was asked."""

    tokens_in = tokens_out = 1

    def __init__(self, plan: str) -> None:
        self.plan, self.asked = plan, 0

    def write(self, _prompt: str, _schema: object) -> Any:
        self.asked += 1
        yield self.plan


def _run(writer: Written, question: str, place: Path) -> dict[str, Any]:
    agent = build_graph(model=AutoModel(writer=writer))
    context = AgentContext(dataset="basic-motions", workspace=str(place))
    return dict(agent.invoke({"question": question}, context=context))


def _calls(found: dict[str, Any]) -> list[str]:
    return [c["name"] for m in found["messages"] if isinstance(m, AIMessage) for c in m.tool_calls]


def test_reader_answers_what_it_reads(sample_workspace: Path) -> None:
    writer = Written('{"calls":[["check_data",{}]]}')
    found = _run(writer, "How many sessions are there?", sample_workspace)
    assert writer.asked == 0
    assert _calls(found) == ["show_session_stats"]
    assert "orchestrator" not in found["answer"]


def test_orchestrator_answers_what_the_reader_would_ask_back(sample_workspace: Path) -> None:
    writer = Written(
        '{"calls":[["select_channels",{"channels":["gyroscope.x"]}],'
        '["show_channel_stats",{"statistic":"max"}]]}'
    )
    found = _run(writer, UNSURE, sample_workspace)
    assert writer.asked == 1
    assert _calls(found) == ["show_session_stats", "select_channels", "show_channel_stats"]
    assert "Planned by the trained orchestrator" in found["answer"]
    assert "wobbliness" in found["answer"].split("\n")[0], "words that nothing used are still named"


def test_reader_asks_back_where_the_orchestrator_has_no_plan(sample_workspace: Path) -> None:
    found = _run(Written('{"ask":"session"}'), UNSURE, sample_workspace)
    assert _calls(found) == []
    assert found["outcome"] == "question"


def test_auto_is_offline_where_the_base_is_not_installed(tmp_path: Path) -> None:
    assert isinstance(resolve_model("auto", str(tmp_path)), OfflineModel)


def test_shipped_adapter_is_small_and_says_what_it_is_for() -> None:
    """It names no folder of the machine it was made on, and passes its base's terms on."""
    files = {f.name: f for f in base.SHIPPED.iterdir()}
    assert files["adapter_model.safetensors"].stat().st_size < 6e6
    with safe_open(files["adapter_model.safetensors"], "pt") as weights:
        assert all("lora_" in name for name in weights.keys())  # noqa: SIM118 - not a mapping
    config = json.loads(files["adapter_config.json"].read_text())
    assert config["base_model_name_or_path"] == "google/gemma-3-270m"
    assert "Gemma Terms of Use" in files["README.md"].read_text()
    recipe = json.loads(files["training.json"].read_text())
    assert recipe["losses"][-1][1] < recipe["losses"][0][1]


def test_an_adapter_of_the_workspace_goes_before_the_shipped(tmp_path: Path) -> None:
    place = Workspace.at(tmp_path)
    assert base.adapter_folder(place) == base.SHIPPED
    own = base.trained_folder(place)
    own.mkdir(parents=True)
    (own / "adapter_config.json").write_text("{}")
    assert base.adapter_folder(place) == own
