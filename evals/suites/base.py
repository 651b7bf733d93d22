"""What suites share: settings stated once, data sets × cells, what cannot be measured says why."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Json
from tool_use_om.data.workspace import Workspace
from tool_use_om.evals.report import Row, Table

if TYPE_CHECKING:
    from tool_use_om.data.format.dataset import DataSet

# a setting that only picks which items are run: runs that differ in it go on with one another
PICKS: dict[str, Any] = {"picks": True}


class Settings(BaseModel):
    """What a suite is told: name, type, default, bounds and help, each stated here alone.

    The constructor takes them by name, the command has an option for each, the report names them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(0, ge=0, description="Of every draw.")

    @property
    def label(self) -> str:
        """What tells two runs' folders apart, besides the suite's name; may be empty."""
        return ""

    @classmethod
    def stated(cls) -> dict[str, FieldInfo]:
        """Return the settings in the order they are shown: the seed last."""
        fields = cls.model_fields
        return {n: f for n, f in fields.items() if n != "seed"} | {"seed": fields["seed"]}

    def shown(self) -> dict[str, Json]:
        """Return the settings as JSON values, in the order of `stated`."""
        values = self.model_dump(mode="json")
        return {name: values[name] for name in self.stated()}

    def kept(self) -> dict[str, Json]:
        """Return what two runs must share for the second to go on with the first's items."""
        picks = {n for n, f in self.stated().items() if f.json_schema_extra == PICKS}
        return {name: value for name, value in self.shown().items() if name not in picks}


class DataSettings(Settings):
    """Settings of a suite over data sets."""

    data: tuple[str, ...] = Field(
        ("basic-motions",), min_length=1, description="Data set name; repeatable."
    )

    @property
    def label(self) -> str:
        """The data sets."""
        return "-".join(self.data)


class TokenSettings(DataSettings):
    """Settings of a suite of heads on tokens and of peers on samples."""

    tokenizer: str | None = Field(None, description="Default: the offline one.")
    method: tuple[str, ...] = Field(
        (), description="Only this head or peer; repeatable.", json_schema_extra=PICKS
    )


class BaseSuite(ABC):
    """A suite the runner can run: it is told its settings and where data sets are.

    Parameters
    ----------
    workspace : Workspace
    given : what `takes` names; the rest are its defaults

    Attributes
    ----------
    name : the suite's registered name
    takes : the model of its settings
    asked : the settings
    settings : what two runs must share for the second to go on with the first's items

    Raises
    ------
    DataError : a setting that there is not, or outside its bounds
    """

    name: ClassVar[str]
    takes: ClassVar[type[Settings]] = Settings
    asked: Settings

    def __init__(self, *, workspace: Workspace, **given: Json) -> None:
        try:
            self.asked = self.takes(**given)
        except ValidationError as error:
            wrong = "; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors())
            raise DataError(f"Suite {self.name!r}: {wrong}.") from error
        self.workspace, self.seed = workspace, self.asked.seed
        self.settings = self.asked.kept()

    @abstractmethod
    def items(self) -> Sequence[str]:
        """Return the items' ids, in the order they are run."""

    @abstractmethod
    def run(self, item: str) -> Row:
        """Measure one item; return JSON values."""

    @abstractmethod
    def tables(self, rows: Sequence[Row]) -> list[Table]:
        """Return the tables of a report over the rows of all items."""


class CellSuite(BaseSuite):
    """A suite is data + methods + scores: a subclass names its cells, measures one, makes tables.

    Attributes
    ----------
    fields : names of an item's parts, the data set first: "data/kind/method"
    fixed : what no run is told and the report names all the same
    sets : the data sets by name, open
    """

    takes: ClassVar[type[Settings]] = DataSettings
    asked: DataSettings
    fields: ClassVar[tuple[str, ...]]
    fixed: ClassVar[Mapping[str, object]] = {}

    def __init__(self, *, workspace: Workspace, **given: Json) -> None:
        super().__init__(workspace=workspace, **given)
        self.sets = {name: self.open(name) for name in self.names()}
        hashes = {name: found.content_hash for name, found in self.sets.items()}
        self.settings |= {"data": hashes, **self.fixed}

    def names(self) -> Iterable[str]:
        """Return the names of the data sets, each once."""
        return dict.fromkeys(self.asked.data)

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
        row |= self.about(row)
        try:
            return row | self.measure(row)
        except DataError as error:
            return row | {"error": str(error)}

    def about(self, row: Row) -> Row:  # noqa: ARG002  # most cells are told by their names alone
        """Return what is known of a cell before it is measured."""
        return {}

    @abstractmethod
    def cells(self, name: str) -> Iterable[tuple[str, ...]]:
        """Yield what is measured of a data set; what stands behind an "@" only tells runs apart."""

    @abstractmethod
    def measure(self, row: Row) -> Row:
        """Measure one cell, named by `fields`; raise DataError where it cannot be measured."""

    def content_note(self, name: str) -> str:
        """Return the sentence that says which data a table was measured on."""
        return f"Data content hash: {self.sets[name].content_hash[:16]}…"

    def split_note(self, name: str) -> str:
        """Return the sentence that says how a data set was split."""
        return f"Split: {self.sets[name].manifest.split_rule.rstrip('.')}."


class TokenSuite(CellSuite):
    """A suite whose methods are heads on one tokenizer's tokens and peers on samples."""

    takes: ClassVar[type[Settings]] = TokenSettings
    asked: TokenSettings
    fields: ClassVar[tuple[str, ...]] = ("data", "kind", "method")

    def __init__(self, *, workspace: Workspace, **given: Json) -> None:
        from tool_use_om.tokenizers.registry import DEFAULT_TOKENIZER, load_tokenizer

        super().__init__(workspace=workspace, **given)
        self.tokenizer_name = self.asked.tokenizer or DEFAULT_TOKENIZER
        self.tokenizer = load_tokenizer(self.tokenizer_name)
        self.settings["tokenizer"] = self.tokenizer_name

    def kept(self, heads: Iterable[str], peers: Iterable[str]) -> list[tuple[str, str]]:
        """Return (kind, method) of those asked for.

        A head ends in a few letters of the weights' hash: a run with other weights measures the
        heads again and keeps the peers.
        """
        named = [("head", name) for name in heads] + [("peer", name) for name in peers]
        return [(kind, self.marked(kind, name)) for kind, name in named if self.wanted(name)]

    def wanted(self, method: str) -> bool:
        """Tell whether a method is asked for."""
        return not self.asked.method or method in self.asked.method

    def marked(self, kind: str, method: str) -> str:
        """Return a method's part of an item's id: what reads tokens names the weights it reads."""
        return method if kind == "peer" else f"{method}@{self.tokenizer.weights_hash[:8]}"
