"""TLS contexts that connections with equal options share.

A context depends only on the options, the protocols and the files it was loaded from. Loading the system's
certificates takes longer than a handshake, so up to `MOST` contexts are kept, and a new one is made when a
file changes. A context that the caller supplied is never kept.
"""

from __future__ import annotations

import os
import ssl
from collections import OrderedDict
from dataclasses import fields
from typing import TYPE_CHECKING, Final, TypeAlias

from .._core.link_base import Mutex
from .._extras import with_certifi
from ..options import TLSOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    _Make: TypeAlias = Callable[[TLSOptions, Sequence[str]], ssl.SSLContext]
    Stamp: TypeAlias = tuple[str, int, int, int] | tuple[str] | None

MOST = 32
"""How many contexts are kept; the least recently used one is dropped first."""

# These options belong to a connection, not to its context.
_OTHER = frozenset({"sessions", "server_hostname", "context", "fingerprints", "check_hostname"})
_FIELDS = tuple(field.name for field in fields(TLSOptions) if field.name not in _OTHER)

_kept: OrderedDict[Hashable, ssl.SSLContext] = OrderedDict()
# Re-entrant: a signal handler may connect while its thread holds the lock.
_lock = Mutex()


def stamp(file: str | None) -> Stamp:
    """Return a value that changes when a file does."""
    if file is None:
        return None
    try:
        found = os.stat(file)  # noqa: PTH116  # importing pathlib takes longer than all of this module
    except OSError:
        return (file,)
    return file, found.st_ino, found.st_size, found.st_mtime_ns


def _store() -> tuple[Stamp, ...]:
    """Return the stamps of the operating system's certificates, or of those that replace them."""
    paths = ssl.get_default_verify_paths()
    store = stamp(paths.cafile), stamp(paths.capath)
    found: str | None = paths.cafile or None
    return (*store, stamp(with_certifi.bundle())) if found is None else store


def _files(options: TLSOptions) -> tuple[Stamp, ...]:
    """Return the stamps of every file that a context for these options is made from."""
    files = stamp(options.ca_file), stamp(options.cert_file), stamp(options.key_file)
    if not options.verify or options.ca_file is not None or options.ca_data is not None:
        return files
    if options.trust == "certifi":
        return (*files, stamp(with_certifi.bundle()))
    return (*files, *_store()) if options.trust in {"auto", "system"} else files


def shared(options: TLSOptions, alpn: Sequence[str], make: _Make) -> ssl.SSLContext:
    """Return a context that was made before for equal options and unchanged files, or make one.

    Raises what `make` raises; then nothing is kept.
    """
    log = options.key_log_file or os.environ.get("SSLKEYLOGFILE")
    if options.context is not None or log:
        # Never shared: the caller's own context, or one with an open key log file, which may be rotated.
        return make(options, alpn)
    checks = options.check_hostname is None  # the function itself belongs to the connection
    key = tuple(getattr(options, name) for name in _FIELDS), checks, tuple(alpn), _files(options)
    with _lock:
        found = _kept.get(key)
        if found is not None:
            _kept.move_to_end(key)
            return found
    made = make(options, alpn)
    with _lock:
        found = _kept.setdefault(key, made)
        while len(_kept) > MOST:
            _kept.popitem(last=False)
    return found


class _Wrapping:
    """Makes TLS objects, each with its own ALPN protocols, from contexts that may be shared.

    In `ssl`, ALPN protocols belong to a context, and OpenSSL copies them into each TLS object when that is
    made (SSL_new); later changes have no effect on it. So the protocols are set and the object is made under
    one lock. The lock is re-entrant because a signal handler may connect, too; the count shows that it has
    changed the protocols meanwhile.
    """

    def __init__(self) -> None:
        self.lock = Mutex()
        self._count = 0

    def wrapped(
        self, context: ssl.SSLContext, alpn: Sequence[str], wrap: Callable[[], ssl.SSLObject]
    ) -> ssl.SSLObject:
        """Return a TLS object that offers these protocols."""
        while True:
            with self.lock:
                self._count += 1
                count = self._count
                context.set_alpn_protocols(list(alpn))
                made = wrap()
                if self._count == count:
                    return made


wrapping: Final = _Wrapping()


def _begin_anew() -> None:
    """Replace the locks in a child process: another thread of the parent may have held them."""
    global _lock  # noqa: PLW0603  # a lock that is held cannot be released by another thread
    _lock = Mutex()
    wrapping.lock = Mutex()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


def forget() -> None:
    """Forget every context."""
    with _lock:
        _kept.clear()
