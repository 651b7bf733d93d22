"""The offline model against LangChain's own standard unit tests."""

from __future__ import annotations

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_tests.unit_tests import ChatModelUnitTests

from tool_use_om.agent.offline.model import OfflineModel


class TestOfflineModel(ChatModelUnitTests):
    """Every standard test that applies to a model without key, endpoint or sampling settings."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return OfflineModel

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {}
