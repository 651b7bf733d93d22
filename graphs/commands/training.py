"""`tuom traces` and `tuom sft`: from recorded runs to a fine-tuned orchestrator."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tool_use_om.graphs.commands.console import WorkspaceOption

if TYPE_CHECKING:
    from tool_use_om.agent.training.sft import SftReport

traces_app = typer.Typer(
    help="List and export the saved traces of runs.", no_args_is_help=True, rich_markup_mode=None
)
sft_app = typer.Typer(rich_markup_mode=None)


class Format(StrEnum):
    """What `tuom traces export` can write."""

    trl = "trl"


@traces_app.command("list")
def list_traces(*, workspace: WorkspaceOption = None) -> None:
    """Print one line a recorded run: id, data set, model, calls, seconds, question."""
    from tool_use_om.agent.record.trace import read_traces
    from tool_use_om.data.workspace import Workspace

    traces = read_traces(Workspace.at(workspace))
    for trace in traces:
        seconds = "–" if trace.seconds is None else f"{trace.seconds:.1f} s"
        verdict = "checked" if trace.verdicts.get("ok") else "not confirmed"
        what = f"{trace.dataset}  {trace.model}  {len(trace.calls)} calls  {seconds}  {verdict}"
        typer.echo(f"{trace.id}  {what}  {trace.query[:80]}")
    typer.echo(f"{len(traces)} traces." if traces else "No traces yet. Record one: tuom demo")


@traces_app.command("export")
def export_traces(
    *,
    out: Annotated[Path, typer.Option("--out", help="JSONL file to write.")],
    form: Annotated[Format, typer.Option("--format", help="trl: messages + tools.")] = Format.trl,
    workspace: WorkspaceOption = None,
) -> None:
    """Write the runs that replay to the same observations as training rows; others go apart."""
    from tool_use_om.agent.record.trace import read_traces
    from tool_use_om.agent.training.rows import export, write_export
    from tool_use_om.data.errors import DataError
    from tool_use_om.data.workspace import Workspace

    place = Workspace.at(workspace)
    traces = read_traces(place)
    if not traces:
        raise DataError(f"No traces in {place.root}. Record one: tuom demo")
    found = export(
        traces, place, on_trace=lambda t: typer.echo(f"replaying {t.id} {t.query[:60]!r}", err=True)
    )
    apart = write_export(out, found)
    typer.echo(
        f"{len(traces)} runs replayed: {found.runs_kept} kept as {len(found.kept)} {form} rows in "
        f"{out}, {len(found.rejected)} rejected with the reason in {apart}."
    )
    for row in found.rejected:
        typer.echo(f"  rejected: {row['trace']['query'][:60]!r}: {row['reason']}")


@traces_app.command("generate")
def generate_rows(
    *,
    out: Annotated[Path, typer.Option("--out", help="JSONL file; the same again goes on.")],
    passes: Annotated[int, typer.Option(min=1, help="How often each phrasing is filled.")] = 1,
    limit: Annotated[int | None, typer.Option(min=1, help="Phrasings at most.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    check: Annotated[
        bool, typer.Option(help="Run what only looks, twice, and compare with the truth.")
    ] = True,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    workspace: WorkspaceOption = None,
) -> None:
    """Make rows of the compact protocol from phrasings and drawn data sets; rejects go apart."""
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.evals.teach.generate import beside, generate
    from tool_use_om.evals.teach.rows import Maker
    from tool_use_om.graphs.commands.console import bars

    place = Workspace.at(workspace) if check else None
    maker = Maker(passes=passes, seed=seed, place=place)
    with bars() as progress:
        found = generate(
            maker, out, workers=workers, most=limit,
            progress=lambda done, total: progress(
                {"phase": "rows", "done": done, "total": total, "unit": "phrasings"}
            ),
        )  # fmt: skip
    typer.echo(
        f"{len(found.kept)} rows in {out} ({found.share_without_calls():.0%} ask back, say what is "
        f"lacking, or refuse), {len(found.rejected)} rejected in {beside(out, 'rejected')}, "
        f"{len(found.pairs)} pairs of a right and a wrong plan in {beside(out, 'pairs')}."
    )
    for reason, count in found.reasons().most_common():
        typer.echo(f"  rejected: {count} × {reason}")


@sft_app.command()
def sft(
    *,
    data: Annotated[Path, typer.Option(help="Rows of `tuom traces export --format trl`.")],
    model: Annotated[
        str, typer.Option(help="Checkpoint folder, hub id, or 'random' for a tiny random Llama.")
    ],
    out: Annotated[Path, typer.Option(help="New folder; use it as --model local:FOLDER.")],
    steps: Annotated[int, typer.Option(min=0, help="Optimiser steps; 0: by --epochs.")] = 0,
    epochs: Annotated[float, typer.Option(min=0.0, help="Passes over the rows.")] = 3.0,
    max_length: Annotated[
        int,
        typer.Option(min=16, help="Tokens a row may have; longer rows are left out and counted."),
    ] = 16384,
    batch_size: Annotated[int, typer.Option(min=1, help="Rows a step on the device.")] = 1,
    accumulate: Annotated[int, typer.Option(min=1, help="Batches an optimiser step.")] = 1,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 2e-4,
    lora_rank: Annotated[int, typer.Option(min=1, help="Rank of the adapter.")] = 16,
    hold_out: Annotated[
        list[str] | None,
        typer.Option(help="key=value of a row's meta, such as dataset=hmp; kept for evaluation."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Fine-tune with TRL's SFTTrainer and a LoRA adapter; loss on each row's last message only.

    Runs on the GPU when there is one (bf16), else on the CPU. For Llama 3.2:
    --model meta-llama/Llama-3.2-3B-Instruct
    """
    from tool_use_om.agent.training.sft import SftConfig, train

    config = SftConfig(
        steps=steps,
        epochs=epochs,
        max_length=max_length,
        batch_size=batch_size,
        accumulate=accumulate,
        learning_rate=learning_rate,
        lora_rank=lora_rank,
        hold_out=tuple(hold_out or ()),
        seed=seed,
    )
    _say(train(data, model, out, config), out)


def _say(report: SftReport, out: Path) -> None:
    left = f"{report.rows_too_long} left out as longer than {report.config['max_length']} tokens"
    typer.echo(
        f"{report.rows} rows trained on ({report.rows_held_out} held out, {left}, longest "
        f"{report.longest_row_tokens}), {report.assistant_tokens} of the assistant's tokens, "
        f"on {report.device}."
    )
    held = "" if report.held_out_loss is None else f", held-out loss {report.held_out_loss:.3f}"
    typer.echo(f"loss {report.losses[0]:.3f} -> {report.losses[-1]:.3f}{held}")
    typer.echo(f"Use it: tuom ask --model local:{out} ...")
