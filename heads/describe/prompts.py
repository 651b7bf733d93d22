"""What the language model reads: a line a channel with its scale as text, then the question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tool_use_om.data.errors import DataError
from tool_use_om.heads.describe.encoder import rows_of
from tool_use_om.heads.describe.sentences import two_digits
from tool_use_om.heads.describe.tasks import SIGNAL, Sample

Array = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A question with its channels.

    Parameters
    ----------
    text : with one `<signal>` a channel
    rows : of each channel what `rows_of` makes of it, (N_ROWS, LENGTH)
    answer : what is right
    options : the answers there are; () where it is free text
    """

    text: str
    rows: tuple[Array, ...]
    answer: str
    options: tuple[str, ...] = ()

    def parts(self) -> list[str]:
        """Return the text between the signals, one more than there are channels.

        Raises
        ------
        DataError : not one `<signal>` a channel
        """
        parts = self.text.split(SIGNAL)
        if len(parts) != len(self.rows) + 1:
            raise DataError(
                f"A question must say {SIGNAL} once for each of its {len(self.rows)} channel(s), "
                f"got {len(parts) - 1}: {self.text[:80]!r}. Put it where the signal belongs."
            )
        return parts


def channel_line(name: str, unit: str, values: Array, limit: float | None = None) -> str:
    """Return the text of one channel's block: z-scored values have no scale, so it is said."""
    known = values[np.isfinite(values)]
    scale = "missing"
    if known.size:
        scale = f"mean {two_digits(float(known.mean()))}, sd {two_digits(float(known.std()))}"
    of = f" of {limit:g}" if limit else ""
    return f"{name}{of} {unit}: {scale} {SIGNAL}\n"


def prompt_of(sample: Sample) -> Prompt:
    """Return a sample of the corpus as the language model is asked it."""
    curves = sample.curves.curves
    lines = [channel_line(c.channel, c.unit, c.values, c.limit) for c in curves]
    return Prompt(
        text="".join(lines) + f"{sample.question}\nAnswer:",
        rows=tuple(rows_of(c.values, c.limit) for c in curves),
        answer=sample.answer,
        options=sample.options,
    )


def without_signal(prompt: Prompt, *, scale: bool) -> Prompt:
    """Return a prompt without its signals.

    Parameters
    ----------
    scale : whether the channels' names, units and statistics stay
    """
    text = prompt.text.replace(f" {SIGNAL}", "")
    if not scale:
        text = "".join(text.splitlines(keepends=True)[len(prompt.rows) :])
    return Prompt(text=text, rows=(), answer=prompt.answer, options=prompt.options)


def words_of(prompts: Sequence[Prompt]) -> list[str]:
    """Return every answer there is or may be, each once."""
    said = [text for p in prompts for text in (p.answer, *p.options)]
    return list(dict.fromkeys(said))
