"""A suite over labelled windows: each set is cut, encoded and split once for all methods."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from tool_use_om.data.values import Json
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.suites.base import Settings, TokenSettings, TokenSuite
from tool_use_om.evals.suites.classify.windows import (
    MOST_FIT,
    LabelledWindows,
    labelled_windows,
    open_named,
)

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet


class WindowSettings(TokenSettings):
    """Settings of a suite over labelled windows."""

    data: tuple[str, ...] = Field(
        ("basic-motions",), min_length=1, description="NAME or NAME:LABEL_SET; repeatable."
    )


class WindowSuite(TokenSuite):
    """Heads and peers on the same labelled windows; `most` windows are learned from at most."""

    takes: ClassVar[type[Settings]] = WindowSettings
    asked: WindowSettings

    def __init__(self, *, workspace: Workspace, **given: Json) -> None:
        super().__init__(workspace=workspace, **given)
        self.windows = lru_cache(maxsize=1)(self._cut)

    @property
    def most(self) -> int:
        """Windows learned from at most, evenly thinned."""
        return MOST_FIT

    def open(self, name: str) -> DataSet:
        """Open the data set of "NAME" or "NAME:LABEL_SET"."""
        return open_named(name, self.workspace)[0]

    def _cut(self, name: str) -> LabelledWindows:
        return labelled_windows(
            name, self.workspace, tokenizer=self.tokenizer_name, most=self.most, seed=self.seed
        )
