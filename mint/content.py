"""Decode the content of responses, piece by piece and within limits (RFC 9110 8.4).

    decoder = mint.content.Decoder(answer.headers_all("content-encoding"), max_size=10_000_000)
    for piece in decoder.feed(data):
        ...
    for piece in decoder.finish():
        ...

A few kilobytes can expand to gigabytes. Therefore no step produces more than one piece of output, and the
size and the ratio are checked after each step. gzip and deflate need only the standard library. zstd needs
Python 3.14 or the extra `mint-http[zstd]`; br needs the extra `mint-http[br]`.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from . import _checks
from ._content import brotli, zstd
from ._content.inflate import Deflate, Gzip
from .errors import CompressionRatioExceeded, ContentTooLarge, TooManyCodings, UnknownCoding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ._content.stage import Stage
    from .types import BytesLike

__all__ = ["Decoder", "accept_encoding", "decode", "supported"]

_PIECE: Final = 65_536
"""The number of bytes of output that one step asks for."""

_INPUT: Final = 16_384
"""The number of bytes that a stage gets at once: few, because input after the end of a member is copied."""

_FREE: Final = 1_048_576
"""Up to this many bytes of output the ratio is not checked, because small contents may compress very well."""

_MOST_CODINGS: Final = 1_000_000
"""The largest `max_codings`, far above any number in use."""

_STAGES: dict[str, Callable[[], Stage]] = {
    "gzip": Gzip,
    "x-gzip": Gzip,
    "deflate": Deflate,
    "br": brotli.Brotli,
    "zstd": zstd.Zstd,
}


def supported() -> tuple[str, ...]:
    """Return the codings that can be decoded here, as named in `accept-encoding`."""
    return (
        "gzip",
        "deflate",
        *(("br",) if brotli.is_installed() else ()),
        *(("zstd",) if zstd.is_installed() else ()),
    )


def accept_encoding() -> tuple[str, str]:
    """Return the request header that asks for the codings of `supported()`. RFC 9110 12.5.3."""
    return "accept-encoding", ", ".join(supported())


def _stages(codings: str | Iterable[str], limit: int) -> list[Stage]:
    names: list[str] = []
    values = (codings,) if isinstance(codings, str) else codings
    if not hasattr(values, "__iter__") or isinstance(values, (bytes, bytearray)):
        raise TypeError(f"codings must be a str or a sequence of str, not {type(codings).__name__}")
    for given in values:
        if not isinstance(given, str):
            raise TypeError(
                f"codings must be a str or a sequence of str, not a sequence of {type(given).__name__}"
            )
        value = str.__str__(given)
        # A list of more elements than the limit is too long even if some of them are empty.
        found = value.lower().split(",", 4 * limit + 1)
        names += [name for each in found if (name := each.strip(" \t")) and name != "identity"]
        if len(names) > limit:
            raise TooManyCodings(limit)
    # The codings were applied in the order in which they are listed.
    return [_stage(name) for name in reversed(names)]


def _stage(name: str) -> Stage:
    make = _STAGES.get(name)
    if make is None:
        raise UnknownCoding(name)
    try:
        return make()
    except ImportError as error:
        raise UnknownCoding(name) from error


class Decoder:
    """Decodes the content of one response as it arrives.

    Args:
        codings: the values of `content-encoding`, one string or several; `identity` is ignored.
        max_size: the maximum size of the decoded content in bytes, 0 or more; `None` for no limit.
        max_ratio: how many times larger the output of any coding may be than the content that arrived, 1 or
            more; `None` for no limit. It applies once the output exceeds 1 MiB. Members and frames count as
            output, too.
        max_codings: the maximum number of codings, 1 or more.

    Raises `UnknownCoding` and `TooManyCodings`.

    Zero bytes of content are valid with any coding: servers send them with a 304, or with an empty file.

    """

    def __init__(
        self,
        codings: str | Iterable[str] = (),
        *,
        max_size: int | None = 104_857_600,
        max_ratio: int | None = 200,
        max_codings: int = 5,
    ) -> None:
        self._max_size = _checks.size("max_size", max_size)
        self._max_ratio = _checks.size("max_ratio", max_ratio, 1)
        self._stages = _stages(codings, _checks.number("max_codings", max_codings, 1, _MOST_CODINGS))
        self._costs = [0] * len(self._stages)
        self._arrived = 0
        self._size = 0
        self._arrivals: deque[bytes] = deque()
        self._inputs: list[deque[bytes]] = [deque() for _ in self._stages]

    @property
    def size(self) -> int:
        """The number of bytes of decoded content so far."""
        return self._size

    def feed(self, data: BytesLike) -> Iterator[bytes]:
        """Decode more content: yield pieces of at most about 64 KiB, none of them empty.

        If you do not exhaust the iterator, the next one yields the rest. Raises `ContentTooLarge`,
        `CompressionRatioExceeded` and `InvalidContent`. Do not use the decoder after an error.
        """
        exact = _checks.octets(data)
        if exact is None:
            raise TypeError(f"data must be bytes, not {type(data).__name__}")
        if exact:
            self._arrivals.append(exact)
            self._arrived += len(exact)
        return self._run()

    def finish(self) -> Iterator[bytes]:
        """Yield the rest of the content; raise `TruncatedContent` if the content ends too early.

        It also raises what `feed` raises.
        """
        yield from self._run()
        for stage in self._stages:
            stage.finish()

    def _run(self) -> Iterator[bytes]:
        while (piece := self._pull(len(self._stages) - 1)) is not None:
            if piece:
                self._size += len(piece)
                if self._max_size is not None and self._size > self._max_size:
                    raise ContentTooLarge(self._max_size)
                yield piece

    def _pull(self, number: int) -> bytes | None:
        """Return output of a stage, whose input is the output of the one before; `None` if there is none."""
        if number < 0:
            return self._arrivals.popleft() if self._arrivals else None
        stage = self._stages[number]
        inputs = self._inputs[number]
        while True:
            units = stage.units
            out = stage.pull(_PIECE)
            self._costs[number] += len(out or b"") + (stage.units - units) * stage.unit_cost
            self._check_ratio(self._costs[number])
            if out is not None:
                return out
            if not inputs:
                data = self._pull(number - 1)
                if data is None:
                    return None
                inputs.extend(data[start : start + _INPUT] for start in range(0, len(data), _INPUT))
            if inputs:
                stage.push(inputs.popleft())

    def _check_ratio(self, cost: int) -> None:
        if self._max_ratio is not None and cost > _FREE and cost > self._max_ratio * self._arrived:
            raise CompressionRatioExceeded(self._max_ratio)


def decode(
    content: BytesLike,
    codings: str | Iterable[str],
    *,
    max_size: int | None = 104_857_600,
    max_ratio: int | None = 200,
    max_codings: int = 5,
) -> bytes:
    """Decode content that is complete; the arguments and errors are those of `Decoder`."""
    if _checks.octets(content) is None:
        raise TypeError(f"content must be bytes, not {type(content).__name__}")
    decoder = Decoder(codings, max_size=max_size, max_ratio=max_ratio, max_codings=max_codings)
    return b"".join([*decoder.feed(content), *decoder.finish()])
