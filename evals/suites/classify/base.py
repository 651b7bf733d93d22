"""A suite over labelled windows: each set is cut, encoded and split once for all methods."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.suites.base import TokenSuite
from tool_use_om.evals.suites.classify.windows import (
    MOST_FIT,
    LabelledWindows,
    labelled_windows,
    open_named,
)

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet


class WindowSuite(TokenSuite):
    """Heads and peers on the same labelled windows.

    Parameters
    ----------
    data : data set names, each "NAME" or "NAME:LABEL_SET"
    most : int, windows learned from at most, evenly thinned
    """

    def __init__(
        self,
        *,
        data: Sequence[str],
        workspace: Workspace,
        tokenizer: str | None = None,
        method: Sequence[str] = (),
        most: int = MOST_FIT,
        seed: int = 0,
        **settings: object,
    ) -> None:
        super().__init__(
            data=data,
            workspace=workspace,
            tokenizer=tokenizer,
            method=method,
            seed=seed,
            **settings,
        )
        self.most = most
        self.windows = lru_cache(maxsize=1)(self._cut)

    def open(self, name: str) -> DataSet:
        """Open the data set of "NAME" or "NAME:LABEL_SET"."""
        return open_named(name, self.workspace)[0]

    def _cut(self, name: str) -> LabelledWindows:
        return labelled_windows(
            name, self.workspace, tokenizer=self.tokenizer_name, most=self.most, seed=self.seed
        )
