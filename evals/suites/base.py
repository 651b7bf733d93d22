"""What suites share: data sets × cells, measured one by one; what cannot be measured says why."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from tool_use_om.data.errors import DataError
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.report import Row, Table

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet


class CellSuite(ABC):
    """A suite is data + methods + scores: a subclass names its cells, measures one, makes tables.

    Parameters
    ----------
    data : data set names
    workspace : Workspace, where they are
    seed : int
    settings : what else two runs must share for the second to go on with the first's items

    Attributes
    ----------
    name : the suite's registered name
    fields : names of an item's parts, the data set first: "data/kind/method"
    """

    name: ClassVar[str]
    fields: ClassVar[tuple[str, ...]]

    def __init__(
        self, *, data: Sequence[str], workspace: Workspace, seed: int = 0, **settings: object
    ) -> None:
        self.workspace, self.seed = workspace, seed
        self.sets = {name: self.open(name) for name in data}
        hashes = {name: found.content_hash for name, found in self.sets.items()}
        self.settings: dict[str, Any] = {"data": hashes, **settings, "seed": seed}

    def open(self, name: str) -> DataSet:
        """Open a data set as the suite's `--data` names it."""
        from tool_use_om.data.catalog import open_dataset

        return open_dataset(name, self.workspace)

    def items(self) -> Sequence[str]:
        """Return the items' ids: the data set and the parts of a cell, joined by "/"."""
        return ["/".join((name, *cell)) for name in self.sets for cell in self.cells(name)]

    def run(self, item: str) -> Row:
        """Measure one item; what cannot be measured says why under "error"."""
        parts = (part.partition("@")[0] for part in item.split("/"))
        row: Row = {**dict(zip(self.fields, parts, strict=True)), "error": None}
        try:
            return row | self.measure(row)
        except DataError as error:
            return row | {"error": str(error)}

    @abstractmethod
    def cells(self, name: str) -> Iterable[tuple[str, ...]]:
        """Yield what is measured of a data set; what stands behind an "@" only tells runs apart."""

    @abstractmethod
    def measure(self, row: Row) -> Row:
        """Measure one cell, named by `fields`; raise DataError where it cannot be measured."""

    @abstractmethod
    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return the tables of a report over the rows of all items."""

    def content_note(self, name: str) -> str:
        """Return the sentence that says which data a table was measured on."""
        return f"Data content hash: {self.sets[name].content_hash[:16]}…"


class TokenSuite(CellSuite):
    """A suite whose methods are heads on one tokenizer's tokens and peers on samples.

    Parameters
    ----------
    tokenizer : str or None; None = the offline default
    method : names of heads and peers to measure; empty = all
    """

    fields: ClassVar[tuple[str, ...]] = ("data", "kind", "method")

    def __init__(
        self,
        *,
        data: Sequence[str],
        workspace: Workspace,
        tokenizer: str | None = None,
        method: Sequence[str] = (),
        seed: int = 0,
        **settings: object,
    ) -> None:
        from tool_use_om.tokenizers.registry import DEFAULT_TOKENIZER, load_tokenizer

        self.tokenizer_name = tokenizer or DEFAULT_TOKENIZER
        self.tokenizer = load_tokenizer(self.tokenizer_name)
        self.only = tuple(method)
        given = {"tokenizer": self.tokenizer_name, **settings}
        super().__init__(data=data, workspace=workspace, seed=seed, **given)

    def kept(self, heads: Iterable[str], peers: Iterable[str]) -> list[tuple[str, str]]:
        """Return (kind, method) of those asked for.

        A head ends in a few letters of the weights' hash: a run with other weights measures the
        heads again and keeps the peers.
        """
        mark = self.tokenizer.weights_hash[:8]
        named = [("head", h, f"{h}@{mark}") for h in heads] + [("peer", p, p) for p in peers]
        return [(kind, item) for kind, name, item in named if not self.only or name in self.only]
