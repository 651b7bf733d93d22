"""The suites by name. One file and one line adds a suite and its command."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tool_use_om.data.errors import unknown

if TYPE_CHECKING:
    from tool_use_om.evals.suites.base import BaseSuite


@dataclass(frozen=True)
class Entry:
    """A suite's help line and where its class is: `file:class` of the folder of suites."""

    help: str
    target: str

    @property
    def path(self) -> str:
        """The module and the class, in full."""
        return f"tool_use_om.evals.suites.{self.target}"


SUITES: Mapping[str, Entry] = {
    "tools": Entry(
        "Questions with known right tool calls: share of right tools, and of right arguments.",
        "questions.suite:ToolSuite",
    ),
    "reader": Entry(
        "Held-out phrasings about drawn sets: form read, calls planned, asked back, wrong.",
        "questions.reader:ReaderSuite",
    ),
    "orchestrator": Entry(
        "Held-out phrasings about drawn sets: plans of rules, reader, base and orchestrator.",
        "plans:OrchestratorSuite",
    ),
    "answers": Entry(
        "Held-out phrasings about drawn sets, answered: right, partly, wrong, asked back.",
        "questions.answers:AnswersSuite",
    ),
    "multiturn": Entry(
        "Conversations: turns that lean on the one before, against what they mean said whole.",
        "questions.conversations:ConversationSuite",
    ),
    "plain": Entry(
        "What a plain question gets: the answer, its members alone, coverage, what was left open.",
        "plain:PlainSuite",
    ),
    "heads": Entry(
        "Classification of test splits: heads, the agent's own answer, and peers.",
        "classify.heads:HeadSuite",
    ),
    "forecast": Entry(
        "Heads and peers under the published protocols: MSE, sMAPE, MASE, OWA, walk-forward.",
        "forecast.suite:ForecastSuite",
    ),
    "gate": Entry(
        "When a raw-space fallback answers instead of a head, and whether that was right.",
        "classify.gate:GateSuite",
    ),
    "retrieval": Entry(
        "Search by example across subjects: precision at k in tokens and, as peers, in samples.",
        "classify.retrieval:RetrievalSuite",
    ),
    "anomaly": Entry(
        "Labelled anomalies found by time split: VUS-PR and events hit, beside a random score.",
        "anomaly.suite:AnomalySuite",
    ),
    "fewshot": Entry(
        "Accuracy at 1, 5, 10 and 20 labelled sessions a class: heads and peers, with curves.",
        "classify.fewshot:FewShotSuite",
    ),
    "labels": Entry(
        "How many labels request_labels saves against labelling random windows.",
        "classify.labels:LabelsSuite",
    ),
    "faithfulness": Entry(
        "False narrations of real runs that are refused, by kind; true ones that are not.",
        "faithfulness.suite:FaithfulnessSuite",
    ),
    "coverage": Entry(
        "Coverage of sets and intervals over many random splits of the held-out sessions.",
        "coverage:CoverageSuite",
    ),
}


def suite_class(name: str) -> type[BaseSuite]:
    """Return the class of a suite; raise NotFoundError with the nearest names otherwise."""
    if name not in SUITES:
        raise unknown("suite", name, SUITES)
    found: type[BaseSuite] = pkgutil.resolve_name(SUITES[name].path)
    return found
