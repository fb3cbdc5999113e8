"""adb's packets: what is written is read, and what is none is refused."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest

from edgeocr.emulator.protocol import CNXN, MAX_PAYLOAD, OKAY, WRTE, Packet, ProtocolError, encode, read_packet


@pytest.fixture
def wire() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize("payload", [b"", b"x", bytes(range(256)) * 16])
@pytest.mark.parametrize("checksum", [True, False])
def test_a_packet_survives_the_wire(wire: tuple[socket.socket, socket.socket], payload: bytes, checksum: bool) -> None:
    packet = Packet(WRTE, 1, 0xFFFFFFFF, payload)
    wire[0].sendall(encode(packet, checksum=checksum))
    assert read_packet(wire[1]) == packet


def test_the_checksum_is_the_sum_of_the_bytes() -> None:
    assert struct.unpack_from("<I", encode(Packet(CNXN, 0, 0, b"\xff\xff\x01"), checksum=True), 16) == (511,)
    assert struct.unpack_from("<I", encode(Packet(CNXN, 0, 0, b"\xff"), checksum=False), 16) == (0,)


def test_a_packet_in_pieces_is_read_whole(wire: tuple[socket.socket, socket.socket]) -> None:
    data = encode(Packet(OKAY, 3, 4, b"abc"), checksum=False)
    for byte in data:
        wire[0].sendall(bytes([byte]))
    assert read_packet(wire[1]).payload == b"abc"


def test_a_wrong_magic_is_refused(wire: tuple[socket.socket, socket.socket]) -> None:
    wire[0].sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    with pytest.raises(ProtocolError, match=r"packet magic is .*, expected"):
        read_packet(wire[1])


def test_a_length_beyond_the_limit_is_refused(wire: tuple[socket.socket, socket.socket]) -> None:
    wire[0].sendall(struct.pack("<6I", WRTE, 0, 0, MAX_PAYLOAD + 1, 0, WRTE ^ 0xFFFFFFFF))
    with pytest.raises(ProtocolError, match=f"packet length is {MAX_PAYLOAD + 1}, expected at most {MAX_PAYLOAD}"):
        read_packet(wire[1])


@pytest.mark.parametrize("sent", [b"", b"CNXN", encode(Packet(WRTE, 1, 2, b"abc"), checksum=False)[:-1]])
def test_an_early_end_is_told(wire: tuple[socket.socket, socket.socket], sent: bytes) -> None:
    wire[0].sendall(sent)
    wire[0].shutdown(socket.SHUT_WR)
    with pytest.raises(EOFError):
        read_packet(wire[1])
