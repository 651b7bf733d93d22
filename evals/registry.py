"""The suites by name. One file and one line adds a suite."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping

from tool_use_om.data.errors import unknown
from tool_use_om.evals.runner import Suite

SUITES: Mapping[str, str] = {
    "tools": "tool_use_om.evals.suites.questions.suite:ToolSuite",
    "reader": "tool_use_om.evals.suites.questions.reader:ReaderSuite",
    "answers": "tool_use_om.evals.suites.questions.answers:AnswersSuite",
    "heads": "tool_use_om.evals.suites.classify.heads:HeadSuite",
    "forecast": "tool_use_om.evals.suites.forecast.suite:ForecastSuite",
    "gate": "tool_use_om.evals.suites.classify.gate:GateSuite",
    "retrieval": "tool_use_om.evals.suites.classify.retrieval:RetrievalSuite",
    "anomaly": "tool_use_om.evals.suites.anomaly.suite:AnomalySuite",
    "fewshot": "tool_use_om.evals.suites.classify.fewshot:FewShotSuite",
    "labels": "tool_use_om.evals.suites.classify.labels:LabelsSuite",
    "faithfulness": "tool_use_om.evals.suites.faithfulness.suite:FaithfulnessSuite",
    "coverage": "tool_use_om.evals.suites.coverage:CoverageSuite",
}


def suite_class(name: str) -> Callable[..., Suite]:
    """Return the class of a suite; raise NotFoundError with the nearest names otherwise."""
    if name not in SUITES:
        raise unknown("suite", name, SUITES)
    found: Callable[..., Suite] = pkgutil.resolve_name(SUITES[name])
    return found
