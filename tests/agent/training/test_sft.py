"""Real training steps on a random-weight Llama, and the folder they leave."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage

from tool_use_om.agent.models.local import LocalChatModel
from tool_use_om.agent.training.sft import SftConfig, SftReport, read_rows, split_rows, train
from tool_use_om.data.errors import DataError

pytestmark = [
    # peft 0.21 reads an attribute that transformers 5.23 has renamed; nothing of ours does.
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
]


def test_sft_loss_is_finite_and_goes_down(tiny_sft: tuple[Path, SftReport]) -> None:
    """Seventy steps on two rows learn them: the last losses are far below the first."""
    losses = tiny_sft[1].losses
    assert all(math.isfinite(loss) for loss in losses)
    assert sum(losses[-3:]) / 3 < 0.2 * losses[0]


def test_sft_leaves_an_adapter_and_no_pickle(tiny_sft: tuple[Path, SftReport]) -> None:
    """The folder holds the adapter as safetensors, its text tokenizer and the report."""
    names = {p.name for p in tiny_sft[0].iterdir()}
    assert {"adapter_model.safetensors", "tokenizer.json", "training.json"} <= names
    assert not {n for n in names if n.endswith((".bin", ".pt", ".pkl"))}


def test_sft_report_counts_rows_and_the_assistants_tokens(
    tiny_sft: tuple[Path, SftReport],
) -> None:
    """Held-out rows are evaluated and not trained on; the report is in the folder."""
    folder, report = tiny_sft
    assert (report.rows, report.rows_held_out, report.rows_too_long) == (2, 1, 0)
    assert 0 < report.assistant_tokens < report.longest_row_tokens * report.rows
    assert report.held_out_loss is not None
    assert math.isfinite(report.held_out_loss)
    assert json.loads((folder / "training.json").read_text())["rows"] == 2


def test_sft_result_loads_as_a_local_model_and_repeats_what_it_learnt(
    tiny_sft: tuple[Path, SftReport], tiny_rows: Path, tmp_path: Path
) -> None:
    """The overfitted model answers a training question with the call it was shown, every time."""
    copied = tmp_path / "moved"
    shutil.copytree(tiny_sft[0], copied)
    model = LocalChatModel.from_folder(copied, max_new_tokens=48)
    model_with_tools = model.bind_tools(read_rows(tiny_rows)[0]["tools"])
    first, second = (model_with_tools.invoke([HumanMessage("use x")]) for _ in range(2))
    assert [(c["name"], c["args"]) for c in first.tool_calls] == [
        ("select_channels", {"channels": ["x"]})
    ]
    assert first.tool_calls == second.tool_calls


def test_sft_trains_on_a_folder_and_counts_the_rows_that_are_too_long(
    tiny_sft: tuple[Path, SftReport], tiny_rows: Path, tmp_path: Path
) -> None:
    """A row over `max_length` would lose what it teaches: it is left out and counted."""
    folder, whole = tiny_sft
    config = SftConfig(steps=1, max_length=whole.longest_row_tokens - 1)
    report = train(tiny_rows, str(folder / "base"), tmp_path / "out", config)
    assert report.rows + report.rows_too_long == 3
    assert 0 < report.rows_too_long < 3
    assert report.longest_row_tokens == whole.longest_row_tokens


def test_sft_refuses_a_max_length_that_leaves_nothing_to_learn(
    tiny_sft: tuple[Path, SftReport], tiny_rows: Path, tmp_path: Path
) -> None:
    """When every row is too long, the error says so, and nothing is left behind."""
    out = tmp_path / "out"
    with pytest.raises(DataError, match="max_length"):
        train(tiny_rows, str(tiny_sft[0] / "base"), out, SftConfig(steps=1, max_length=20))
    assert not out.exists()


def test_sft_learns_the_last_message_of_a_row_and_only_reads_the_others(tmp_path: Path) -> None:
    """An earlier call was chosen under another prompt; its own row teaches it."""
    said = {"role": "assistant", "content": "b"}
    talk = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "long " * 50}]
    reports = []
    for name, messages in (("short", talk[:1]), ("long", [*talk, talk[0]])):
        path = tmp_path / f"{name}.jsonl"
        path.write_text(json.dumps({"messages": [*messages, said]}) + "\n")
        reports.append(train(path, "random", tmp_path / name, SftConfig(steps=1)))
    assert reports[0].assistant_tokens == reports[1].assistant_tokens == 2
    assert reports[1].longest_row_tokens > reports[0].longest_row_tokens


def test_sft_refuses_a_folder_that_exists(tiny_rows: Path, tmp_path: Path) -> None:
    """An earlier adapter is never overwritten."""
    with pytest.raises(DataError, match="exists"):
        train(tiny_rows, "random", tmp_path)


@pytest.mark.parametrize(
    "text",
    ["", '{"question": "x"}\n', "[1]\n", '{"messages": [{"role": "user", "content": "x"}]}\n'],
)
def test_sft_refuses_a_file_without_rows(text: str, tmp_path: Path) -> None:
    """A file that holds no TRL rows is named in the error, and nothing is written."""
    path = tmp_path / "rows.jsonl"
    path.write_text(text)
    with pytest.raises(DataError, match=r"rows\.jsonl"):
        train(path, "random", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_split_rows_refuses_a_rule_that_leaves_nothing(tiny_rows: Path) -> None:
    """Holding out nothing, or everything, is a mistake in the rule."""
    rows = read_rows(tiny_rows)
    with pytest.raises(DataError, match="0 held out"):
        split_rows(rows, ["dataset=nowhere"])
    with pytest.raises(DataError, match="key=value"):
        split_rows(rows, ["nowhere"])
