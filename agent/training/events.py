"""Scalars for TensorBoard: event files as it reads them, without TensorBoard.

A record is its length, a masked CRC-32C of that, the bytes, and their masked CRC-32C; the bytes are
a protocol buffer `Event` {1: seconds, 2: step, 5: Summary {1: Value {1: tag, 2: float}}}.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_POLYNOMIAL = 0x82F63B78  # Castagnoli's, reversed
_VERSION = b"brain.Event:2"


class EventWriter:
    """Appends to one event file of a folder; each write is whole on the disk before it returns.

    Parameters
    ----------
    folder : where TensorBoard is pointed at
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time_ns() // 1000:018d}.{os.getpid()}"
        self.path = folder / name
        self._append(_double(1, time.time()) + _bytes(3, _VERSION))

    def add(self, step: int, scalars: Mapping[str, float]) -> None:
        """Write some scalars of a step."""
        values = b"".join(
            _bytes(1, _bytes(1, tag.encode()) + _float(2, value)) for tag, value in scalars.items()
        )
        self._append(_double(1, time.time()) + _varint(2 << 3) + _varint(step) + _bytes(5, values))

    def _append(self, event: bytes) -> None:
        length = struct.pack("<Q", len(event))
        record = length + _crc(length) + event + _crc(event)
        with self.path.open("ab") as file:
            file.write(record)


def read_events(path: Path) -> list[tuple[int, dict[str, float]]]:
    """Return (step, scalars) of every whole record of a file; a torn last one is left out."""
    data, at, found = path.read_bytes(), 0, []
    while at + 12 <= len(data):
        (size,) = struct.unpack_from("<Q", data, at)
        event = data[at + 12 : at + 12 + size]
        if len(event) < size or data[at + 12 + size : at + 16 + size] != _crc(event):
            break
        fields = _fields(event)
        if 5 in fields:
            values = [_fields(v) for v in _repeated(fields[5])]
            scalars = {bytes(v[1]).decode(): struct.unpack("<f", v[2])[0] for v in values}
            found.append((_number(fields.get(2, b"\0")), scalars))
        at += 16 + size
    return found


def _fields(message: bytes) -> dict[int, bytes]:
    """Return the fields of a message, a number as its bytes; of a repeated one the last."""
    at, found = 0, {}
    while at < len(message):
        key, at = _read_varint(message, at)
        kind, name = key & 7, key >> 3
        if kind == 0:
            _, end = _read_varint(message, at)
        elif kind == 2:
            size, at = _read_varint(message, at)
            end = at + size
        else:
            end = at + (8 if kind == 1 else 4)
        found[name], at = message[at:end], end
    return found


def _repeated(message: bytes) -> list[bytes]:
    at, found = 0, []
    while at < len(message):
        _, at = _read_varint(message, at)
        size, at = _read_varint(message, at)
        found.append(message[at : at + size])
        at += size
    return found


def _number(raw: bytes) -> int:
    return _read_varint(raw, 0)[0]


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _float(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


@cache
def _table() -> tuple[int, ...]:
    rows = []
    for start in range(256):
        value = start
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        rows.append(value)
    return tuple(rows)


def _crc(data: bytes) -> bytes:
    """Return the masked CRC-32C of some bytes, as records have it."""
    value = 0xFFFFFFFF
    for byte in data:
        value = _table()[(value ^ byte) & 0xFF] ^ value >> 8
    value ^= 0xFFFFFFFF
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)
