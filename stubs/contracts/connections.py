"""What type checkers must know about connections. Checked, never executed."""

from typing import Literal, assert_never, assert_type

import mint
import mint.asyncio
import mint.trio


def negotiated() -> None:
    conn = mint.connect("https", "example.org", 443)
    assert_type(conn, mint.HTTP1 | mint.HTTP2)
    after, ref = conn.request("GET", "/", [("accept", "*/*")])
    assert_type(after, mint.HTTP1 | mint.HTTP2)
    assert_type(ref, mint.RequestRef)
    if conn.protocol == "http2":
        assert_type(conn.protocol, Literal["http2"])


def forced() -> None:
    one = mint.http1.connect("http", "example.org", 80)
    assert_type(one, mint.HTTP1)
    two = mint.http2.connect("https", "example.org", 443)
    assert_type(two, mint.HTTP2)
    assert_type(two.fork(), mint.HTTP2)
    assert_type(two.close(), mint.HTTP2)
    assert_type(two.put_private("key", 1), mint.HTTP2)
    assert_type(two.get_private("key"), object)
    two, ref = two.request("POST", "/", body=mint.STREAM)
    assert_type(two.stream_request_body(ref, b"piece"), mint.HTTP2)
    assert_type(two.request_body_window(ref), int)
    assert_type(two.ping(), tuple[mint.HTTP2, mint.RequestRef])
    assert_type(two.get_server_setting("enable_connect_protocol"), bool)
    assert_type(two.get_server_setting("max_concurrent_streams"), int | None)
    assert_type(two.get_client_setting("max_frame_size"), int)


def chosen_by_protocols() -> None:
    assert_type(mint.connect("https", "example.org", 443, protocols=("http2",)), mint.HTTP2)
    assert_type(mint.connect("https", "example.org", 443, protocols=("http1",), log=True), mint.HTTP1)
    assert_type(
        mint.connect("https", "example.org", 443, protocols=("http2", "http1")), mint.HTTP1 | mint.HTTP2
    )
    assert_type(mint.connect("https", "example.org", 443, protocols=["http2"]), mint.HTTP1 | mint.HTTP2)
    with mint.connect("http", "example.org", 80, protocols=("http2",), mailbox=mint.Mailbox()) as conn:
        assert_type(conn, mint.HTTP2)


async def chosen_by_protocols_in_asyncio(mailbox: mint.asyncio.Mailbox) -> None:
    connect = mint.asyncio.connect
    assert_type(await connect("https", "example.org", 443, protocols=("http2",), mailbox=mailbox), mint.HTTP2)
    assert_type(await connect("https", "example.org", 443, protocols=("http1",)), mint.HTTP1)
    assert_type(await connect("https", "example.org", 443, mailbox=mailbox), mint.HTTP1 | mint.HTTP2)


async def chosen_by_protocols_in_trio(mailbox: mint.trio.Mailbox) -> None:
    connect = mint.trio.connect
    assert_type(await connect("https", "example.org", 443, protocols=("http2",), mailbox=mailbox), mint.HTTP2)
    assert_type(await connect("https", "example.org", 443, protocols=("http1",)), mint.HTTP1)
    assert_type(await connect("https", "example.org", 443, mailbox=mailbox), mint.HTTP1 | mint.HTTP2)


async def chosen_by_protocols_through_tunnels(
    tunnels: mint.Tunnels, loop: mint.asyncio.Tunnels, other: mint.trio.Tunnels
) -> None:
    assert_type(tunnels.connect("https", "example.org", 443), mint.HTTP1 | mint.HTTP2)
    assert_type(tunnels.connect("https", "example.org", 443, protocols=("http2",)), mint.HTTP2)
    assert_type(tunnels.connect("https", "example.org", 443, protocols=("http1",), log=True), mint.HTTP1)
    assert_type(await loop.connect("https", "example.org", 443, protocols=("http2",)), mint.HTTP2)
    assert_type(await other.connect("https", "example.org", 443, protocols=("http2",)), mint.HTTP2)
    assert_type(await other.connect("https", "example.org", 443), mint.HTTP1 | mint.HTTP2)
    tunnels.connect("https", "example.org", 443, mailbox=None)  # type: ignore[call-overload]  # only set_mode takes it


def misuse() -> None:
    mint.connect("ftp", "example.org", 21)  # type: ignore[call-overload]  # no such scheme
    mint.connect("https", "example.org", 443, protocols=("http3",))  # type: ignore[call-overload]  # unknown
    mint.connect("https", "example.org", 443, tsl=None)  # type: ignore[call-overload]  # misspelled
    mint.connect("https", "example.org", "443")  # type: ignore[call-overload]  # a number is wanted


def errors_restore_the_exact_type(conn: mint.HTTP2) -> mint.HTTP2:
    try:
        conn, responses = conn.recv(timeout=1.0)
        assert_type(responses, list[mint.Response])
    except mint.MintError as error:
        assert_type(error.processed, mint.Processed)
        assert_type(error.responses, tuple[mint.Response, ...])
        conn = conn.after(error)
    return conn


def messages(conn: mint.HTTP1, message: object) -> mint.HTTP1:
    streamed = conn.stream(message)
    if streamed is mint.UNKNOWN:
        return conn
    conn, responses = streamed
    assert_type(responses, list[mint.Response])
    return conn


def every_response(response: mint.Response) -> int:
    match response:
        case mint.Informational(status=status, headers=headers):
            assert_type(headers, tuple[tuple[str, str], ...])
            return status
        case mint.Status(status=status):
            return status
        case mint.StatusReason(reason=reason):
            return len(reason)
        case mint.Headers(headers=headers) | mint.Trailers(headers=headers):
            return len(headers)
        case mint.Data(data=data):
            assert_type(data, bytes)
            return len(data)
        case mint.Done(ref=ref) | mint.Pong(ref=ref):
            assert_type(ref, mint.RequestRef)
            return 0
        case mint.RequestFailed(error=error):
            assert_type(error, mint.HTTPError | mint.TransportError)
            return 0
        case mint.PushPromise(promised_ref=promised):
            assert_type(promised, mint.RequestRef)
            return 0
        case mint.Origins(origins=origins):
            assert_type(origins, tuple[str, ...])
            return len(origins)
        case mint.AltSvc(value=value, origin=origin, request=request):
            assert_type(value, str)
            assert_type(origin, str | None)
            assert_type(request, mint.RequestRef | None)
            return 0
        case mint.GoAway(last_stream=last, code=code, error=name, debug=debug):
            assert_type((last, code, name, debug), tuple[int, int, str, bytes])
            return last
        case mint.ServerSettings(settings=settings):
            assert_type(settings, tuple[tuple[str, int], ...])
            return len(settings)
        case _:
            assert_never(response)


def events_of_the_connection(response: mint.Response) -> mint.RequestRef | None:
    if isinstance(response, mint.ConnectionEvent):
        assert_type(response, mint.Origins | mint.AltSvc | mint.GoAway | mint.ServerSettings)
        return None
    assert_type(response.ref, mint.RequestRef)
    return response.ref


def priorities(conn: mint.HTTP2, ref: mint.RequestRef, priority: mint.Priority) -> None:
    assert_type(conn.update_priority(ref, mint.Priority(1)), mint.HTTP2)
    assert_type(conn.get_server_setting("no_rfc7540_priorities"), bool)
    assert_type(mint.Priority.parse("u=1"), mint.Priority)
    assert_type(priority.field(), tuple[str, str])
    assert_type(priority.value, str)
    assert_type(mint.alternatives("clear"), tuple[mint.Alternative, ...])
    mint.HTTP2Options(optional_responses=("origin", "alt_svc", "goaway", "settings"))
    mint.HTTP2Options(optional_responses=("origins",))  # type: ignore[arg-type]  # no such event


def options() -> None:
    mint.http1.connect("http", "example.org", 80, http1=mint.HTTP1Options(lenient=True))
    mint.connect("https", "example.org", 443, tls=mint.TLSOptions(ca_file="ca.pem"))
    mint.http1.connect("ftp", "example.org", 21)  # type: ignore[arg-type]  # no such scheme
    mint.http1.connect("http", "example.org", 80, http2=None)  # type: ignore[call-arg]  # only of http2
