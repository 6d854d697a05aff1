"""The one conversion from options to the configuration of an engine.

Every connection is configured here, to a server and to a proxy that opens a tunnel. The arguments for options
are made from the declarations of the options; `python ci/generated.py --write` brings them up to date.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._core import http1, http2
from ._core.events import EVENTS
from ._version import USER_AGENT
from .tolerance import bits_of

if TYPE_CHECKING:
    from .options import HTTP1Options, HTTP2Options
    from .types import HeaderFields, Scheme


def http1_configuration(
    options: HTTP1Options,
    *,
    scheme: Scheme,
    hostname: str,
    port: int,
    identity: int,
    forward_proxy: bool = False,
    proxy_headers: HeaderFields = (),
) -> http1.Config:
    """Return the configuration of an HTTP/1 engine with these options."""
    return http1.Config(
        hostname=hostname,
        port=port,
        scheme=scheme,
        identity=identity,
        user_agent=USER_AGENT,
        forward_proxy=forward_proxy,
        proxy_headers=proxy_headers,
        # HTTP/1: made by ci/generated.py
        sensitive=options.sensitive_headers,
        max_header_list_size=options.max_header_list_size,
        max_fields=options.max_fields,
        max_status_line=options.max_status_line,
        max_informational=options.max_informational,
        max_informational_size=options.max_informational_size,
        max_trailer_size=options.max_trailer_size,
        max_trailer_fields=options.max_trailer_fields,
        max_chunk_line=options.max_chunk_line,
        max_pipelined=options.max_pipelined,
        tolerance=bits_of(options.lenient),
        case_sensitive_headers=options.case_sensitive_headers,
        skip_target_validation=options.skip_target_validation,
        status_reason="status_reason" in options.optional_responses,
        # end of HTTP/1
    )


def http2_configuration(
    options: HTTP2Options, *, scheme: Scheme, hostname: str, port: int, identity: int
) -> http2.Config:
    """Return the configuration of an HTTP/2 engine with these options."""
    return http2.Config(
        hostname=hostname,
        port=port,
        scheme=scheme,
        identity=identity,
        user_agent=USER_AGENT,
        settings=options.client_settings.pairs(),
        # HTTP/2: made by ci/generated.py
        sensitive=options.sensitive_headers,
        connection_window_size=options.connection_window_size,
        window_update_threshold=options.receive_window_update_threshold,
        tolerance=bits_of(options.lenient),
        events=sum(EVENTS[name] for name in set(options.optional_responses)),
        max_fields=options.max_fields,
        max_discarded_header_list=options.max_discarded_header_list,
        max_header_block=options.max_header_block,
        max_continuations=options.max_continuations,
        max_settings=options.max_settings,
        max_unsent_acks=options.max_unsent_acks,
        max_glitches=options.max_glitches,
        max_resets=options.max_resets,
        max_reserved=options.max_reserved,
        max_remembered=options.max_remembered,
        max_informational=options.max_informational,
        max_informational_size=options.max_informational_size,
        max_trailer_size=options.max_trailer_size,
        max_trailer_fields=options.max_trailer_fields,
        max_pings=options.max_pings,
        assumed_concurrency=options.initial_max_concurrent_streams,
        skip_target_validation=options.skip_target_validation,
        index_credentials=options.index_credentials,
        # end of HTTP/2
    )
