"""Certificates and keys of TLS contexts, from files or from memory; `ssl` can load some only from files."""

from __future__ import annotations

import contextlib
import os
import ssl
from typing import TYPE_CHECKING, NoReturn

from ..errors import TLSFailed

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..options import TLSOptions


@contextlib.contextmanager
def loading(*files: str | None, data: tuple[str, ...] = ()) -> Generator[None]:
    """Raise `TLSFailed` with the name of the file, or of the option in `data`, that cannot be loaded."""
    try:
        yield
    except TLSFailed:
        raise
    except OSError as error:
        raise TLSFailed(_what_failed([file for file in files if file is not None], data, error)) from error


def _what_failed(files: list[str], data: tuple[str, ...], error: OSError) -> str:
    for file in files:
        try:
            with open(file, "rb"):  # noqa: PTH123  # importing pathlib takes longer than all of this module
                pass
        except OSError as unreadable:
            return f"cannot load {file}: {unreadable.strerror}"
    reason: str | None = getattr(error, "reason", None)  # some errors of `ssl` have none
    if not isinstance(error, ssl.SSLError):
        detail = error.strerror or str(error)
    elif reason:
        detail = reason.replace("_", " ").lower()
    else:
        # `ssl` gives no reason if the file is not PEM or the password is wrong.
        detail = "not in PEM form, or for another password"
    return f"cannot load {' or '.join((*data, *files))}: {detail}"


@contextlib.contextmanager
def as_file(data: bytes) -> Generator[str]:
    """Make a file with this data for the duration of the block; other users cannot read it.

    On Linux, the file exists only in memory. Elsewhere it is a temporary file.
    """
    with contextlib.ExitStack() as stack:
        path = _in_memory(data, stack)
        yield _in_folder(data, stack) if path is None else path


def _in_memory(data: bytes, stack: contextlib.ExitStack) -> str | None:
    """Return the path of a file in memory; `None` if the system does not support it."""
    if not hasattr(os, "memfd_create"):
        return None
    try:
        descriptor = os.memfd_create("mint")
    except OSError:  # a sandbox may forbid it
        return None
    stack.callback(os.close, descriptor)
    path = f"/proc/self/fd/{descriptor}"
    if not os.path.exists(path):  # noqa: PTH110  # as above
        return None
    os.fchmod(descriptor, 0o600)
    with open(descriptor, "wb", closefd=False) as file:  # as above
        file.write(data)
    return path


def _in_folder(data: bytes, stack: contextlib.ExitStack) -> str:
    import tempfile  # noqa: PLC0415  # few programs get here

    # `mkstemp` makes a file that only this user can open. Its removal is registered before data is written.
    descriptor, path = tempfile.mkstemp(prefix="mint-")
    stack.callback(os.unlink, path)
    with open(descriptor, "wb") as file:  # noqa: PTH123  # as above
        file.write(data)
    return path


def load_certificate(context: ssl.SSLContext, options: TLSOptions) -> None:
    """Load the client's certificate and key. Raises `TLSFailed`."""
    if options.cert_file is None and options.cert_data is None:
        return
    held = (("cert_data", options.cert_data), ("key_data", options.key_data))
    data = tuple(name for name, each in held if each is not None)
    with (
        loading(options.cert_file, options.key_file, data=data),
        _named(options.cert_file, options.cert_data) as cert,
        _named(options.key_file, options.key_data) as key,
    ):
        # Without a password, OpenSSL would ask for one at the terminal.
        password = _refuse if options.key_password is None else options.key_password
        context.load_cert_chain(cert or "", key, password)


@contextlib.contextmanager
def _named(file: str | None, data: str | bytes | None) -> Generator[str | None]:
    if data is None:
        yield file
    else:
        with as_file(data.encode() if isinstance(data, str) else data) as path:
            yield path


def _refuse() -> NoReturn:
    raise TLSFailed("the client's key is encrypted: give key_password")
