"""adb's wire format, as far as a device needs it. Numbers are little endian.

    packet: command u32 | arg0 u32 | arg1 u32 | length u32 | checksum u32 | magic u32 (command ^ 0xffffffff) | payload[length]

    CNXN(version, max payload, banner)   both sides say who they are
    AUTH(type, 0, data)                  never sent by us: the loopback needs no key
    OPEN(local id, 0, "service:arg\\0")   a new stream
    OKAY(local id, remote id, "")        ready: the stream is open, or the last WRTE was taken
    WRTE(local id, remote id, data)      data; the next one waits for OKAY
    CLSE(local id, remote id, "")        the stream is closed

Source: AOSP packages/modules/adb, protocol.txt and adb.h.
"""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

CNXN = int.from_bytes(b"CNXN", "little")
AUTH = int.from_bytes(b"AUTH", "little")
OPEN = int.from_bytes(b"OPEN", "little")
OKAY = int.from_bytes(b"OKAY", "little")
CLSE = int.from_bytes(b"CLSE", "little")
WRTE = int.from_bytes(b"WRTE", "little")

VERSION_MIN = 0x01000000
VERSION_SKIP_CHECKSUM = 0x01000001  # from here on, checksums are 0 and not looked at
MAX_PAYLOAD = 1 << 20
MAX_PAYLOAD_V1 = 4096  # until CNXN has told the peer's

_HEADER = struct.Struct("<6I")
_MASK = 0xFFFFFFFF


class ProtocolError(Exception):
    """The peer does not speak adb, or broke a rule of it."""


class Packet(NamedTuple):
    """One packet; ``arg0`` and ``arg1`` as the sender names them (its own stream id first)."""

    command: int
    arg0: int
    arg1: int
    payload: bytes = b""


def encode(packet: Packet, *, checksum: bool) -> bytes:
    """The packet's bytes. Peers older than VERSION_SKIP_CHECKSUM demand the checksum: the sum of the payload's bytes."""
    total = sum(packet.payload) & _MASK if checksum else 0
    header = _HEADER.pack(packet.command, packet.arg0, packet.arg1, len(packet.payload), total, packet.command ^ _MASK)
    return header + packet.payload


def read_packet(source: socket.socket) -> Packet:
    """The next packet. EOFError at the end of the connection, ProtocolError where the header is none."""
    command, arg0, arg1, length, _, magic = _HEADER.unpack(read_exactly(source, _HEADER.size))
    if magic != command ^ _MASK:
        raise ProtocolError(f"packet magic is {magic:#x}, expected {command ^ _MASK:#x}")
    if length > MAX_PAYLOAD:
        raise ProtocolError(f"packet length is {length}, expected at most {MAX_PAYLOAD}")
    return Packet(command, arg0, arg1, read_exactly(source, length))


def read_exactly(source: socket.socket, count: int) -> bytes:
    """``count`` bytes, or EOFError."""
    data = bytearray(count)
    view = memoryview(data)
    done = 0
    while done < count:
        got = source.recv_into(view[done:])
        if got == 0:
            raise EOFError
        done += got
    return bytes(data)
