"""The local chat model: what it reads as a call, and which folders it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from tool_use_om.agent.models.local import LocalChatModel, parse_reply
from tool_use_om.agent.training.tiny_llama import make_text_tokenizer, save_tiny_llama
from tool_use_om.data.errors import DataError


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a random-weight Llama of two small layers."""
    folder = tmp_path_factory.mktemp("llama") / "tiny"
    return save_tiny_llama(folder, make_text_tokenizer(["how many"], vocab_size=300), d_model=16)


@pytest.fixture
def copy(checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(checkpoint, tmp_path / "copy"))


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "f", "parameters": {"a": 1}}',
        '{"name": "f", "arguments": {"a": 1}}',
        '{"name": "f", "arguments": "{\\"a\\": 1}"}',
        ' <|python_tag|>{"name": "f", "parameters": {"a": 1}}',
        '{"type": "function", "name": "f", "parameters": {"a": 1}}; {"name": "g"}',
    ],
)
def test_parse_reply_reads_every_form_a_llama_writes_a_call_in(text: str) -> None:
    """Parameters or arguments, JSON or JSON text, with a tag or not; the first counts."""
    (call,) = parse_reply(text).tool_calls
    assert (call["name"], call["args"]) == ("f", {"a": 1})


@pytest.mark.parametrize("text", ["All done.", '{"steps": [{"tool": "f"}]}', "{half", ""])
def test_parse_reply_keeps_what_is_not_a_call_as_text(text: str) -> None:
    """A plan, an answer or broken text is content: nothing is called."""
    reply = parse_reply(text)
    assert reply.content == text
    assert not reply.tool_calls
    assert not reply.invalid_tool_calls


@pytest.mark.parametrize(
    "text", ['{"name": "f", "parameters": {"a":', '{"name": "f", "parameters": [1]}']
)
def test_parse_reply_marks_a_broken_call_as_invalid(text: str) -> None:
    """A call cut short, or with arguments that are no object, is reported and not called."""
    reply = parse_reply(text)
    assert not reply.tool_calls
    assert reply.invalid_tool_calls[0]["args"] == text


def test_local_model_generates_the_same_twice(checkpoint: Path) -> None:
    """Greedy decoding: one conversation, one reply, its tokens counted."""
    model = LocalChatModel.from_folder(checkpoint, max_new_tokens=8)
    first, second = (model.invoke([HumanMessage("how many?")]) for _ in range(2))
    assert first.content == second.content
    assert first.usage_metadata is not None
    assert 0 < first.usage_metadata["output_tokens"] <= 8


def test_local_model_takes_a_whole_conversation_with_tools(checkpoint: Path) -> None:
    """System text, calls with text beside them, and tool results all find their place."""
    model = LocalChatModel.from_folder(checkpoint, max_new_tokens=2)
    call = {"name": "f", "args": {"a": 1}, "id": "1"}
    talk = [
        SystemMessage("be brief"),
        HumanMessage("how many?"),
        AIMessage("I look.", tool_calls=[call]),
        ToolMessage('{"n": 1}', tool_call_id="1"),
    ]
    schema = {"type": "function", "function": {"name": "f", "description": "", "parameters": {}}}
    assert model.bind_tools([schema]).invoke(talk).usage_metadata is not None


def test_local_model_refuses_a_conversation_longer_than_it_holds(checkpoint: Path) -> None:
    """Tokens over the model's context are an error that counts them, not a silent cut."""
    model = LocalChatModel.from_folder(checkpoint, max_new_tokens=32768)
    with pytest.raises(DataError, match="holds 32768"):
        model.invoke([HumanMessage("how many?")])


def test_local_model_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """The error names the folder."""
    with pytest.raises(DataError, match="nowhere"):
        LocalChatModel.from_folder(tmp_path / "nowhere")


def test_local_model_refuses_a_folder_without_a_checkpoint(tmp_path: Path) -> None:
    """The error says which files would make it one."""
    with pytest.raises(DataError, match=r"config\.json"):
        LocalChatModel.from_folder(tmp_path)


def test_local_model_refuses_another_family(copy: Path) -> None:
    """Only Llama's template and call form are understood."""
    (copy / "config.json").write_text('{"model_type": "t5"}')
    with pytest.raises(DataError, match="Llama-family"):
        LocalChatModel.from_folder(copy)


def test_local_model_refuses_pickled_weights(copy: Path) -> None:
    """A .bin is never unpickled: it could run code."""
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(DataError, match="pickled weights could run code"):
        LocalChatModel.from_folder(copy)


@pytest.mark.parametrize(
    ("field", "value"), [("hidden_size", 32), ("num_hidden_layers", 3), ("vocab_size", 400)]
)
def test_local_model_refuses_weights_of_another_shape(copy: Path, field: str, value: int) -> None:
    """Weights that do not fit the config are refused, never filled up with random numbers."""
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, field: value, "layer_types": None}))
    with pytest.raises(DataError, match="copy"):
        LocalChatModel.from_folder(copy)


def test_local_model_refuses_damaged_weights(copy: Path) -> None:
    """A truncated file is an error that names the folder."""
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match="cannot be loaded"):
        LocalChatModel.from_folder(copy)


def test_local_model_refuses_an_adapter_without_its_base(copy: Path) -> None:
    """An adapter alone is not a model; the error says what is missing."""
    (copy / "adapter_config.json").write_text("{}")
    with pytest.raises(DataError, match="base"):
        LocalChatModel.from_folder(copy)
