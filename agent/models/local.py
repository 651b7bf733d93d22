"""A Llama-family checkpoint in a folder as a chat model that can call tools.

`LocalChatModel.from_folder` reads a whole checkpoint or a LoRA adapter beside its base, as
`tuom sft` writes it. Weights are read from safetensors only: pickled ones could run code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    InvalidToolCall,
    ToolCall,
    convert_to_openai_messages,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

from tool_use_om.agent.models.chat_template import DATE, as_turns
from tool_use_om.agent.models.checkpoint import load_llama
from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Untyped

_PYTHON_TAG = "<|python_tag|>"
_ENDS = ("<|eot_id|>", "<|eom_id|>", "<|end_of_text|>")


class LocalChatModel(BaseChatModel):
    """A causal language model on this machine, greedy and deterministic.

    Parameters
    ----------
    folder : str, where it was loaded from
    max_new_tokens : int, tokens an answer may have
    network, text_tokenizer : the loaded model and its text tokenizer; see `from_folder`
    """

    folder: str
    max_new_tokens: int = 768
    network: Any = Field(exclude=True, repr=False)
    text_tokenizer: Any = Field(exclude=True, repr=False)

    @classmethod
    def from_folder(cls, path: str | Path, *, max_new_tokens: int = 768) -> LocalChatModel:
        """Load a Llama checkpoint, or an adapter and the base it names.

        Raises
        ------
        DataError : no such folder, no checkpoint in it, another family, pickled or damaged weights,
            weights of another shape than the config says
        """
        folder = Path(path).expanduser()
        network, tokenizer = load_llama(folder)
        return cls(
            folder=str(folder),
            max_new_tokens=max_new_tokens,
            network=network,
            text_tokenizer=tokenizer,
        )

    @property
    def _llm_type(self) -> str:
        return "tool-use-om-local"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"folder": self.folder, "max_new_tokens": self.max_new_tokens}

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Untyped,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model with `tools` in its prompt; it decides itself whether to call one."""
        if tool_choice not in (None, "auto"):
            raise DataError(f"A local model cannot be forced to call a tool: {tool_choice!r}.")
        return self.bind(tools=[convert_to_openai_tool(t) for t in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - BaseChatModel's form
        **kwargs: Untyped,
    ) -> ChatResult:
        text, n_in, n_out = self._complete(messages, kwargs.get("tools"))
        for mark in stop or ():
            text = text.split(mark, 1)[0]
        message = parse_reply(text, seed=f"{n_in}:{len(messages)}")
        message.usage_metadata = UsageMetadata(
            input_tokens=n_in, output_tokens=n_out, total_tokens=n_in + n_out
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _complete(
        self, messages: list[BaseMessage], tools: list[dict[str, Any]] | None
    ) -> tuple[str, int, int]:
        import torch

        inputs = self.text_tokenizer.apply_chat_template(
            as_turns(convert_to_openai_messages(m) for m in messages),
            tools=tools,
            add_generation_prompt=True,
            date_string=DATE,
            return_dict=True,
            return_tensors="pt",
        ).to(self.network.device)
        n_in = int(inputs["input_ids"].shape[1])
        self._check_room(n_in)
        with torch.inference_mode():
            ids = self.network.generate(
                **inputs,
                do_sample=False,
                max_new_tokens=self.max_new_tokens,
                eos_token_id=self._end_ids(),
                pad_token_id=self._end_ids()[0],
            )[0, n_in:]
        text = self.text_tokenizer.decode(ids, skip_special_tokens=False)
        for end in _ENDS:
            text = text.split(end, 1)[0]
        return text, n_in, len(ids)

    def _check_room(self, n_in: int) -> None:
        room = int(self.network.config.max_position_embeddings)
        if n_in + self.max_new_tokens > room:
            raise DataError(
                f"The conversation has {n_in} tokens and the answer may have "
                f"{self.max_new_tokens}, but {self.folder} holds {room}. Ask in fewer steps."
            )

    def _end_ids(self) -> list[int]:
        vocabulary = self.text_tokenizer.get_vocab()
        ends = [vocabulary[e] for e in _ENDS if e in vocabulary]
        return ends or [self.text_tokenizer.eos_token_id]


def parse_reply(text: str, *, seed: str = "") -> AIMessage:
    """Return what a Llama wrote as a message: a tool call where it is one, else its text.

    Understood: `{"name": …, "parameters": {…}}`, with "arguments" for "parameters", as JSON text
    for a dict, after an optional `<|python_tag|>`. Text that starts like a call but is not whole
    JSON becomes an invalid tool call.
    """
    body = text.strip().removeprefix(_PYTHON_TAG).strip()
    call_id = "call-" + hashlib.sha256(f"{seed}:{body}".encode()).hexdigest()[:12]
    if not body.startswith("{"):
        return AIMessage(content=body)
    try:
        value, _ = json.JSONDecoder().raw_decode(body)
        call = _as_call(value, call_id)
    except (ValueError, RecursionError) as error:
        return _invalid(body, call_id, str(error))
    return AIMessage(content="", tool_calls=[call]) if call else AIMessage(content=body)


def _as_call(value: dict[str, Any], call_id: str) -> ToolCall | None:
    name = value.get("name")
    arguments = value.get("parameters", value.get("arguments"))
    if not isinstance(name, str) or arguments is None:
        return None
    if isinstance(arguments, str):
        arguments = json.loads(arguments)
    if not isinstance(arguments, dict):
        raise ValueError(f"the arguments of {name} are not an object")  # noqa: TRY004 - parse error
    return ToolCall(name=name, args=arguments, id=call_id, type="tool_call")


def _invalid(body: str, call_id: str, error: str) -> AIMessage:
    if '"name"' not in body[:40]:
        return AIMessage(content=body)
    bad = InvalidToolCall(name=None, args=body, id=call_id, error=error, type="invalid_tool_call")
    return AIMessage(content="", invalid_tool_calls=[bad])
