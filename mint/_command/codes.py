"""Exit codes. They are those of curl, as far as curl has one."""

from __future__ import annotations

import re

from .. import errors
from .usage import BadURLError, CommandError

_CREDENTIALS = re.compile(r"//[^/?#\s@]*@")
_UNSENDABLE = (
    errors.InvalidRequestMethod,
    errors.InvalidHeaderName,
    errors.InvalidHeaderValue,
    errors.InvalidRequestFraming,
    errors.InvalidPseudoHeader,
    errors.ConnectionSpecificHeader,
    errors.ContentLengthMismatch,
)
_UNSENDABLE_OR_BAD = (errors.EmptyTokenList, errors.InvalidTokenList)
"""Errors that concern the request if they are local, and otherwise the response."""

_UNDECODABLE = (
    errors.UnknownCoding,
    errors.TooManyCodings,
    errors.CompressionRatioExceeded,
    errors.InvalidContent,
    errors.TruncatedContent,
)
_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (errors.InvalidRequestTarget, BadURLError.code),
    *((kind, CommandError.code) for kind in _UNSENDABLE),
    (errors.CertificateRejected, 60),
    (errors.TLSFailed, 35),
    (errors.ProtocolNotNegotiated, 35),
    (errors.BadALPNProtocol, 35),
    (errors.InadequateSecurity, 35),
    (errors.NameNotResolved, 6),
    (errors.ConnectionRefused, 7),
    (errors.Unreachable, 7),
    (errors.ContentTooLarge, 63),
    *((kind, 61) for kind in _UNDECODABLE),
    (TimeoutError, 28),
    (errors.TransportError, 56),
    (errors.IncompleteResponse, 56),
    (errors.ProxyError, 97),
    (errors.HTTPError, 8),
    (errors.MintError, 8),
    (KeyboardInterrupt, 130),
    (OSError, 23),
    (ValueError, BadURLError.code),
)


_AS_IT_IS = "without --compressed it is not decoded"
_ADVICE: dict[type[BaseException], str] = {
    errors.ContentTooLarge: "this is the limit of --max-filesize",
    errors.CompressionRatioExceeded: _AS_IT_IS,
    errors.TooManyCodings: _AS_IT_IS,
    errors.HTTP1Response: "use --http1.1",
}
"""Replacements for the end of messages, which would otherwise name parameters of functions."""


def exit_code(error: BaseException) -> int:
    """Return the exit code of a failure."""
    if isinstance(error, CommandError):
        return error.code
    if isinstance(error, _UNSENDABLE_OR_BAD) and error.local:
        return CommandError.code
    return next(code for kind, code in _CODES if isinstance(error, kind))


def text_of(error: BaseException) -> str:
    """Return the message to print for a failure."""
    text = str(error)
    if type(error) in _ADVICE:
        text = f"{text.rpartition(': ')[0]}: {_ADVICE[type(error)]}"
    if isinstance(error, OSError) and not isinstance(error, errors.MintError):
        text = f"{error.filename or 'cannot write'}: {error.strerror or error}"
    # A URL may be used by mistake in other places, for example as the name of a file after -o.
    return _CREDENTIALS.sub("//(redacted)@", text)
