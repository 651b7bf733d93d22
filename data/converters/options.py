"""What a converter takes besides the files: read from its own signature, given as name=value."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from tool_use_om.data.catalog import CONVERTERS, load_function
from tool_use_om.data.errors import DataError, unknown

_COMMON = frozenset({"source", "target", "progress", "replace"})
_READ: Mapping[str, Callable[[str], object]] = {"float": float, "int": int, "str": str}
_MEANT = {"float": "a number", "int": "a whole number", "str": "a text"}


@dataclass(frozen=True)
class ConverterOption:
    """One option: its name, what kind of value it takes, and the default (None = none)."""

    name: str
    kind: str
    default: object

    def read(self, text: str) -> object:
        """Return the value that `text` stands for; raise DataError if it is of another kind."""
        try:
            return _READ[self.kind](text)
        except ValueError as error:
            raise DataError(
                f"The option {self.name} takes {_MEANT[self.kind]}, got {text!r}."
            ) from error

    def __str__(self) -> str:
        shown = f"{self.name}={self.kind.upper()}"
        return shown if self.default is None else f"{shown} (default {self.default})"


def options_of(converter: str) -> dict[str, ConverterOption]:
    """Return the options of a converter by name; none for most.

    Raises
    ------
    NotFoundError : no such converter
    """
    if converter not in CONVERTERS:
        raise unknown("converter", converter, CONVERTERS)
    if converter == "table":  # `tuom data import` has its own
        return {}
    found: dict[str, ConverterOption] = {}
    for name, parameter in inspect.signature(
        load_function(CONVERTERS[converter])
    ).parameters.items():
        if name not in _COMMON:
            kind = str(parameter.annotation).removesuffix(" | None")
            found[name] = ConverterOption(name, kind, parameter.default)
    return found


def read_options(converter: str, given: Iterable[str]) -> dict[str, object]:
    """Return name=value pairs as the keyword arguments of a converter.

    Raises
    ------
    DataError : not name=value, an option given twice, a value of another kind
    NotFoundError : no such converter, or an option that it does not take
    """
    options = options_of(converter)
    values: dict[str, object] = {}
    for pair in given:
        name, equals, text = (part.strip() for part in pair.partition("="))
        if not (name and equals and text):
            raise DataError(f"--option takes name=value such as rate_hz=50, got {pair!r}.")
        if not options:
            raise DataError(f"The converter {converter!r} takes no options, got {pair!r}.")
        if name not in options:
            raise unknown(f"option of the converter {converter}", name, options)
        if name in values:
            raise DataError(f"The option {name} is given twice. Give it once.")
        values[name] = options[name].read(text)
    return values
