"""pycurl: libcurl, one handle for everything, or many under a multi handle."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pycurl

from ..servers import content
from ._net import asks

if TYPE_CHECKING:
    from ..net import Errand
    from ._net import Got, Run


class _Source:
    """Content that libcurl reads; it does not accept a bytes object."""

    def __init__(self, octets: bytes) -> None:
        self._octets = memoryview(octets)
        self._at = 0

    def __call__(self, room: int) -> bytes:
        self._at += room
        return bytes(self._octets[self._at - room : self._at])


def _handle(errand: Errand) -> pycurl.Curl:
    handle = pycurl.Curl()
    handle.setopt(pycurl.CAINFO, errand.authority)
    version = pycurl.CURL_HTTP_VERSION_2TLS if errand.http2 else pycurl.CURL_HTTP_VERSION_1_1
    handle.setopt(pycurl.HTTP_VERSION, version)
    handle.setopt(pycurl.BUFFERSIZE, 1 << 18)
    return handle


def client(errand: Errand) -> Run:
    handle = _handle(errand)
    root = errand.url.removesuffix(errand.path)
    waiting = asks(errand)

    def get() -> tuple[int, bytes]:
        target, fields = next(waiting)
        handle.setopt(pycurl.URL, root + target)
        handle.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in fields])
        body = handle.perform_rb()
        return handle.getinfo(pycurl.RESPONSE_CODE), body

    def connect() -> tuple[int, bytes]:
        nonlocal handle
        handle.close()
        handle = _handle(errand)
        return get()

    def down() -> tuple[int, bytes]:
        total = 0

        def take(piece: bytes) -> None:
            nonlocal total
            total += len(piece)

        handle.setopt(pycurl.URL, errand.url)
        handle.setopt(pycurl.WRITEFUNCTION, take)
        handle.perform()
        return handle.getinfo(pycurl.RESPONSE_CODE), b"%d" % total

    body = content() if errand.verb == "up" else b""

    def up() -> tuple[int, bytes]:
        handle.setopt(pycurl.URL, errand.url)
        handle.setopt(pycurl.POST, 1)
        handle.setopt(pycurl.POSTFIELDSIZE_LARGE, len(body))
        handle.setopt(pycurl.READFUNCTION, _Source(body))
        handle.setopt(pycurl.UPLOAD_BUFFERSIZE, 1 << 18)
        handle.setopt(pycurl.HTTPHEADER, ["expect:", "content-type: application/octet-stream"])
        said = handle.perform_rb()
        return handle.getinfo(pycurl.RESPONSE_CODE), said

    one = {"get": get, "connect": connect, "down": down, "up": up}[errand.verb]
    return lambda number: [one() for _ in range(number)]


def together(errand: Errand) -> Run:
    """Use a handle for each stream, all on one connection."""
    multi = pycurl.CurlMulti()
    multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
    multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, 1)
    handles = [_handle(errand) for _ in range(errand.together)]
    for handle in handles:
        handle.setopt(pycurl.PIPEWAIT, 1)
    root = errand.url.removesuffix(errand.path)
    waiting = asks(errand)

    def batch(number: int) -> Got:
        bodies: list[list[bytes]] = [[] for _ in range(number)]
        for handle, body, (target, fields) in zip(handles, bodies, islice(waiting, number), strict=False):
            handle.setopt(pycurl.URL, root + target)
            handle.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in fields])
            handle.setopt(pycurl.WRITEFUNCTION, body.append)
            multi.add_handle(handle)
        left = number
        while left:
            _, left = multi.perform()
            if left:
                multi.select(1.0)
        out = []
        for handle, body in zip(handles, bodies, strict=False):
            out.append((handle.getinfo(pycurl.RESPONSE_CODE), b"".join(body)))
            multi.remove_handle(handle)
        return out

    def run(number: int) -> Got:
        out: Got = []
        while len(out) < number:
            out += batch(min(errand.together, number - len(out)))
        return out

    return run
