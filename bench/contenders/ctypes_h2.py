"""libnghttp2 as Python programs can use it without a compiler: ctypes, with callbacks in Python."""

from __future__ import annotations

import ctypes
import ctypes.util
from typing import TYPE_CHECKING, Any  # each package has types of its own

from ..measure import MissingError
from ..streams import WINDOW
from ..work import Message
from ._http2 import task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..measure import Task
    from ..streams import Request

POINTER, SIZE, INT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
STREAM_AT = 8  # the offset of the stream in nghttp2_frame_hd, after a size_t length
END_OF_DATA = 1


class _Pair(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p), ("value", ctypes.c_char_p),
        ("name_size", SIZE), ("value_size", SIZE), ("flags", ctypes.c_uint8),
    ]  # fmt: skip


class _Setting(ctypes.Structure):
    _fields_ = [("identifier", ctypes.c_int32), ("value", ctypes.c_uint32)]


class _Provider(ctypes.Structure):
    _fields_ = [("source", POINTER), ("read", POINTER)]


OnHeader = ctypes.CFUNCTYPE(INT, POINTER, POINTER, POINTER, SIZE, POINTER, SIZE, ctypes.c_uint8, POINTER)
OnData = ctypes.CFUNCTYPE(INT, POINTER, ctypes.c_uint8, ctypes.c_int32, POINTER, SIZE, POINTER)
OnClose = ctypes.CFUNCTYPE(INT, POINTER, ctypes.c_int32, ctypes.c_uint32, POINTER)
Read = ctypes.CFUNCTYPE(
    ctypes.c_ssize_t, POINTER, ctypes.c_int32, POINTER, SIZE, ctypes.POINTER(ctypes.c_uint32),
    POINTER, POINTER,
)  # fmt: skip


def _library() -> Any:  # a CDLL has attributes of any name
    name = ctypes.util.find_library("nghttp2")
    if name is None:
        raise MissingError("libnghttp2")
    found = ctypes.CDLL(name)
    send = found.nghttp2_session_mem_send
    send.argtypes, send.restype = [POINTER, ctypes.POINTER(POINTER)], ctypes.c_ssize_t
    recv = found.nghttp2_session_mem_recv
    recv.argtypes, recv.restype = [POINTER, ctypes.c_char_p, SIZE], ctypes.c_ssize_t
    found.nghttp2_submit_request.argtypes = [POINTER, POINTER, POINTER, SIZE, POINTER, POINTER]
    found.nghttp2_session_del.argtypes = [POINTER]
    return found


NGHTTP2 = _library()


class Client:
    def __init__(self) -> None:
        self._out: list[tuple[int, list[tuple[bytes, bytes]], list[bytes]]] = []
        heads: dict[int, list[tuple[bytes, bytes]]] = {}
        bodies: dict[int, list[bytes]] = {}
        text = ctypes.string_at

        def header(
            _: int, frame: int, name: int, count: int, value: int, size: int, __: int, ___: int
        ) -> int:
            stream = ctypes.c_int32.from_address(frame + STREAM_AT).value
            heads.setdefault(stream, []).append((text(name, count), text(value, size)))
            return 0

        def data(_: int, __: int, stream: int, at: int, size: int, ___: int) -> int:
            bodies.setdefault(stream, []).append(text(at, size))
            return 0

        def close(_: int, stream: int, __: int, ___: int) -> int:
            self._out.append((stream, heads.pop(stream), bodies.pop(stream, [])))
            return 0

        self._kept = (OnHeader(header), OnData(data), OnClose(close))
        callbacks, session = POINTER(), POINTER()
        NGHTTP2.nghttp2_session_callbacks_new(ctypes.byref(callbacks))
        setters = ("on_header", "on_data_chunk_recv", "on_stream_close")
        for name, function in zip(setters, self._kept, strict=True):
            getattr(NGHTTP2, f"nghttp2_session_callbacks_set_{name}_callback")(callbacks, function)
        NGHTTP2.nghttp2_session_client_new(ctypes.byref(session), callbacks, None)
        NGHTTP2.nghttp2_session_callbacks_del(callbacks)
        self._session = session
        entries = (_Setting * 2)(_Setting(2, 0), _Setting(4, WINDOW))
        NGHTTP2.nghttp2_submit_settings(session, 0, entries, SIZE(2))
        NGHTTP2.nghttp2_session_set_local_window_size(session, 0, 0, WINDOW)

    def __del__(self) -> None:
        NGHTTP2.nghttp2_session_del(self._session)

    def first(self) -> bytes:
        return self._sent()

    def _sent(self) -> bytes:
        at = POINTER()
        out: list[bytes] = []
        while (size := NGHTTP2.nghttp2_session_mem_send(self._session, ctypes.byref(at))) > 0:
            assert at.value is not None
            out.append(ctypes.string_at(at.value, size))
        return b"".join(out)

    def prepared(self, request: Request) -> list[tuple[bytes, bytes]]:
        return [(name.encode(), value.encode()) for name, value in request]

    def _submit(self, request: list[tuple[bytes, bytes]], provider: Any) -> None:  # a ctypes pointer
        pairs = (_Pair * len(request))(*(_Pair(n, v, len(n), len(v), 0) for n, v in request))
        NGHTTP2.nghttp2_submit_request(self._session, None, pairs, len(request), provider, None)

    def get(self, request: list[tuple[bytes, bytes]]) -> bytes:
        self._submit(request, None)
        return self._sent()

    def feed(self, octets: bytes) -> list[Any]:
        out: list[Any] = []
        self._out = out
        taken = NGHTTP2.nghttp2_session_mem_recv(self._session, octets, len(octets))
        if taken != len(octets):
            raise ValueError(taken)
        self._sent()
        return out

    def normal(self, native: list[list[Any]]) -> list[tuple[int, Message]]:
        return [
            (
                stream,
                Message(
                    int(fields[0][1]),
                    tuple((name.decode(), value.decode()) for name, value in fields[1:]),
                    b"".join(body),
                ),
            )
            for called in native
            for stream, fields, body in called
        ]

    def put(self, request: list[tuple[bytes, bytes]], pieces: tuple[bytes, ...]) -> Iterator[bytes]:
        waiting = iter(pieces)
        now, at = next(waiting), 0

        def read(
            _: int,
            __: int,
            target: int,
            room: int,
            flags: Any,  # a ctypes pointer has no type for its target
            ___: int,
            ____: int,
        ) -> int:
            nonlocal now, at
            size = min(room, len(now) - at)
            ctypes.memmove(target, now[at : at + size], size)
            at += size
            if at == len(now):
                now, at = next(waiting, b""), 0
                if not now:
                    flags[0] |= END_OF_DATA
            return size

        function = Read(read)
        self._reading = function
        provider = _Provider(None, ctypes.cast(function, POINTER))  # a conversion of ctypes, not of types
        self._submit(request, ctypes.byref(provider))
        yield self._sent()


def client(work: object) -> Task:
    return task(work, Client)
