"""TLS sessions to resume: a bounded store that the caller owns and passes. RFC 8446 2.2, C.4.

Certificates are not checked again when a session is resumed. It is therefore offered only if everything that
decided about them is the same: this is its key. Each session is offered once. There is no early data.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from typing import TYPE_CHECKING, NoReturn, Self, TypeAlias

from ._checks import number
from ._core.link_base import Mutex
from ._process import share

if TYPE_CHECKING:
    import ssl
    from collections.abc import Hashable

    _Entry: TypeAlias = tuple[ssl.SSLContext, ssl.SSLSession]

MOST = 100


class TLSSessions:
    """TLS sessions of earlier connections that later ones may resume: pass the same object to both.

    For example::

        tls = mint.TLSOptions(sessions=mint.TLSSessions())

    A session is resumed only if the options, server name, address, port, protocols and proxy are the same.
    Options count as different if a certificate file that they name has changed. The store is thread-safe. It
    holds at most `most` sessions (1 or more, by default 100) and discards the oldest ones.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = number("most", most, 1, sys.maxsize)
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._lock = Mutex()
        share(self)

    def begin_anew(self) -> None:
        """Continue in a forked child, whatever another thread of the parent was doing."""
        if not self._lock.held:
            self._lock = Mutex()

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
        """Remove a session from the store, and return it with the context that it belongs to."""
        with self._lock:
            return self._entries.pop(key, None)

    def keep(self, key: Hashable, context: ssl.SSLContext, session: ssl.SSLSession) -> None:
        """Store a session; discard the oldest if there are too many."""
        with self._lock:
            self._entries.pop(key, None)
            self._entries[key] = context, session
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)
