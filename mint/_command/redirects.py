"""The next request after a redirect with -L: the rules of RFC 9110 15.4, and those about credentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .locations import resolve
from .usage import BadURLError, TooManyRedirects

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from .bodies import Upload
    from .locations import Location

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SECRETS = frozenset({"authorization", "cookie", "cookie2", "proxy-authorization", "host"})
"""Fields that are meant for one origin only: credentials (RFC 9110 15.4), and the host."""
_ABOUT_CONTENT = frozenset(
    {"content-type", "content-length", "content-encoding", "content-language", "content-location", "trailer"}
)


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """One request."""

    location: Location
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | Upload | None
    redirects: int = 0
    """The number of redirects before this request."""

    def without(self, names: Collection[str]) -> tuple[tuple[str, str], ...]:
        """Return the headers without those with these names."""
        return tuple((name, value) for name, value in self.headers if name.lower() not in names)


def target_of(status: int, locations: Sequence[str]) -> str | None:
    """Return the reference to which a response redirects, or `None`. Raises `BadURLError`."""
    if status not in _REDIRECTS or not locations:
        return None
    if len(set(locations)) > 1:
        raise BadURLError("the redirect has several different locations")
    return locations[0]


def follow(
    request: PlannedRequest, status: int, reference: str, schemes: Collection[str] | None, most: int
) -> PlannedRequest:
    """Return the request that a redirect leads to.

    Raises `TooManyRedirects`, `SchemeRefused` and `BadURLError`. Without `schemes`, https stays https.
    """
    allowed = schemes if schemes is not None else {"https", request.location.scheme}
    location = resolve(request.location, reference, allowed)
    if request.redirects >= most:
        raise TooManyRedirects(f"there are more than {most} redirects (--max-redirs)")
    method, headers, body = request.method, request.headers, request.body
    # A POST becomes a GET, as in browsers (RFC 9110 15.4.2, 15.4.3); 307 and 308 preserve the method.
    if (status == 303 and method != "HEAD") or (status in {301, 302} and method == "POST"):
        if method != "GET" or body is not None:
            headers, body = request.without(_ABOUT_CONTENT), None
        method = "GET"
    made = PlannedRequest(location, method, headers, body, request.redirects + 1)
    if location.origin == request.location.origin:
        return made
    # These fields remain removed, even if another redirect leads back to the first origin.
    return PlannedRequest(location, method, made.without(_SECRETS), body, made.redirects)
