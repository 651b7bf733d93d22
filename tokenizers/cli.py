"""`tuom tokenizers`: which encoders there are, which are here, what would be downloaded."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated, Any

import typer

from tool_use_om.tokenizers.registry import is_here, specs

app = typer.Typer(
    name="tokenizers",
    help="List the frozen tokenizers: what is here, what would be downloaded, licence.",
    invoke_without_command=True,
    no_args_is_help=False,
)


@app.callback()
def list_tokenizers(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - typer's form of a flag
) -> None:
    """List the frozen tokenizers: what is here, what would be downloaded, licence."""
    rows = describe()
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        typer.echo(_lines(row))


def describe() -> list[dict[str, Any]]:
    """Return each spec as a dict, with "here": whether its weights are on this machine."""
    return [dataclasses.asdict(spec) | {"here": is_here(spec)} for spec in specs()]


def _lines(row: dict[str, Any]) -> str:
    facts = (
        f"{row['parameters'] / 1e6:.1f} M parameters",
        f"windows of {row['patch_len']} to {row['native_context']} samples",
        f"{row['d_model']} numbers a token",
        row["licence"],
        _where(row),
    )
    good, bad = f"  good at: {row['good_at']}", f"  bad at: {row['bad_at']}"
    return "\n".join([f"{row['name']}: {' · '.join(facts)}", good, bad])


def _where(row: dict[str, Any]) -> str:
    if row["here"]:
        return "here"
    if row["weights"].startswith("package:"):
        return "missing: tuom pretrain makes them"
    return f"to download: {row['size_mb']:.0f} MB from {row['weights']}"
