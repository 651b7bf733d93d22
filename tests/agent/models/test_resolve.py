"""The resolver: which names give which model, and what is said when one cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from tool_use_om.agent.models.resolve import ModelError, redact, resolve_model
from tool_use_om.agent.offline.model import OfflineModel
from tool_use_om.data.errors import DataError


def test_models_offline_needs_nothing() -> None:
    """The default model has no key and no network."""
    assert isinstance(resolve_model("offline"), OfflineModel)


@pytest.mark.parametrize("name", ["gemini-2.5-flash", "", "offline2", "google_genai:"])
def test_models_refuse_a_name_without_a_provider(name: str) -> None:
    """A bare model name would be guessed at by others; here the form is told."""
    with pytest.raises(DataError, match="'google_genai:NAME'"):
        resolve_model(name)


def test_models_local_names_the_folder_that_is_missing(tmp_path: Path) -> None:
    """A checkpoint folder must exist."""
    with pytest.raises(DataError, match="nowhere is none"):
        resolve_model(f"local:{tmp_path}/nowhere")


def test_models_gemini_says_where_the_key_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key nothing is sent; the variable and the way out are named."""
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    with pytest.raises(ModelError, match=r"GOOGLE_API_KEY.*offline"):
        resolve_model("google_genai:gemini-2.5-flash")


def test_models_of_other_providers_name_the_package_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """langchain is no dependency of ours: it is asked for only then."""
    monkeypatch.setattr("tool_use_om.agent.models.resolve.find_spec", lambda _name: None)
    with pytest.raises(ModelError, match="pip install langchain langchain-some-one"):
        resolve_model("some_one:model")
    with pytest.raises(ModelError, match=r"tool-use-om\[gemini\]"):
        resolve_model("google_genai:gemini-2.5-flash")


def test_models_of_unknown_providers_are_refused_in_words() -> None:
    """What langchain says about a provider it does not know is passed on."""
    pytest.importorskip("langchain")
    with pytest.raises(ModelError, match="nobody"):
        resolve_model("nobody:model")


def test_models_redact_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values of key variables never reach a message."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-123")
    assert redact("bad\nkey sk-123 given") == "bad key $OPENAI_API_KEY given"
