"""What a model must answer in the plan and interpret phases, read strictly."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
)

from tool_use_om.agent.models.resolve import ask
from tool_use_om.agent.offline.language.query import Query
from tool_use_om.agent.prompts import REPAIR
from tool_use_om.data.errors import DataError
from tool_use_om.data.values import Untyped

MAX_CHARS = 400_000  # of a model's reply; an answer in words is far shorter


class _Reply(BaseModel):
    # Models like to add keys of their own; those are dropped, not refused.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Step(_Reply):
    """One planned tool call."""

    tool: str
    why: str = ""


class PlanReply(_Reply):
    """The plan, or a direct answer where no tool is needed: a refusal, or a question back.

    `understood` is what the question was parsed to ask, for the later phases; a model that does not
    parse leaves it empty.
    """

    steps: tuple[Step, ...] = ()
    not_understood: tuple[str, ...] = ()
    reply: str | None = None
    asks_back: bool = False
    understood: Query | None = None

    @field_validator("understood", mode="wrap")
    @classmethod
    def _own_form_only(cls, given: Untyped, read: ValidatorFunctionWrapHandler) -> Query | None:
        """Drop what is no `Query`: a model was not asked for one, and its plan still stands."""
        try:
            found: Query | None = read(given)
        except ValidationError:
            return None
        return found


class InterpretReply(_Reply):
    """The answer in its form; claims stay raw so that one bad one can be refused alone."""

    prose: str = Field(min_length=1)
    claims: tuple[Any, ...] = ()


R = TypeVar("R", PlanReply, InterpretReply)


def read_reply(text: str, form: type[R]) -> R:
    """Return the JSON object in `text` (a code fence or words around it are allowed) as `form`.

    Raises
    ------
    DataError : there is no JSON object, or it has another form; the message is for the model
    """
    if len(text) > MAX_CHARS:
        raise DataError(f"it has {len(text)} characters, the limit is {MAX_CHARS}")
    start = text.find("{")
    if start < 0:
        raise DataError("it has no '{'")
    try:
        value, _ = json.JSONDecoder().raw_decode(text, start)
        return form.model_validate(value)
    except json.JSONDecodeError as error:
        raise DataError(f"{error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise DataError("it is nested too deeply") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise DataError(f"{where or 'the object'}: {first['msg']}") from error


def ask_for(
    model: BaseChatModel, messages: list[BaseMessage], form: type[R], *, phase: str
) -> tuple[R | None, str]:
    """Ask for a `form`; on a reply that is none, ask once more.

    Returns
    -------
    The reply (None when the second one could not be read either) and the last text
    """
    reply = ask(model, messages, phase=phase)
    try:
        return read_reply(reply.text, form), reply.text
    except DataError as error:
        repair = HumanMessage(REPAIR.format(error=error))
    reply = ask(model, [*messages, reply, repair], phase=phase)
    try:
        return read_reply(reply.text, form), reply.text
    except DataError:
        return None, reply.text
