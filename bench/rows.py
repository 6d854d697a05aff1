"""The rows: each combines a workload with contenders, and may set goals for mint."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from . import net, streams, work
from .clients import CLIENTS
from .footprint import Idle, Importing
from .measure import Contender, Goal, Kind, Row

if TYPE_CHECKING:
    from collections.abc import Callable

ENGINE = "mint engine"
FACADE = "mint facade"

HTTP1 = (
    Contender(ENGINE, "mint", "mint_h1:engine"),
    Contender(FACADE, "mint", "mint_h1:facade"),
    Contender("httptools", "peer", "httptools_h1:responses"),
    Contender("zttp (Zig, parser only)", "peer", "zttp_h1:responses"),
    Contender("aiohttp (C)", "peer", "aiohttp_h1:responses"),
    Contender("http.client", "peer", "http_client_h1:responses"),
    Contender("h11", "peer", "h11_h1:responses"),
    Contender("llhttp in C", "limit", "c_h1:llhttp"),
    Contender("one copy of the body", "limit", "copies:bodies"),
)


def _only(*names: str) -> tuple[Contender, ...]:
    return tuple(one for one in HTTP1 if one.name in names or one.kind == "mint")


PARSERS = tuple(one for one in HTTP1 if one.name != "one copy of the body")
# zttp accepts one response per connection unless the requests are sent one by one.
JOINED = tuple(one for one in PARSERS if not one.name.startswith("zttp"))
BODIES = _only("httptools", "aiohttp (C)", "http.client", "h11", "one copy of the body")

NGHTTP2 = "nghttp2 in C"


def _hpack(way: str) -> tuple[Contender, ...]:
    return (
        Contender(ENGINE, "mint", f"mint_hpack:{way}"),
        Contender("jh2 (Rust)", "peer", f"jh2_hpack:{way}"),
        Contender("hpack", "peer", f"hpack_hpack:{way}"),
        Contender(NGHTTP2, "limit", f"c_hpack:{way}"),
    )


def _hpack_row(key: str, title: str, made: Callable[[], object], way: str, factor: float) -> Row:
    goals = (Goal(ENGINE, factor, NGHTTP2),)
    return Row(f"hpack-{key}", "HPACK", title, made, _hpack(way), goals)


ZTTP2 = "zttp (Zig)"
HTTP2 = (
    Contender(ENGINE, "mint", "mint_h2:engine"),
    Contender(FACADE, "mint", "mint_h2:facade"),
    Contender("nghttp2 through ctypes", "peer", "ctypes_h2:client"),
    Contender("jh2", "peer", "jh2_h2:client"),
    Contender("h2", "peer", "h2_h2:client"),
    Contender(NGHTTP2, "limit", "c_h2:client"),
)


def _http2_row(key: str, title: str, made: Callable[[], object], *goals: Goal) -> Row:
    more: tuple[Contender, ...] = ()
    if key in {"down", "up"}:
        more = (Contender("one copy", "limit", "copies:content"),)
    elif key == "exchange":
        more = (Contender(ZTTP2, "peer", "zttp_h2:client"),)
    return Row(f"h2-{key}", "HTTP/2 in memory", title, made, HTTP2 + more, goals)


MINT = "mint"
RAW, H2LOAD, FLOOR = "raw socket", "h2load", "httptools behind a protocol"
CORE = "nghttp2 in C over ssl"
AUTHORITIES = 140
"""About as many CA certificates as systems usually trust."""
RECV, SENDALL, BARE = "recv loop", "sendall loop", "bare protocol"


def _apart(name: str, kind: Kind, where: str) -> Contender:
    return Contender(name, kind, where, apart=True)


def _net_row(
    key: str, title: str, made: Callable[[], object], goal: Goal, *contenders: tuple[str, str, str]
) -> Row:
    """Return a row with one goal; a contender is its name, where it is, and the first letter of its kind."""
    kinds: dict[str, Kind] = {"m": "mint", "p": "peer", "l": "limit"}
    all_of_them = tuple(_apart(name, kinds[kind], where) for name, where, kind in contenders)
    return Row(f"net-{key}", "End to end", title, made, all_of_them, (goal,))


NET: tuple[Row, ...] = (
    _net_row(
        "h1",
        "sequential GETs, HTTP/1 in clear",
        net.gets,
        Goal(MINT, 1.5, RAW),
        (MINT, "net_mint:client", "m"),
        ("pycurl", "net_pycurl:client", "p"),
        ("http.client", "net_stdlib:client", "p"),
        ("urllib3", "net_urllib3:client", "p"),
        ("primp", "net_rust:primp", "p"),
        ("pyreqwest", "net_rust:pyreqwest", "p"),
        ("httpx", "net_httpx:client", "p"),
        (RAW, "net_stdlib:raw", "l"),
        (H2LOAD, "net_tools:h2load", "l"),
        ("wrk", "net_tools:wrk", "l"),
    ),
    _net_row(
        "h1-tls",
        "sequential GETs, HTTP/1 over TLS",
        partial(net.gets, tls=True),
        Goal(MINT, 1.2, RAW),
        (MINT, "net_mint:client", "m"),
        ("pycurl", "net_pycurl:client", "p"),
        ("http.client", "net_stdlib:client", "p"),
        (RAW, "net_stdlib:raw", "l"),
    ),
    *(
        _net_row(
            f"connect{key}",
            f"connect, GET and close, HTTP/1 {title}",
            made,
            Goal(MINT, most=most),
            (MINT, "net_mint:client", "m"),
            ("pycurl", "net_pycurl:client", "p"),
            ("http.client", "net_stdlib:client", "p"),
            (RAW, "net_stdlib:raw", "l"),
        )
        for key, title, made, most in (
            ("", "in clear", net.connects, 120e-6),
            ("-tls", "over TLS", partial(net.connects, tls=True), 1.1e-3),
            (
                "-tls-140",
                f"over TLS, {AUTHORITIES} CA certificates",
                partial(net.connects, tls=True, authorities=AUTHORITIES),
                1.1e-3,
            ),
        )
    ),
    _net_row(
        "first-tls-140",
        f"the first GET with {AUTHORITIES} CA certificates, connecting included",
        partial(net.first, AUTHORITIES),
        Goal(MINT, 1.0, "http.client"),
        (MINT, "net_mint:client", "m"),
        ("pycurl", "net_pycurl:client", "p"),
        ("http.client", "net_stdlib:client", "p"),
    ),
    _net_row(
        "asyncio",
        "the same under asyncio",
        net.gets,
        Goal(MINT, 1.3, FLOOR),
        (MINT, "net_worlds:under_asyncio", "m"),
        ("aiohttp", "net_aiohttp:client", "p"),
        (FLOOR, "net_aiohttp:floor", "l"),
    ),
    _net_row(
        "uvloop",
        "the same under asyncio with uvloop",
        net.gets,
        Goal(MINT, 1.3, FLOOR),
        (MINT, "net_worlds:under_uvloop", "m"),
        ("aiohttp", "net_aiohttp:client_uvloop", "p"),
        (FLOOR, "net_aiohttp:floor_uvloop", "l"),
    ),
    _net_row(
        "h2",
        "sequential GETs, HTTP/2 over TLS",
        partial(net.gets, tls=True, http2=True),
        Goal(MINT, 1.2, CORE),
        (MINT, "net_mint:client", "m"),
        ("primp", "net_rust:primp", "p"),
        ("pyreqwest", "net_rust:pyreqwest", "p"),
        ("pycurl", "net_pycurl:client", "p"),
        ("httpx", "net_httpx:client", "p"),
        (CORE, "net_core:client", "l"),
        (H2LOAD, "net_tools:h2load", "l"),
    ),
    _net_row(
        "h2-100",
        "100 concurrent streams, HTTP/2 over TLS, requests batched",
        partial(net.gets, tls=True, http2=True, together=100, count=10_000),
        Goal(MINT, 1.3, H2LOAD),
        (MINT, "net_mint:together", "m"),
        ("pycurl", "net_pycurl:together", "p"),
        ("pyreqwest", "net_rust:pyreqwest_together", "p"),
        ("httpx", "net_httpx:together", "p"),
        (CORE, "net_core:together", "l"),
        (H2LOAD, "net_tools:h2load", "l"),
    ),
    _net_row(
        "down-h1",
        "100 MB down, HTTP/1 in clear",
        net.down,
        Goal(MINT, 1.1, RECV),
        (MINT, "net_mint:client", "m"),
        ("pycurl", "net_pycurl:client", "p"),
        ("http.client", "net_stdlib:client", "p"),
        ("urllib3", "net_urllib3:client", "p"),
        ("httpx", "net_httpx:client", "p"),
        (RECV, "net_stdlib:recv_loop", "l"),
    ),
    *(
        _net_row(
            f"gb-{world}",
            f"1 GB down, HTTP/1 in clear, {title}: time, not CPU",
            net.large,
            # At least 90 % of the throughput of reading alone.
            Goal(MINT, 1 / 0.9, RECV),
            (MINT, f"net_worlds:{ours}", "m"),
            *((name, where, "l") for name, where in floors),
        )
        for world, title, ours, floors in (
            ("blocking", "`recv`", "blocking", ((RECV, "net_stdlib:recv_loop"),)),
            ("mailbox", "through a mailbox", "mailbox", ((RECV, "net_stdlib:recv_loop"),)),
            (
                "asyncio",
                "under asyncio",
                "under_asyncio",
                ((RECV, "net_worlds:recv_asyncio"), (BARE, "net_worlds:protocol_asyncio")),
            ),
            (
                "uvloop",
                "under uvloop",
                "under_uvloop",
                ((RECV, "net_worlds:recv_uvloop"), (BARE, "net_worlds:protocol_uvloop")),
            ),
            ("trio", "under trio", "under_trio", ((RECV, "net_worlds:recv_trio"),)),
        )
    ),
    _net_row(
        "down-h1-tls",
        "100 MB down, HTTP/1 over TLS",
        partial(net.down, tls=True),
        Goal(MINT, 1.1, RECV),
        (MINT, "net_mint:client", "m"),
        ("pycurl", "net_pycurl:client", "p"),
        (RECV, "net_stdlib:recv_loop", "l"),
    ),
    _net_row(
        "down-h2",
        "100 MB down, HTTP/2 over TLS",
        partial(net.down, tls=True, http2=True),
        Goal(MINT, 1.15, RECV),
        (MINT, "net_mint:client", "m"),
        ("primp", "net_rust:primp", "p"),
        ("pyreqwest", "net_rust:pyreqwest", "p"),
        ("pycurl", "net_pycurl:client", "p"),
        ("httpx", "net_httpx:client", "p"),
        (RECV, "net_stdlib:recv_loop", "l"),
    ),
    _net_row(
        "up-h1",
        "100 MB up, HTTP/1 in clear, pieces of 256 KiB",
        net.up,
        Goal(MINT, 1.05, SENDALL),
        (MINT, "net_mint:client", "m"),
        ("pycurl", "net_pycurl:client", "p"),
        ("http.client", "net_stdlib:client", "p"),
        ("urllib3", "net_urllib3:client", "p"),
        ("httpx", "net_httpx:client", "p"),
        (SENDALL, "net_stdlib:sendall_loop", "l"),
    ),
    _net_row(
        "up-h2",
        "100 MB up, HTTP/2 over TLS",
        partial(net.up, tls=True),
        Goal(MINT, 1.1, SENDALL),
        (MINT, "net_mint:client", "m"),
        ("primp", "net_rust:primp", "p"),
        ("pyreqwest", "net_rust:pyreqwest", "p"),
        ("pycurl", "net_pycurl:client", "p"),
        ("httpx", "net_httpx:client", "p"),
        (SENDALL, "net_stdlib:sendall_loop", "l"),
    ),
)


def _idle_row(key: str, title: str, work: Idle, most: float, *names: tuple[str, str]) -> Row:
    contenders = tuple(
        Contender(name, "mint" if name == MINT else "peer", f"idle:{where}") for name, where in names
    )
    goals = (Goal(MINT, most=most * 1024, unit="octets"),)
    return Row(f"idle-{key}", "Memory", title, lambda: work, contenders, goals, "octets")


HTTP2_IDLE = ((MINT, "mint_h2"), ("jh2", "jh2"), ("h2", "h2"), ("nghttp2 through ctypes", "ctypes_h2"))
FOOTPRINT: tuple[Row, ...] = (
    _idle_row(
        "h1",
        "idle HTTP/1 connection, value and engine",
        Idle(10_000),
        0.6,
        (MINT, "mint_h1"),
        ("httptools", "httptools"),
        ("h11", "h11"),
    ),
    _idle_row("h2", "idle HTTP/2 connection, value and engine", Idle(1_000), 3.0, *HTTP2_IDLE),
    # With fewer connections, some of the second half fit into memory that the first half has freed.
    _idle_row("h2-100", "the same after 100 exchanges", Idle(300, 100), 12.0, *HTTP2_IDLE),
    Row(
        "import",
        "Import",
        "import, CPU beyond a bare interpreter",
        Importing,
        (
            Contender(MINT, "mint", "mint"),
            Contender("mint, with what connecting uses", "mint", "mint._connections.negotiation"),
            *(
                Contender(name.partition(".")[0] if name != "http.client" else name, "peer", name)
                for name in (
                    "httptools",
                    "pycurl",
                    "http.client",
                    "h2.connection",
                    "jh2.connection",
                    "httpx",
                    "aiohttp",
                )
            ),
            Contender("ssl + socket", "limit", "ssl, socket"),
            Contender(
                "ssl + socket + dataclasses + selectors + logging",
                "limit",
                "ssl, socket, dataclasses, selectors, logging",
            ),
        ),
        (Goal(MINT, most=38e-3),),
    ),
)

MAILBOX: tuple[Row, ...] = tuple(
    Row(
        f"mailbox-{number}",
        "Mailbox",
        f"request and message, {number:_} connections".replace("_", "\N{NO-BREAK SPACE}"),
        partial(work.Watched, number),
        (
            Contender(FACADE, "mint", "mint_mailbox:messages"),
            Contender("epoll, nothing parsed", "limit", "mint_mailbox:epoll"),
        ),
        (Goal(FACADE, 1.6, "epoll, nothing parsed"),),
    )
    for number in (10, 4_500)
)

CONNECT = Row(
    "connect",
    "Connecting",
    "connect, GET and close over loopback, HTTP/1 in clear; both ends",
    lambda: None,
    (
        Contender(FACADE, "mint", "mint_connect:clear"),
        Contender(RAW, "limit", "mint_connect:raw"),
    ),
    (Goal(FACADE, most=120e-6),),
)

POOL = Row(
    "pool",
    "Whole clients",
    "GET by the blocking pool, HTTP/1 in memory",
    lambda: None,
    (
        Contender("mint.pool", "mint", "mint_pool:pool"),
        Contender("MintTransport alone", "mint", "mint_pool:transport"),
        Contender("httpx over mint", "mint", "mint_pool:httpx"),
        Contender("httpx over a MockTransport", "limit", "mint_pool:floor"),
    ),
)

APART = Row(
    "apart",
    "Taken apart",
    "one call of Python each",
    lambda: None,
    (
        Contender("an empty call (in all below)", "limit", "apart:nothing"),
        Contender("successor, HTTP/1 engine", "mint", "apart:clone_h1"),
        Contender("successor, HTTP/2 engine", "mint", "apart:clone_h2"),
        Contender("successor, facade and engine", "mint", "apart:facade_value"),
        Contender("four response objects", "mint", "apart:objects"),
    ),
)

EXCHANGES = (
    Contender(FACADE, "mint", "mint_h1:exchange"),
    Contender("zttp (Zig, no connection)", "peer", "zttp_h1:exchange"),
)

ROWS: tuple[Row, ...] = (
    *(
        Row(
            f"h1-exchange-{fields}",
            "HTTP/1 in memory",
            f"request and response, {fields} fields + 200 B",
            partial(work.responses, fields, 200),
            EXCHANGES,
            (Goal(FACADE, factor, EXCHANGES[1].name),),
        )
        for fields, factor in ((10, 0.8), (29, 0.6))
    ),
    Row(
        "h1-small",
        "HTTP/1 in memory",
        "response, 10 fields + 200 B",
        partial(work.responses, 10, 200),
        PARSERS,
        (Goal(ENGINE, 0.45, "httptools"), Goal(FACADE, 0.75, "httptools")),
    ),
    Row(
        "h1-large",
        "HTTP/1 in memory",
        "response, 29 fields, 3 KB head",
        partial(work.responses, 29, 200),
        PARSERS,
        (Goal(ENGINE, 0.38, "httptools"), Goal(FACADE, 0.5, "httptools")),
    ),
    Row(
        "h1-chunks",
        "HTTP/1 in memory",
        "64 chunks of 1 KB in one read",
        work.chunked,
        BODIES,
        (Goal(ENGINE, 0.25, "httptools"),),
    ),
    Row(
        "h1-body",
        "HTTP/1 in memory",
        "1 MiB body in 64 KiB reads",
        work.bulk,
        BODIES,
        (Goal(ENGINE, 0.1, "httptools"), Goal(FACADE, 0.25, "httptools")),
    ),
    Row(
        "h1-pipelined",
        "HTTP/1 in memory",
        "100 pipelined responses in one read (each)",
        partial(work.responses, 10, 200, joined=True),
        JOINED,
        (Goal(ENGINE, 0.38, "httptools"),),
    ),
    Row(
        "h1-octets",
        "HTTP/1 in memory",
        "60 KB field line, one octet at a time",
        work.long_line,
        _only("httptools", "aiohttp (C)", "http.client", "h11"),
        (Goal(ENGINE, 0.4, "http.client"),),
    ),
    Row(
        "h1-body-octets",
        "HTTP/1 in memory",
        "body, one octet at a time (each)",
        work.dribbled,
        _only("httptools"),
        (Goal(FACADE, most=200e-9),),
    ),
    Row(
        "h1-head-octets",
        "HTTP/1 in memory",
        "10 KB head in ten lines, one octet at a time",
        work.dribbled_head,
        _only("httptools"),
        (Goal(ENGINE, 0.8, "httptools"), Goal(FACADE, 2.0, ENGINE)),
    ),
    Row(
        "h1-pieces",
        "HTTP/1 in memory",
        "piece of a streamed body, 1 KB",
        work.Pieces,
        (
            Contender(ENGINE, "mint", "mint_h1:pieces_engine"),
            Contender(FACADE, "mint", "mint_h1:pieces_facade"),
        ),
        (Goal(FACADE, 1.5, ENGINE),),
    ),
    *(
        Row(
            f"h1-queued-{number}",
            "HTTP/1 in memory",
            f"send a GET behind {number:_} that wait".replace("_", "\N{NO-BREAK SPACE}"),
            partial(work.Queued, number),
            (Contender(FACADE, "mint", "mint_h1:queued"),),
        )
        for number in (100, 16_000)
    ),
    _hpack_row("typical", "decode, typical responses", work.typical, "decode", 0.65),
    _hpack_row("indexed", "decode, mostly indexed", work.indexed, "decode", 0.5),
    _hpack_row("huffman", "decode, 3 KB of Huffman literals", work.huffman, "decode", 0.65),
    _hpack_row("requests", "encode, requests", work.requests, "encode", 1.15),
    _hpack_row("responses", "encode, responses", work.typical, "encode", 1.15),
    Row(
        "hpack-credentials",
        "Header blocks",
        "blocks of 100 requests with the same bearer token",
        work.credentials,
        (
            Contender("mint", "mint", "block_sizes:mint"),
            Contender("mint, index_credentials", "mint", "block_sizes:mint_indexing"),
            Contender("hpack", "peer", "block_sizes:hpack"),
        ),
        unit="octets",
    ),
    _http2_row("open", "open a connection", streams.Opening, Goal(FACADE, most=4e-6)),
    *(
        _http2_row(
            f"get-{number}",
            f"send a GET, {number:_} open".replace("_", "\N{NO-BREAK SPACE}"),
            partial(streams.Getting, number),
            Goal(FACADE, most=2.2e-6),
        )
        for number in (1, 100, 1_000, 10_000)
    ),
    _http2_row(
        "receive-100",
        "receive a 1 KB response, 100 open",
        partial(streams.receiving, 100),
        Goal(ENGINE, 1.15, NGHTTP2),
    ),
    _http2_row(
        "receive-10000",
        "receive a 1 KB response, 10\N{NO-BREAK SPACE}000 open",
        partial(streams.receiving, 10_000),
        Goal(ENGINE, most=3.5e-6),
    ),
    Row(
        "h2-goaway",
        "HTTP/2 in memory",
        "GOAWAY that fails 100 streams (each)",
        partial(streams.Refusing, 100),
        HTTP2[:2],
        (Goal(FACADE, most=0.6e-6),),
    ),
    _http2_row(
        "exchange",
        "exchange, one at a time",
        streams.exchanging,
        Goal(FACADE, most=5e-6),
        Goal(FACADE, 0.17, ZTTP2),
    ),
    _http2_row("down", "100 MB down, 16 KB frames", streams.down, Goal(ENGINE, most=10e-3)),
    _http2_row("up", "64 MB up", streams.up, Goal(ENGINE, most=7.5e-3)),
    *NET,
    *CLIENTS,
    POOL,
    CONNECT,
    *MAILBOX,
    *FOOTPRINT,
    APART,
)
