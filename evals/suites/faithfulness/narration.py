"""One narration: what a model might write of a run, true or false."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tool_use_om.evals.suites.faithfulness.facts import Material


@dataclass(frozen=True)
class Narration:
    """What a model might write: prose in the form of answers, and typed claims."""

    prose: str
    claims: tuple[dict[str, Any], ...] = field(default=())


Kind = Callable[[Material, random.Random], Iterator[Narration]]
