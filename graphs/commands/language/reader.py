"""`tuom reader`: train the probe that names the form of a question, and try it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tool_use_om.graphs.commands.console import bars

app = typer.Typer(
    help="Train the reader's probe; read a question without answering it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Folder; default: the one that ships.")
]


@app.command()
def train(
    *,
    coverage: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="Share of true forms the sets should hold.")
    ] = 0.95,
    out: OutOption = None,
) -> None:
    """Fit and calibrate the probe on the phrasings to learn from; the held-out are never read."""
    from tool_use_om.agent.offline.reader.encoder import NAME, sentence_encoder
    from tool_use_om.agent.offline.reader.probe import fit_probe, voices_apart
    from tool_use_om.agent.offline.reader.understand import WEIGHTS
    from tool_use_om.data.workspace import Workspace
    from tool_use_om.evals.suites.questions.examples import (
        LEARNT_SEEDS,
        example,
        filled,
        vectors_of,
    )
    from tool_use_om.evals.suites.questions.written import learnt

    examples = [example(one) for one in filled(learnt(), LEARNT_SEEDS)]
    typer.echo(f"{len(examples)} phrasings, {len({e.form for e in examples})} forms")
    texts = [e.slots.masked for e in examples]
    with bars() as progress:
        vectors = vectors_of(
            texts, sentence_encoder().encode, Workspace.at(),
            lambda done, total: progress(
                {"phase": "read", "done": done, "total": total, "unit": "phrasings"}
            ),
        )  # fmt: skip
        probe, apart = fit_probe(
            examples, vectors, encoder=NAME, coverage=coverage,
            on_fold=lambda done, total: progress(
                {"phase": "fit", "done": done, "total": total, "unit": "folds"}
            ),
        )  # fmt: skip
    probe.save(out or WEIGHTS)
    for line in voices_apart(probe, apart, examples):
        typer.echo(line)
    typer.echo(f"probe: {out or WEIGHTS}")


@app.command()
def shrink(*, out: OutOption = None) -> None:
    """Make the small copy of the sentence encoder that ships; needs the extra [language]."""
    from tool_use_om.agent.offline.language.lexicon import lexicon_words
    from tool_use_om.agent.offline.language.words import english
    from tool_use_om.agent.offline.reader.encoder import LAYERS, LONGEST, SMALL, whole_parts
    from tool_use_om.agent.offline.reader.glossary import meanings
    from tool_use_om.agent.offline.reader.shrink import WEIGHTS, kept_words
    from tool_use_om.agent.offline.reader.shrink import shrink as written
    from tool_use_om.evals.suites.questions.examples import LEARNT_SEEDS, example, filled
    from tool_use_om.evals.suites.questions.written import learnt

    state, words, config = whole_parts()
    texts = [example(one).slots.masked for one in filled(learnt(), LEARNT_SEEDS)]
    texts += [*english(), *meanings(), *lexicon_words()]
    kept = kept_words(words, texts)
    folder = out or SMALL
    written(
        state, words, kept, folder, heads=int(config["num_attention_heads"]),
        layers=max(LAYERS), longest=LONGEST,
    )  # fmt: skip
    size = (folder / WEIGHTS).stat().st_size / 1e6
    typer.echo(f"{len(kept)} of {len(words['model']['vocab'])} words, {size:.1f} MB: {folder}")


@app.command()
def read(question: str, dataset: Annotated[str, typer.Option()] = "basic-motions") -> None:
    """Print what the reader sees in a question about a data set, and what it makes of it."""
    from tool_use_om.agent.cards import dataset_cards
    from tool_use_om.agent.context import AgentContext
    from tool_use_om.agent.offline.language.names import Names
    from tool_use_om.agent.offline.reader.slots import read_slots
    from tool_use_om.agent.offline.reader.understand import the_reader, understand
    from tool_use_om.data.errors import DataError

    reader = the_reader()
    if reader is None:
        raise DataError("The reader needs an extra: pip install 'tool-use-om[language]'.")
    cards = dataset_cards(AgentContext(dataset=dataset), question)
    slots = read_slots(question, Names.of(cards))
    found = reader.sort(slots)
    typer.echo(f"seen as: {slots.masked}")
    typer.echo(f"set: {', '.join(found.forms) or 'none'}")
    for form, share in found.shares.items():
        typer.echo(f"  {share:.3f} {form}")
    query = understand(question, cards)
    typer.echo(f"by {query.by}: {query.read_as or query.to_json()}")
