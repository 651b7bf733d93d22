"""Adapters that are in a workspace, by name: light to read, no encoder is loaded to list them.

An adapted tokenizer is called "<tokenizer>+<adapter>" wherever a tokenizer's name is asked for.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Untyped
from tool_use_om.data.workspace import Workspace
from tool_use_om.tokenizers.moment.checkpoint import PICKLES, load_moment, weights_hash
from tool_use_om.tokenizers.moment.model import Moment
from tool_use_om.tokenizers.registry import load_tokenizer, local_folder, spec
from tool_use_om.tokenizers.spec import Precision, TokenizerSpec

if TYPE_CHECKING:
    from tool_use_om.tokenizers.tokenizer import Tokenizer

Objective = Literal["labels", "reconstruction"]
CARD_NAME = "card.json"
_FOLDER = "adapters"


class AdaptSettings(BaseModel):
    """How an adapter is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    objective: Objective = Field(
        default="labels",
        description="'labels': tell the labels apart by mean tokens; 'reconstruction': rebuild "
        "hidden patches, for windows without labels",
    )
    rank: int = Field(default=8, ge=1, le=64, description="rank of the added matrices")
    steps: int = Field(default=300, ge=1, le=100_000, description="training steps")
    batch: int = Field(default=64, ge=2, le=4096, description="windows a step")
    learning_rate: float = Field(default=1e-3, gt=0, le=1, description="highest learning rate")
    seed: int = Field(default=0, ge=0)


class AdapterCard(BaseModel):
    """What is known of an adapter; checked when it is loaded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokenizer: str
    base_weights_hash: str
    settings: AdaptSettings
    data: str
    n_windows: int
    n_held: int
    held_loss_before: float
    held_loss: float
    best_step: int
    adapter_parameters: int


def settings_of(**given: object) -> AdaptSettings:
    """Check settings; raise DataError naming the one that is wrong."""
    try:
        return AdaptSettings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DataError(f"`{place}`: {first['msg']}, got {first['input']!r}.") from error


def read_card(folder: Path) -> AdapterCard:
    """Read an adapter's card; raise DataError if the folder holds no adapter of ours."""
    path = folder / CARD_NAME
    if not path.is_file():
        raise DataError(f"No adapter in {folder}: {CARD_NAME} is missing. `tuom adapt` writes one.")
    try:
        return AdapterCard.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} is damaged: {str(error)[:200]}. Train the adapter anew."
        ) from error


def adapted(workspace: Workspace) -> list[TokenizerSpec]:
    """Return the adapted tokenizers of a workspace: the base's spec under "<base>+<adapter>".

    Raises
    ------
    DataError : a card that is damaged
    """
    root = workspace.root / _FOLDER
    folders = sorted(p.parent for p in root.glob(f"*/{CARD_NAME}")) if root.is_dir() else []
    cards = {folder.name: read_card(folder) for folder in folders}
    return [spec_of(f"{card.tokenizer}+{name}") for name, card in cards.items()]


def spec_of(name: str) -> TokenizerSpec:
    """Return the spec of a tokenizer, or of its adapted form; raise NotFoundError if unknown."""
    base, plus, _ = name.partition("+")
    return replace(spec(base), name=name) if plus else spec(base)


def load_any(name: str, workspace: Workspace, *, precision: Precision = "float32") -> Tokenizer:
    """Load a tokenizer, or its adapted form from the workspace, to calculate in `precision`.

    Raises
    ------
    NotFoundError : unknown name
    DataError : weights or an adapter that are missing, damaged or do not belong together
    """
    base, plus, adapter = name.partition("+")
    if not plus:
        return load_tokenizer(name, precision=precision)
    from tool_use_om.tokenizers.tokenizer import Tokenizer

    folder = workspace.path(_FOLDER, adapter)
    whole = merged(base_model(base), base, folder)
    return Tokenizer(spec_of(name), whole, precision=precision)


ADAPTER_NAME = "adapter_model.safetensors"


def base_model(tokenizer: str) -> Moment:
    """Load the encoder of a tokenizer of the MOMENT family.

    Raises
    ------
    NotFoundError : unknown name
    DataError : a tokenizer of another family, or weights that are not here
    """
    chosen = spec(tokenizer)
    if chosen.family != "moment":
        raise DataError(f"Only tokenizers of the MOMENT family can be adapted, not {tokenizer!r}.")
    source = local_folder(chosen)
    return load_moment(source or chosen.weights, revision=chosen.revision)


def merged(model: Moment, tokenizer: str, folder: Path) -> Moment:
    """Return `model` with the adapter in `folder` merged into its weights.

    Raises
    ------
    DataError : an adapter of another tokenizer or of other weights, a damaged file, or a pickle
    """
    card = read_card(folder)
    if card.tokenizer != tokenizer or card.base_weights_hash != weights_hash(model):
        raise DataError(
            f"The adapter in {folder} was trained on {card.tokenizer} with weights "
            f"{card.base_weights_hash[:12]}; these are {tokenizer}, {weights_hash(model)[:12]}. "
            "Train it anew on these weights."
        )
    pickles = sorted(p.name for p in folder.iterdir() if p.suffix in PICKLES)
    if pickles or not (folder / ADAPTER_NAME).is_file():
        found = f"it offers {', '.join(pickles)}" if pickles else "it is missing"
        raise DataError(f"{folder} needs {ADAPTER_NAME}; {found}. Pickles are refused.")
    peft = _peft()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "error", message=".*missing adapter keys"
            )  # only a warning there
            loaded = peft.PeftModel.from_pretrained(model, str(folder))
    except Exception as error:  # its errors for damaged files differ by version
        raise DataError(
            f"{folder / ADAPTER_NAME} is damaged ({str(error)[:200]}). Train the adapter anew."
        ) from error
    whole: Moment = loaded.merge_and_unload()
    return whole.eval().requires_grad_(False)


def _peft() -> Untyped:
    """Import peft, or say what to install."""
    try:
        import peft
    except ImportError as error:
        raise DataError("Adapters need peft: pip install 'tool-use-om[train]'.") from error
    return peft
