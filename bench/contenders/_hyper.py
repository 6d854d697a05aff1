"""Clients for the interface of h2, which jh2 has, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any  # each package has types of its own

from ..streams import WINDOW
from ..work import Message

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from ..streams import Request


def client_class(  # noqa: C901  # a class, made for a package
    connection: ModuleType, config: ModuleType, events: ModuleType, settings: ModuleType
) -> type:
    """Return the client class for a package."""

    class Client:
        def __init__(self) -> None:
            options = config.H2Configuration(client_side=True, header_encoding=None)
            self._connection = connection.H2Connection(options)
            code = settings.SettingCodes.INITIAL_WINDOW_SIZE
            self._connection.local_settings[code] = WINDOW
            self._connection.local_settings.acknowledge()
            self._connection.initiate_connection()
            self._connection.increment_flow_control_window(WINDOW - 65_535)

        def first(self) -> bytes:
            out: bytes = self._connection.data_to_send()
            return out

        def prepared(self, request: Request) -> list[tuple[bytes, bytes]]:
            return [(name.encode(), value.encode()) for name, value in request]

        def get(self, request: list[tuple[bytes, bytes]]) -> bytes:
            one = self._connection
            one.send_headers(one.get_next_available_stream_id(), request, end_stream=True)
            out: bytes = one.data_to_send()
            return out

        def feed(self, octets: bytes) -> list[Any]:
            one = self._connection
            out: list[Any] = one.receive_data(octets)
            for event in out:
                if type(event) is events.DataReceived:
                    one.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            one.data_to_send()
            return out

        def normal(self, native: list[list[Any]]) -> list[tuple[int, Message]]:
            heads: dict[int, list[tuple[bytes, bytes]]] = {}
            bodies: dict[int, list[bytes]] = {}
            done = []
            for event in (one for called in native for one in called):
                stream = getattr(event, "stream_id", 0)
                if isinstance(event, events.ResponseReceived):
                    heads[stream], bodies[stream] = list(event.headers), []
                elif isinstance(event, events.DataReceived):
                    bodies[stream].append(bytes(event.data))
                elif isinstance(event, events.StreamEnded):
                    (_, status), *fields = heads[stream]
                    pairs = tuple((bytes(n).decode(), bytes(v).decode()) for n, v in fields)
                    message = Message(int(status), pairs, b"".join(bodies[stream]))
                    done.append((stream, message))
            return done

        def put(self, request: list[tuple[bytes, bytes]], pieces: tuple[bytes, ...]) -> Iterator[bytes]:
            one = self._connection
            stream = one.get_next_available_stream_id()
            one.send_headers(stream, request)
            size = one.max_outbound_frame_size
            for piece in pieces:
                for at in range(0, len(piece), size):
                    one.send_data(stream, piece[at : at + size])
                yield one.data_to_send()
            one.end_stream(stream)
            yield one.data_to_send()

    return Client
