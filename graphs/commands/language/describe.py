"""`tuom describe`: check the corpus of the describing layer, train it, judge it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from tool_use_om.graphs.commands.console import WorkspaceOption, bars

app = typer.Typer(
    help="The describing layer: check its corpus, train it, judge it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of the corpus.")]


ModelOption = Annotated[
    str | None,
    typer.Option(help="Folder or hub name of a causal language model; default: the installed one."),
]
PrecisionOption = Annotated[
    Literal["auto", "float32", "bfloat16"],
    typer.Option(help="Of the frozen model; auto: bfloat16 where the processor has it."),
]


@app.command()
def validate(
    *,
    samples: Annotated[int, typer.Option(min=1, help="How many to draw and read back.")] = 2000,
    seed: SeedOption = 0,
    out: Annotated[Path, typer.Option("--out", help="The HTML page.")] = Path("describe.html"),
) -> None:
    """Read the corpus back: contradictions, balance of answers, lengths; as a page with samples."""
    from tool_use_om.evals.describe.corpus import check_corpus, write_page

    with bars() as progress:
        checked = check_corpus(seed, samples, progress)
    write_page(checked, out)
    typer.echo(f"{samples} samples, {len(checked.wrong)} contradictions; page: {out}")
    if checked.wrong:
        raise typer.Exit(1)


@app.command()
def pretrain(
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder of the run.")],
    model: ModelOption = None,
    source: Annotated[
        str, typer.Option(help="What is read: curves, or the tokens of a tokenizer by name.")
    ] = "curves",
    minutes: Annotated[float, typer.Option(min=0, help="End by the clock; 0: by --steps.")] = 0.0,
    steps: Annotated[int, typer.Option(min=0, help="Optimiser steps.")] = 0,
    batch_size: Annotated[int, typer.Option(min=1)] = 8,
    warm_steps: Annotated[
        int, typer.Option(min=0, help="Steps of the encoder alone, on facts of curves.")
    ] = 1000,
    encoder_rate: Annotated[float, typer.Option(min=0)] = 3e-4,
    projector_rate: Annotated[float, typer.Option(min=0)] = 1e-3,
    save_minutes: Annotated[float, typer.Option(min=0, help="Between checkpoints.")] = 5.0,
    save_steps: Annotated[int, typer.Option(min=0, help="Instead, by steps.")] = 0,
    exam: Annotated[
        Path | None, typer.Option(help="Learn from TimeSeriesExam's qa_dataset.json instead.")
    ] = None,
    start_from: Annotated[
        Path | None, typer.Option(help="Folder of the reader of the stage before.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the folder's last checkpoint.")
    ] = False,
    precision: PrecisionOption = "auto",
    seed: SeedOption = 0,
    workspace: WorkspaceOption = None,
) -> None:
    """Train the signal encoder through a frozen language model; `--resume` goes on."""
    from tool_use_om.agent.orchestrator.base import load_language_model
    from tool_use_om.agent.training.describe import DescribeConfig, last_checkpoint, train_reader
    from tool_use_om.data.errors import DataError
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.heads.describe.reader import Reader

    if not resume and out.is_dir() and last_checkpoint(out) is not None:
        raise DataError(f"{out} holds a run. Go on with it by --resume, or give a new folder.")
    config = DescribeConfig(
        source=source,
        minutes=minutes,
        steps=steps,
        batch_size=batch_size,
        warm_steps=warm_steps,
        encoder_rate=encoder_rate,
        projector_rate=projector_rate,
        save_minutes=save_minutes,
        save_steps=save_steps,
        seed=seed,
        exam=str(exam or ""),
        start_from=str(start_from or ""),
    )
    network, tokenizer = load_language_model(model, Workspace.at(workspace), precision)
    reader = Reader(network, tokenizer, source, seed)
    with bars() as progress:
        card = train_reader(reader, out, config, progress)
    last = [loss for _, _, loss in card["losses"][-20:]]
    typer.echo(
        f"{card['steps']} steps, {card['samples']} samples, {card['minutes']} minutes; loss of the "
        f"last steps {sum(last) / max(1, len(last)):.3f}; language model unchanged "
        f"({card['language_model_hash'][:12]}); reader: {out}"
    )


@app.command()
def judge(
    *,
    reader: Annotated[Path, typer.Option(help="Folder of a trained reader.")],
    model: ModelOption = None,
    samples: Annotated[int, typer.Option(min=10, help="Held-out questions a task.")] = 150,
    fit: Annotated[int, typer.Option(min=50, help="Questions that readouts are fitted on.")] = 200,
    probe: Annotated[int, typer.Option(min=50, help="Those the probe is fitted on.")] = 1000,
    precision: PrecisionOption = "auto",
    seed: SeedOption = 0,
    workspace: WorkspaceOption = None,
) -> None:
    """Print how a reader answers on held-out seeds, beside baselines that need none."""
    from tool_use_om.agent.orchestrator.base import load_language_model
    from tool_use_om.agent.training.describe import corpus_words, load_reader
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.evals.describe import judge as judging
    from tool_use_om.evals.report import markdown_table

    network, tokenizer = load_language_model(model, Workspace.at(workspace), precision)
    trained = load_reader(reader, network, tokenizer)
    sizes = judging.Sizes(test=samples, fit=fit, probe=probe, seed=seed)
    with bars() as progress:
        tables = judging.judge(trained, corpus_words(trained, seed), sizes, progress)
    for table in tables:
        typer.echo(f"{table.title}. {table.note}\n\n{markdown_table(list(table.rows))}\n")


@app.command()
def cost(
    *,
    model: ModelOption = None,
    batch_size: Annotated[int, typer.Option(min=1)] = 8,
    repeats: Annotated[int, typer.Option(min=1)] = 3,
    precision: PrecisionOption = "auto",
    workspace: WorkspaceOption = None,
) -> None:
    """Measure a training step: loss over the corpus's words against the whole output layer."""
    from tool_use_om.agent.orchestrator.base import load_language_model
    from tool_use_om.agent.training.describe import corpus_words
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.evals.describe.cost import cost as measured
    from tool_use_om.evals.report import markdown_table
    from tool_use_om.heads.describe.reader import Reader

    reader = Reader(*load_language_model(model, Workspace.at(workspace), precision))
    table = measured(reader, corpus_words(reader, 0), batch_size=batch_size, repeats=repeats)
    typer.echo(f"{table.title}. {table.note}\n\n{markdown_table(list(table.rows))}")


@app.command()
def exam(
    *,
    data: Annotated[Path, typer.Option(help="TimeSeriesExam's qa_dataset.json.")],
    reader: Annotated[Path, typer.Option(help="Folder of a trained reader.")],
    model: ModelOption = None,
    samples: Annotated[int, typer.Option(min=1, help="Questions, drawn by the seed.")] = 200,
    unlearnt: Annotated[
        bool, typer.Option("--unlearnt", help="Only questions that no lesson is made of.")
    ] = False,
    precision: PrecisionOption = "auto",
    seed: SeedOption = 0,
    workspace: WorkspaceOption = None,
) -> None:
    """Let a reader answer multiple-choice questions about series it was not trained for."""
    from tool_use_om.agent.orchestrator.base import load_language_model
    from tool_use_om.agent.training.describe import load_reader
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.evals.describe.exam import drawn, sit_exam
    from tool_use_om.evals.report import markdown_table
    from tool_use_om.heads.describe.exam import held_out, read_exam

    every = read_exam(data)
    items = drawn(held_out(every) if unlearnt else every, samples, seed)
    network, tokenizer = load_language_model(model, Workspace.at(workspace), precision)
    with bars() as progress:
        table = sit_exam(load_reader(reader, network, tokenizer), items, progress)
    typer.echo(f"{table.title}. {table.note}\n\n{markdown_table(list(table.rows))}")


@app.command()
def search(
    *,
    data: Annotated[Path, typer.Option(help="TimeSeriesExam's qa_dataset.json.")],
    model: ModelOption = None,
    samples: Annotated[int, typer.Option(min=1, help="Questions, drawn by the seed.")] = 40,
    budget: Annotated[int, typer.Option(min=1, help="Tokens a question and method.")] = 256,
    most: Annotated[int, typer.Option(min=1, help="Tokens of a reasoning.")] = 32,
    precision: PrecisionOption = "auto",
    seed: SeedOption = 0,
    workspace: WorkspaceOption = None,
) -> None:
    """Compare tree search over reasoning with plainer ways at the same budget of tokens."""
    from tool_use_om.agent.orchestrator.base import load_language_model
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.evals.describe.exam import drawn
    from tool_use_om.evals.describe.search import compare
    from tool_use_om.evals.report import markdown_table
    from tool_use_om.heads.describe.exam import read_exam
    from tool_use_om.heads.describe.spans import Spans
    from tool_use_om.heads.describe.tree import SearchSettings

    items = drawn(read_exam(data), samples, seed)
    spans = Spans(*load_language_model(model, Workspace.at(workspace), precision), seed=seed)
    settings = SearchSettings(budget=budget, most=most, span=max(1, most // 4), seed=seed)
    with bars() as progress:
        table = compare(spans, items, settings, progress)
    typer.echo(f"{table.title}. {table.note}\n\n{markdown_table(list(table.rows))}")
