"""One resolver from a model's name to a chat model; nothing heavy is loaded before it is asked."""

from __future__ import annotations

import os
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.tools import BaseTool
from pydantic import SecretStr

from tool_use_om.data.errors import DataError, TuomError

_KEY_VARIABLES = ("GOOGLE_API_KEY", "GEMINI_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY")
_TIMEOUT_S = 120.0
_RETRIES = 2


class ModelError(TuomError, RuntimeError):
    """A chat model that cannot be had, or that failed: no key, no network, no such name."""


def resolve_model(name: str, workspace: str | None = None) -> BaseChatModel:
    """Return the chat model called `name`.

    Parameters
    ----------
    name : "offline" (deterministic, no key, no network), "google_genai:<model>" (key in
        $GOOGLE_API_KEY), "local:<folder>" (a Llama-family checkpoint), "orchestrator" (the
        trained one, no key, no network), "auto" (the reader, and the trained one where the
        reader asks back; offline alone where its base is not installed), or any other
        "<provider>:<model>" that langchain's `init_chat_model` knows
    workspace : where the orchestrator's weights lie; None = the default workspace

    Raises
    ------
    DataError : the name has no such form, or the folder does not exist
    ModelError : the provider's package or key is missing
    """
    if name == "offline":
        from tool_use_om.agent.offline.model import OfflineModel

        return OfflineModel()
    if name == "orchestrator":
        return _orchestrator(workspace)
    if name == "auto":
        return _auto(workspace)
    provider, _, rest = name.partition(":")
    if not rest:
        raise DataError(
            f"A model is 'offline', 'auto', 'orchestrator', 'google_genai:NAME', 'local:FOLDER' or "
            f"'PROVIDER:NAME'; "
            f"got {name!r}. A provider must be named, as in 'google_genai:gemini-2.5-flash'."
        )
    if provider == "local":
        return _local(str(Path(rest).expanduser().resolve()))
    if provider != "google_genai":
        return _other(provider, name)
    key = os.environ.get("GOOGLE_API_KEY") or os.environ.get("GEMINI_API_KEY") or ""
    return _gemini(rest, key, os.environ.get("GOOGLE_GEMINI_BASE_URL"))


@lru_cache(maxsize=1)
def _orchestrator(workspace: str | None) -> BaseChatModel:
    from tool_use_om.agent.orchestrator.base import load
    from tool_use_om.agent.orchestrator.decode import Decoder
    from tool_use_om.agent.orchestrator.model import OrchestratorModel
    from tool_use_om.data.workspace import Workspace

    return OrchestratorModel(writer=Decoder(*load(Workspace.at(workspace))))


@lru_cache(maxsize=1)
def _auto(workspace: str | None) -> BaseChatModel:
    from tool_use_om.agent.offline.model import OfflineModel
    from tool_use_om.agent.orchestrator.base import is_ready, load
    from tool_use_om.data.workspace import Workspace

    place = Workspace.at(workspace)
    if not is_ready(place):
        return OfflineModel()
    from tool_use_om.agent.orchestrator.auto import AutoModel
    from tool_use_om.agent.orchestrator.decode import Decoder

    return AutoModel(writer=Decoder(*load(place)))


@lru_cache(maxsize=2)
def _local(folder: str) -> BaseChatModel:
    if not Path(folder).is_dir():
        raise DataError(f"'local:' needs a folder with a checkpoint; {folder} is none.")
    from tool_use_om.agent.models.local import LocalChatModel

    return LocalChatModel.from_folder(Path(folder))


@lru_cache(maxsize=4)  # a client takes a tenth of a second to make, and every step asks for one
def _gemini(model: str, key: str, base_url: str | None) -> BaseChatModel:
    if find_spec("langchain_google_genai") is None:
        raise ModelError("Gemini needs an extra: pip install 'tool-use-om[gemini]'.")
    if not key:
        raise ModelError(
            "Gemini needs a key: set GOOGLE_API_KEY (https://aistudio.google.com/apikey), "
            "or use --model offline, which needs none."
        )
    from langchain_google_genai import ChatGoogleGenerativeAI

    return ChatGoogleGenerativeAI(
        model=model,
        google_api_key=SecretStr(key),
        base_url=base_url,
        temperature=0.0,
        timeout=_TIMEOUT_S,
        max_retries=_RETRIES,
    )


def _other(provider: str, name: str) -> BaseChatModel:
    if find_spec("langchain") is None:
        raise ModelError(
            f"Models of {provider!r} come through langchain: "
            f"pip install langchain langchain-{provider.replace('_', '-')}."
        )
    from langchain.chat_models import init_chat_model

    try:
        model: BaseChatModel = init_chat_model(name, temperature=0.0)
    except (ImportError, ValueError) as error:
        raise ModelError(f"The model {name!r} cannot be had: {redact(str(error))}") from error
    return model


def ask(
    model: BaseChatModel,
    messages: list[BaseMessage],
    *,
    phase: str,
    tools: list[BaseTool] | None = None,
) -> AIMessage:
    """Return the model's reply.

    Raises
    ------
    ModelError : whatever the provider raised, in one line, with keys blanked out
    """
    try:
        runnable = model.bind_tools(tools) if tools else model
        reply = runnable.invoke(messages)
    except TuomError:
        raise
    except Exception as error:  # each provider has its own error classes
        text = redact(f"{type(error).__name__}: {error}")[:600]
        raise ModelError(
            f"The model {_name_of(model)!r} failed while asked to {phase}: {text} "
            "Check its name, key and network, or use --model offline."
        ) from error
    if not isinstance(reply, AIMessage):
        raise ModelError(f"The model {_name_of(model)!r} returned {type(reply).__name__}.")
    return reply


def redact(text: str) -> str:
    """Return `text` on one line, without the values of the environment's API keys."""
    for variable in _KEY_VARIABLES:
        if value := os.environ.get(variable):
            text = text.replace(value, f"${variable}")
    return " ".join(text.split())


def _name_of(model: BaseChatModel) -> str:
    return str(getattr(model, "model", None) or model._llm_type)  # noqa: SLF001 - its only name
