"""The reader: what trains and what does not, runs that go on exactly, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tool_use_om.agent.training.describe import (
    DescribeConfig,
    corpus_words,
    last_checkpoint,
    load_reader,
    train_reader,
)
from tool_use_om.agent.training.events import EventWriter, read_events
from tool_use_om.agent.training.tiny_llama import make_text_tokenizer, save_tiny_llama
from tool_use_om.data.errors import DataError
from tool_use_om.heads.describe.encoder import N_SOFT, rows_of
from tool_use_om.heads.describe.exam import held_out, lessons_of, read_exam
from tool_use_om.heads.describe.prompts import Prompt, prompt_of, without_signal
from tool_use_om.heads.describe.reader import Reader, loss_over_words
from tool_use_om.heads.describe.tasks import SIGNAL, Tasks

CONFIG = DescribeConfig(steps=6, batch_size=2, warm_steps=3, save_steps=2)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a causal language model of random weights."""
    tasks = Tasks(0)
    texts = [p.text + p.answer for p in (prompt_of(tasks.sample(i)) for i in range(40))]
    folder = tmp_path_factory.mktemp("tiny")
    return save_tiny_llama(folder, make_text_tokenizer(texts, vocab_size=400), d_model=32)


def reader_of(tiny: Path, source: str = "curves") -> Reader:
    from tool_use_om.agent.training.compact import load_base

    return Reader(*load_base(tiny), source)


@pytest.fixture(scope="module")
def unbroken(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Return (folder, card) of a run that nothing stopped."""
    out = tmp_path_factory.mktemp("run") / "unbroken"
    return out, train_reader(reader_of(tiny), out, CONFIG)


def test_only_encoder_and_projector_train(tiny: Path) -> None:
    """The language model's weights have no gradient and the same hash after a run; others moved."""
    reader = reader_of(tiny)
    assert not any(p.requires_grad for p in reader.network.parameters())
    before = reader.frozen_hash()
    own = {k: v.clone() for k, v in reader.encoder.state_dict().items()}
    sample = prompt_of(Tasks(0).sample(0, "B"))
    words = corpus_words(reader, 0)
    optimizer = torch.optim.SGD(reader.encoder.parameters(), lr=1.0)
    reader.loss(reader.batch([sample], [sample.answer]), words)[0].backward()
    optimizer.step()
    assert reader.frozen_hash() == before
    still = [k for k, v in reader.encoder.state_dict().items() if torch.equal(v, own[k])]
    assert not [k for k in still if "weight" in k]


def test_a_changed_language_model_is_a_fault(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frozen is proved by the hash, not by belief."""
    hashes = iter(["one", "other"])
    reader = reader_of(tiny)
    monkeypatch.setattr(reader, "frozen_hash", lambda: next(hashes))
    with pytest.raises(DataError, match="have changed"):
        train_reader(reader, tmp_path / "run", replace(CONFIG, steps=1, save_steps=0))


def test_loss_over_words_is_the_loss_of_the_whole_vocabulary_on_those_words() -> None:
    """Equal to a softmax in which all other logits are minus infinity; gradients, too."""
    torch.manual_seed(0)
    hidden = torch.randn(7, 16, requires_grad=True)
    weight, words = torch.randn(50, 16), [3, 8, 21, 40]
    target = torch.tensor([3, 8, 8, 40, 21, 3, 40])
    loss, _ = loss_over_words(hidden, weight, target, words)
    (short,) = torch.autograd.grad(loss, hidden)
    rest = torch.full((50,), -torch.inf)
    rest[words] = 0.0
    whole = torch.nn.functional.cross_entropy(hidden @ weight.T + rest, target)
    (long,) = torch.autograd.grad(whole, hidden)
    assert torch.allclose(loss, whole, atol=1e-6)
    assert torch.allclose(short, long, atol=1e-6)


def test_a_token_that_is_not_chosen_between_is_an_error() -> None:
    """It would else count as another one."""
    with pytest.raises(DataError, match="not chosen between"):
        loss_over_words(torch.randn(1, 4), torch.randn(9, 4), torch.tensor([5]), [1, 2])


def test_loss_is_of_the_answer_alone(tiny: Path) -> None:
    """Another question with the same answer has as many taught tokens; padding none."""
    reader = reader_of(tiny)
    prompts = [prompt_of(Tasks(0).sample(i, "B")) for i in range(2)]
    prompts.append(prompt_of(Tasks(0).sample(0, "C")))
    batch = reader.batch(prompts, ["cpu", "none", "yes"])
    counts = [len(reader.answer_ids(a)) for a in ("cpu", "none", "yes")]
    assert batch.taught.sum(dim=1).tolist() == counts
    assert batch.soft.sum(dim=1).tolist() == [4 * N_SOFT, 4 * N_SOFT, N_SOFT]
    assert not (batch.taught & batch.soft).any()


def test_a_row_reads_the_same_alone_and_beside_a_longer_one(tiny: Path) -> None:
    """Padding changes nothing, and each question reads its own signals."""
    reader = reader_of(tiny)
    one, other = (prompt_of(Tasks(0).sample(2, task)) for task in ("C", "B"))
    alone = reader.option_scores(one)
    both = reader.batch([other, one], ["cpu", "yes"])
    words = sorted({i for o in one.options for i in reader.answer_ids(o)}
                   | {i for o in other.options for i in reader.answer_ids(o)})  # fmt: skip
    single = reader.batch([one], ["yes"])
    with torch.inference_mode():
        _, _, each = reader.loss(both, words)
        _, _, own = reader.loss(single, words)
    assert torch.allclose(each[-len(own) :], own, atol=1e-4)
    assert alone.shape == (2,)


def test_another_signal_gives_another_answer_and_the_tokens_of_a_tokenizer_do_as_well(
    tiny: Path,
) -> None:
    """Both ways of reading reach the language model."""
    for source in ("curves", "moment-tiny"):
        reader = reader_of(tiny, source)
        flat = Prompt(text=f"x {SIGNAL} ?", rows=(rows_of(np.arange(50.0)),), answer="",
                      options=("yes", "no"))  # fmt: skip
        wave = replace(flat, rows=(rows_of(np.sin(np.arange(50.0))),))
        assert not np.allclose(reader.option_scores(flat), reader.option_scores(wave))


def test_a_resumed_run_has_the_losses_of_an_unbroken_one(
    tiny: Path, unbroken: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """Exactly: same losses, same weights."""
    out = tmp_path / "broken"
    reader = reader_of(tiny)
    steps = iter(range(100))

    def stop(_: dict[str, Any]) -> None:
        if next(steps) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_reader(reader, out, CONFIG, stop)
    assert last_checkpoint(out).name == "epoch_0_step_4"  # type: ignore[union-attr]
    card = train_reader(reader_of(tiny), out, CONFIG)
    assert card["losses"] == unbroken[1]["losses"]
    whole = (unbroken[0] / "encoder.safetensors").read_bytes()
    assert (out / "encoder.safetensors").read_bytes() == whole


def test_a_killed_run_loses_at_most_the_steps_since_its_last_checkpoint(
    tiny: Path, tmp_path: Path
) -> None:
    """kill -9 at any time: what is there is whole, and the same command goes on by --resume."""
    out = tmp_path / "killed"
    command = [
        sys.executable, "-m", "tool_use_om.graphs.commands.main", "describe", "pretrain",
        "--model", str(tiny), "--out", str(out), "--steps", "400", "--batch-size", "2",
        "--warm-steps", "3", "--save-steps", "2", "--precision", "float32",
        "--workspace", str(tmp_path),
    ]  # fmt: skip
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while (last_checkpoint(out) or Path("_0")).name.endswith("_0"):
            assert running.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
    state = last_checkpoint(out)
    assert state is not None
    reader = reader_of(tiny)
    recipe = json.loads((out / "recipe.json").read_text())
    done = int(state.name.rpartition("_")[2])
    del recipe["width"]
    resumed = DescribeConfig(**recipe)
    said: list[float] = []

    def watch(event: dict[str, Any]) -> None:
        said.append(event["done"])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_reader(reader, out, resumed, watch)
    assert said == [done]


def test_progress_losses_are_event_files_that_can_be_read_back(
    unbroken: tuple[Path, dict[str, Any]],
) -> None:
    """Loss and token accuracy of each step, by task."""
    out, card = unbroken
    (file,) = (out / "events").iterdir()
    told = {step: scalars for step, scalars in read_events(file) if "rate" in scalars}
    assert sorted(told) == list(range(6))
    for step, kind, loss in card["losses"]:
        assert told[step][f"{kind}/loss"] == pytest.approx(loss, abs=1e-5)


def test_an_event_file_with_a_torn_end_is_read_up_to_there(tmp_path: Path) -> None:
    """A killed run leaves at most one half record."""
    writer = EventWriter(tmp_path)
    writer.add(3, {"loss": 0.5})
    writer.add(4, {"loss": 0.25})
    data = writer.path.read_bytes()
    writer.path.write_bytes(data[:-3])
    assert read_events(writer.path) == [(3, {"loss": 0.5})]


def test_a_trained_reader_is_loaded_and_answers_as_before(
    tiny: Path, unbroken: tuple[Path, dict[str, Any]]
) -> None:
    reader = load_reader(unbroken[0], *_base(tiny))
    again = load_reader(unbroken[0], *_base(tiny))
    prompts = [prompt_of(Tasks(1).sample(i, "C")) for i in range(3)]
    assert reader.choose(prompts) == again.choose(prompts)


def test_an_answer_is_written_token_by_token_as_without_a_cache(tiny: Path) -> None:
    """Keys and values kept from step to step change nothing; it ends with its line or its limit."""
    reader = reader_of(tiny)
    prompt = prompt_of(Tasks(0).sample(0, "A"))
    ids = reader.ids_of(prompt.parts()[0])
    assert ids
    words = corpus_words(reader, 0)
    text = reader.write(prompt, words, most=5)
    said: list[int] = []
    weight = reader.network.get_output_embeddings().weight[words]
    for _ in range(5):
        batch = reader.batch([prompt], None)
        more = torch.tensor([said], dtype=torch.long)
        with torch.inference_mode():
            embedded = torch.cat(
                [reader.embedded(batch), reader.network.get_input_embeddings()(more)], dim=1
            )
            out = reader.network.base_model(inputs_embeds=embedded).last_hidden_state[0, -1]
        said.append(words[int((weight @ out).argmax())])
    assert reader.tokenizer.decode(said, skip_special_tokens=True).startswith(text)


def test_options_are_told_by_their_first_token_or_read_to_their_ends(tiny: Path) -> None:
    """Options with a common beginning get their scores as wholes; without options none."""
    reader = reader_of(tiny)
    prompt = prompt_of(Tasks(0).sample(1, "C"))
    assert reader.choose([prompt])[0] in prompt.options
    alike = replace(prompt, options=("yes it does", "yes it does not"))
    expected = alike.options[int(np.argmax(reader.option_scores(alike)))]
    assert reader.choose([alike]) == [expected]
    with pytest.raises(DataError, match="no options"):
        reader.option_scores(replace(prompt, options=()))


def test_a_reader_of_another_width_is_refused(
    tiny: Path, unbroken: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    texts = [prompt_of(Tasks(0).sample(i)).text for i in range(10)]
    wide = save_tiny_llama(tmp_path, make_text_tokenizer(texts, vocab_size=300), d_model=64)
    with pytest.raises(DataError, match="width 32, this one is 64"):
        load_reader(unbroken[0], *_base(wide))


def test_bad_input_is_one_clear_error_each(
    tiny: Path, unbroken: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """No end, another run's folder, no reader, no signal, too short a signal."""
    reader = reader_of(tiny)
    with pytest.raises(DataError, match="--minutes or --steps"):
        train_reader(reader, tmp_path / "new", replace(CONFIG, steps=0))
    with pytest.raises(DataError, match="other seed"):
        train_reader(reader, unbroken[0], replace(CONFIG, seed=5))
    with pytest.raises(DataError, match="No trained reader"):
        load_reader(tmp_path, *_base(tiny))
    with pytest.raises(DataError, match="must say <signal>"):
        reader.batch([Prompt(text="What?", rows=(rows_of(np.arange(9.0)),), answer="")], ["x"])
    for values in (np.arange(3.0), np.full(50, np.nan)):
        with pytest.raises(DataError, match="at least 8 samples"):
            rows_of(values)


def test_text_alone_says_the_scale_or_nothing_of_the_signal() -> None:
    """The baselines see what they are said to see."""
    prompt = prompt_of(Tasks(0).sample(0, "B"))
    scaled, bare = (without_signal(prompt, scale=s) for s in (True, False))
    assert SIGNAL not in scaled.text
    assert "mean" in scaled.text
    assert bare.text == "Which resource is the bottleneck?\nAnswer:"


def test_words_to_choose_between_hold_those_of_every_text(tiny: Path) -> None:
    """A rare unit of time late in a run is no surprise."""
    reader = reader_of(tiny)
    words = set(corpus_words(reader, 0))
    for number in range(1500):
        answer = Tasks(77).sample(number, "A").answer
        assert set(reader.answer_ids(answer)) <= words, answer


def test_a_run_that_goes_on_is_loaded_by_its_last_checkpoint(
    tiny: Path, unbroken: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """So that it can be judged before its end; afterwards its card and weights count."""
    out = tmp_path / "going"
    shutil.copytree(unbroken[0], out)
    (out / "reader.json").unlink()
    (out / "encoder.safetensors").unlink()
    going, ended = (load_reader(f, *_base(tiny)) for f in (out, unbroken[0]))
    for name, weight in ended.encoder.state_dict().items():
        assert torch.equal(weight, going.encoder.state_dict()[name])


def test_a_stage_starts_from_the_one_before_and_learns_its_own_lessons(
    tiny: Path, unbroken: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    """No step: the weights of the stage before; some: others. Held-out questions give no lesson."""
    ramp = [float(i) for i in range(20)]
    item = {"question": "?", "options": ["a", "b"], "answer": "b", "category": "k"}
    file = tmp_path / "qa_dataset.json"
    file.write_text(json.dumps([item | {"ts": [*ramp, float(k)]} for k in range(9)]))
    before = (unbroken[0] / "encoder.safetensors").read_bytes()
    config = replace(CONFIG, exam=str(file), start_from=str(unbroken[0]), steps=1, save_steps=0)
    cold = replace(config, encoder_rate=0.0, projector_rate=0.0)
    card = train_reader(reader_of(tiny), tmp_path / "cold", cold)
    assert (tmp_path / "cold" / "encoder.safetensors").read_bytes() == before
    assert [kind for _, kind, _ in card["losses"]] == ["exam"]
    train_reader(reader_of(tiny), tmp_path / "warm", config)
    assert (tmp_path / "warm" / "encoder.safetensors").read_bytes() != before
    items = read_exam(file)
    assert len(lessons_of(items)) == 6
    assert not {id(i) for i in lessons_of(items)} & {id(i) for i in held_out(items)}
    with pytest.raises(DataError, match="reads curves, not moment-tiny"):
        train_reader(
            reader_of(tiny, "moment-tiny"),
            tmp_path / "other",
            replace(config, source="moment-tiny"),
        )


def _base(folder: Path) -> tuple[Any, Any]:
    from tool_use_om.agent.training.compact import load_base

    found: tuple[Any, Any] = load_base(folder)
    return found
