"""`tuom describe`: check the corpus of the describing layer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tool_use_om.graphs.commands.console import bars

app = typer.Typer(
    help="The describing layer: check its corpus.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of the corpus.")]


@app.callback()
def _describe() -> None:
    """Keep the commands' names, however few there are."""


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
