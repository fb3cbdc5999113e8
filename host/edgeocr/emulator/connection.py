"""One adb server's connection to the emulated phone, and the streams it carries.

Either side has at most one unacknowledged WRTE per stream (adb's delayed_ack is not offered). We acknowledge data when a service takes
it, so a slow program slows the sender down instead of filling our memory.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import socket
import threading
from collections.abc import Callable

from edgeocr.emulator import protocol
from edgeocr.emulator.protocol import AUTH, CLSE, CNXN, MAX_PAYLOAD, OKAY, OPEN, WRTE, Packet, ProtocolError

CLOSE_TIMEOUT = 10.0  # seconds to wait for the acknowledgement of a stream's last data

log = logging.getLogger(__name__)


class Stream:
    """One stream. Services read and write it from any thread; EOFError once the peer has closed it."""

    def __init__(self, connection: Connection, local_id: int, remote_id: int) -> None:
        self._connection = connection
        self.local_id = local_id
        self.remote_id = remote_id
        self._incoming: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._pending = b""  # taken from the peer, not yet read
        self._credit = threading.Semaphore(1)  # one WRTE may be under way
        self._write_lock = threading.Lock()
        self._closed = threading.Event()

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    def accept(self) -> None:
        """Tell the peer that the service is there."""
        self._connection.send(Packet(OKAY, self.local_id, self.remote_id))

    def write(self, data: bytes) -> None:
        """Send all of ``data``, unbroken by other threads' writes."""
        with self._write_lock:
            view = memoryview(data)
            for start in range(0, len(view), self._connection.max_payload):
                self._credit.acquire()
                if self.closed:
                    raise EOFError
                self._connection.send(
                    Packet(WRTE, self.local_id, self.remote_id, bytes(view[start : start + self._connection.max_payload]))
                )

    def receive(self) -> bytes:
        """What the peer sent next, of any length; b"" at the end."""
        if self._pending:
            data, self._pending = self._pending, b""
            return data
        packet = self._incoming.get()
        if packet is None:
            self._incoming.put(None)
            return b""
        if not self.closed:
            self._connection.send(Packet(OKAY, self.local_id, self.remote_id))
        return packet

    def read(self, count: int) -> bytes:
        """Exactly ``count`` bytes."""
        parts = []
        missing = count
        while missing:
            data = self.receive()
            if not data:
                raise EOFError
            parts.append(data[:missing])
            self._pending = data[missing:]
            missing -= len(parts[-1])
        return b"".join(parts)

    def close(self) -> None:
        """Close from our side, once the peer has taken what was written."""
        if not self.closed:
            self._credit.acquire(timeout=CLOSE_TIMEOUT)
            if not self.closed:
                self._connection.send(Packet(CLSE, self.local_id, self.remote_id))
        self._closed.set()
        self._incoming.put(None)
        self._connection.forget(self)

    # Called by the connection's own thread:

    def deliver(self, data: bytes) -> None:
        self._incoming.put(data)

    def acknowledged(self) -> None:
        self._credit.release()

    def peer_closed(self) -> None:
        self._closed.set()
        self._incoming.put(None)
        self._credit.release()


Service = Callable[[Stream], None]
OpenService = Callable[[str], Service | None]


class Connection:
    """Speaks the protocol on one socket until it ends. ``open_service`` maps a destination ("shell,v2:ls") to what serves it, or None."""

    def __init__(self, sock: socket.socket, banner: str, open_service: OpenService) -> None:
        self._socket = sock
        self._banner = banner
        self._open_service = open_service
        self._send_lock = threading.Lock()
        self._streams: dict[int, Stream] = {}
        self._next_id = 1
        self._version = protocol.VERSION_MIN
        self.max_payload = protocol.MAX_PAYLOAD_V1
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self) -> None:
        """Serve until the peer leaves or breaks the protocol; then every stream sees its end."""
        try:
            while True:
                self._handle(protocol.read_packet(self._socket))
        except (EOFError, OSError):
            pass
        except ProtocolError as error:
            log.warning("connection dropped: %s", error)
        finally:
            for stream in list(self._streams.values()):
                stream.peer_closed()
            self._socket.close()

    def send(self, packet: Packet) -> None:
        data = protocol.encode(packet, checksum=self._version < protocol.VERSION_SKIP_CHECKSUM)
        with self._send_lock:
            self._socket.sendall(data)

    def forget(self, stream: Stream) -> None:
        self._streams.pop(stream.local_id, None)

    def _handle(self, packet: Packet) -> None:
        if packet.command == CNXN:
            self._greet(packet)
        elif packet.command == OPEN:
            self._open(packet)
        elif packet.command == AUTH:
            raise ProtocolError("AUTH came unasked")
        elif packet.command in (OKAY, WRTE, CLSE):
            self._to_stream(packet)
        else:
            raise ProtocolError(f"command is {packet.command:#x}, expected one of adb's")

    def _greet(self, packet: Packet) -> None:
        if packet.arg0 < protocol.VERSION_MIN:
            raise ProtocolError(f"version is {packet.arg0:#x}, expected at least {protocol.VERSION_MIN:#x}")
        self._version = min(packet.arg0, protocol.VERSION_SKIP_CHECKSUM)
        self.max_payload = max(1, min(packet.arg1, MAX_PAYLOAD))
        # CNXN itself always carries a checksum: the peer does not know our version yet.
        data = protocol.encode(Packet(CNXN, protocol.VERSION_SKIP_CHECKSUM, MAX_PAYLOAD, self._banner.encode()), checksum=True)
        with self._send_lock:
            self._socket.sendall(data)

    def _open(self, packet: Packet) -> None:
        destination = packet.payload.rstrip(b"\0").decode(errors="surrogateescape")
        service = self._open_service(destination)
        if service is None:
            log.info("no such service: %s", destination)
            self.send(Packet(CLSE, 0, packet.arg0))
            return
        stream = Stream(self, self._next_id, packet.arg0)
        self._next_id += 1
        self._streams[stream.local_id] = stream
        threading.Thread(target=self._serve, args=(stream, service), name=destination[:40], daemon=True).start()

    def _serve(self, stream: Stream, service: Service) -> None:
        with contextlib.suppress(EOFError, OSError):
            stream.accept()
            try:
                service(stream)
            except (EOFError, OSError) as error:
                log.debug("service ended early: %r", error)
            except Exception:
                log.exception("service failed")
            stream.close()

    def _to_stream(self, packet: Packet) -> None:
        stream = self._streams.get(packet.arg1)
        if stream is None:
            if packet.command == WRTE:  # to a stream that we closed meanwhile
                self.send(Packet(CLSE, 0, packet.arg0))
        elif packet.command == OKAY:
            stream.acknowledged()
        elif packet.command == WRTE:
            stream.deliver(packet.payload)
        else:
            stream.peer_closed()
            self.forget(stream)
