"""What a model must answer in the plan and interpret phases, read strictly."""

from __future__ import annotations

import json
from typing import Any, Literal, TypeVar

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

Scalar = float | int | bool | str | None


class _Reply(BaseModel):
    # Models like to add keys of their own; those are dropped, not refused.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Step(_Reply):
    """One planned tool call."""

    tool: str
    why: str = ""


class PlanReply(_Reply):
    """The plan, or a direct answer where no tool is needed.

    `understood` is what the question was parsed to ask, for the later phases; a model that does not
    parse leaves it empty.
    """

    steps: tuple[Step, ...] = ()
    not_understood: tuple[str, ...] = ()
    reply: str | None = None
    understood: Query | None = None

    @field_validator("understood", mode="wrap")
    @classmethod
    def _own_form_only(cls, given: Any, read: ValidatorFunctionWrapHandler) -> Query | None:  # noqa: ANN401 - what a model wrote
        """Drop what is no `Query`: a model was not asked for one, and its plan still stands."""
        try:
            found: Query | None = read(given)
        except ValidationError:
            return None
        return found


class Source(_Reply):
    """Where a value stands: a result and a JSON pointer into it."""

    result_id: str
    pointer: str


class Compare(_Reply):
    """A claim that the finding's value is above, below or equal to another value."""

    op: Literal[">", "<", "="]
    other: Source


class Finding(_Reply):
    """One sourced statement."""

    statement: str
    value: Scalar = None
    unit: str | None = None
    source: Source
    compare: Compare | None = None


class InterpretReply(_Reply):
    """The findings and the prose; findings stay raw so that one bad one can be refused alone."""

    findings: tuple[dict[str, Any], ...] = ()
    prose: str = Field(min_length=1)


R = TypeVar("R", PlanReply, InterpretReply)


def read_reply(text: str, form: type[R]) -> R:
    """Return the JSON object in `text` (a code fence or words around it are allowed) as `form`.

    Raises
    ------
    DataError : there is no JSON object, or it has another form; the message is for the model
    """
    start = text.find("{")
    if start < 0:
        raise DataError("it has no '{'")
    try:
        value, _ = json.JSONDecoder().raw_decode(text, start)
        return form.model_validate(value)
    except json.JSONDecodeError as error:
        raise DataError(f"{error.msg} at character {error.pos}") from error
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
