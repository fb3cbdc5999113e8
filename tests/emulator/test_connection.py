"""Streams over one connection, spoken to packet by packet as an adb server does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from edgeocr.emulator.connection import Connection, Service, Stream
from edgeocr.emulator.protocol import (
    AUTH,
    CLSE,
    CNXN,
    MAX_PAYLOAD,
    OKAY,
    OPEN,
    VERSION_MIN,
    VERSION_SKIP_CHECKSUM,
    WRTE,
    Packet,
    encode,
    read_packet,
)

TIMEOUT = 10


def echo(stream: Stream) -> None:
    while data := stream.receive():
        stream.write(data)


def greet_and_leave(stream: Stream) -> None:
    stream.write(b"hello")


def read_three_by_three(stream: Stream) -> None:
    stream.write(stream.read(3) + b"|" + stream.read(3) + b"|" + stream.receive())


def fail(stream: Stream) -> None:
    raise OSError("no such thing")


SERVICES: dict[str, Service] = {"echo:": echo, "greet:": greet_and_leave, "threes:": read_three_by_three, "fail:": fail}


@dataclass
class Server:
    """The adb server's side."""

    sock: socket.socket

    def send(self, command: int, arg0: int = 0, arg1: int = 0, payload: bytes = b"") -> None:
        self.sock.sendall(encode(Packet(command, arg0, arg1, payload), checksum=True))

    def expect(self, command: int) -> Packet:
        packet = read_packet(self.sock)
        assert packet.command == command
        return packet

    def greet(self, version: int = VERSION_SKIP_CHECKSUM, max_payload: int = MAX_PAYLOAD) -> None:
        self.send(CNXN, version, max_payload, b"host::")
        self.expect(CNXN)

    def open(self, destination: str, local_id: int = 7) -> int:
        self.send(OPEN, local_id, 0, destination.encode() + b"\0")
        accepted = self.expect(OKAY)
        assert accepted.arg1 == local_id
        return accepted.arg0


@pytest.fixture
def server() -> Iterator[Server]:
    ours, theirs = socket.socketpair()
    connection = Connection(theirs, "device::features=x", SERVICES.get)
    thread = threading.Thread(target=connection.run)
    ours.settimeout(TIMEOUT)
    with ours:
        thread.start()
        yield Server(ours)
        ours.shutdown(socket.SHUT_RDWR)
        thread.join(TIMEOUT)
        assert not thread.is_alive()


@pytest.fixture(autouse=True)
def socketpair_is_tcp_like(monkeypatch: pytest.MonkeyPatch) -> None:
    """TCP_NODELAY means nothing on the socket pairs of these tests."""
    monkeypatch.setattr(socket, "TCP_NODELAY", socket.SO_KEEPALIVE)
    monkeypatch.setattr(socket, "IPPROTO_TCP", socket.SOL_SOCKET)


def test_the_banner_answers_the_greeting(server: Server) -> None:
    server.send(CNXN, VERSION_SKIP_CHECKSUM, MAX_PAYLOAD, b"host::")
    assert server.expect(CNXN) == Packet(CNXN, VERSION_SKIP_CHECKSUM, MAX_PAYLOAD, b"device::features=x")


def test_data_is_acknowledged_and_echoed(server: Server) -> None:
    server.greet()
    stream = server.open("echo:")
    server.send(WRTE, 7, stream, b"abc")
    assert server.expect(OKAY)[1:3] == (stream, 7)
    assert server.expect(WRTE) == Packet(WRTE, stream, 7, b"abc")


def test_data_is_cut_to_the_peers_payload_and_waits_for_each_okay(server: Server) -> None:
    server.greet(max_payload=2)
    server.send(OPEN, 7, 0, b"greet:\0")
    stream = server.expect(OKAY).arg0
    for piece in (b"he", b"ll", b"o"):
        assert server.expect(WRTE).payload == piece
        server.sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            read_packet(server.sock)
        server.sock.settimeout(TIMEOUT)
        server.send(OKAY, 7, stream)
    server.expect(CLSE)


def test_reads_do_not_depend_on_how_data_was_cut(server: Server) -> None:
    server.greet()
    stream = server.open("threes:")
    for piece in (b"a", b"bcd", b"efg"):
        server.send(WRTE, 7, stream, piece)
        server.expect(OKAY)
    assert server.expect(WRTE).payload == b"abc|def|g"


def test_an_unknown_service_is_closed_at_once(server: Server) -> None:
    server.greet()
    server.send(OPEN, 9, 0, b"reboot:\0")
    assert server.expect(CLSE) == Packet(CLSE, 0, 9)


def test_a_failing_service_closes_its_stream_alone(server: Server) -> None:
    server.greet()
    failed = server.open("fail:", 7)
    assert server.expect(CLSE) == Packet(CLSE, failed, 7)
    stream = server.open("echo:", 8)
    server.send(WRTE, 8, stream, b"still here")
    server.expect(OKAY)
    assert server.expect(WRTE).payload == b"still here"


def test_data_for_a_closed_stream_is_refused(server: Server) -> None:
    server.greet()
    server.send(WRTE, 7, 99, b"late")
    assert server.expect(CLSE) == Packet(CLSE, 0, 7)


@pytest.mark.parametrize("packet", [Packet(AUTH, 1, 0, b"token"), Packet(0x12345678, 0, 0), Packet(CNXN, VERSION_MIN - 1, 4096)])
def test_a_peer_that_breaks_the_rules_is_left(server: Server, packet: Packet) -> None:
    server.sock.sendall(encode(packet, checksum=True))
    with pytest.raises(EOFError):
        read_packet(server.sock)
