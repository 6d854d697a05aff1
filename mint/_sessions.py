"""TLS sessions to resume: a bounded store that the caller owns and passes. RFC 8446 2.2, C.4.

A resumed session skips the certificates, so it is offered only where everything that decided about them is
the same: that is the key. Each session is offered once. There is no early data.
"""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, NoReturn, Self, TypeAlias

from ._checks import number

if TYPE_CHECKING:
    import ssl
    from collections.abc import Hashable

    _Entry: TypeAlias = tuple[ssl.SSLContext, ssl.SSLSession]

MOST = 100


class TLSSessions:
    """TLS sessions of earlier connections that later ones may resume: pass the same object to both.

    For example::

        tls = mint.TLSOptions(sessions=mint.TLSSessions())

    A session is resumed only if the options, server name, address, port, protocols and proxy are the same. If
    a file of certificates has changed, the options are not the same. The store is thread-safe. It holds at
    most `most` sessions (by default 100) and discards the oldest ones.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = number("most", most, 1, sys.maxsize)
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def __copy__(self) -> Self:
        """Return the store itself: copies of options share it."""
        return self

    def __deepcopy__(self, memo: object) -> Self:
        """Return the store itself: copies of options share it."""
        return self

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: sessions belong to this process."""
        raise TypeError("TLSSessions cannot be pickled: TLS sessions belong to this process")

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        """Forget every session."""
        with self._lock:
            self._entries.clear()

    def take(self, key: Hashable) -> _Entry | None:
        """Return a session and the context it belongs to, and forget it."""
        with self._lock:
            return self._entries.pop(key, None)

    def keep(self, key: Hashable, context: ssl.SSLContext, session: ssl.SSLSession) -> None:
        """Remember a session."""
        with self._lock:
            self._entries.pop(key, None)
            self._entries[key] = context, session
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)
