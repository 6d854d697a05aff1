"""Every case of the unions that users match, and misuse that type checkers refuse; never executed."""

from __future__ import annotations

from typing import assert_never, assert_type

import mint
import mint.asyncio
import mint.content
import mint.exchange
import mint.pool
import mint.pool.asyncio
import mint.testing
import mint.transport
import mint.trio


def every_message(message: mint.Message) -> int:
    match message:
        case mint.Received(data=data):
            return len(data)
        case mint.Closed():
            return 0
        case mint.Broken():
            return 1
        case _:
            assert_never(message)


def every_answer_to_whether_it_was_processed(processed: mint.Processed) -> bool:
    match processed:
        case mint.Processed.YES:
            return False
        case mint.Processed.NO:
            return True
        case mint.Processed.MAYBE:
            return False
        case _:
            assert_never(processed)


def every_connection(conn: mint.Connection) -> int:
    match conn:
        case mint.HTTP1():
            return 1
        case mint.HTTP2():
            return 2
        case _:
            assert_never(conn)


def every_kind_of_error(error: mint.HTTPError | mint.TransportError) -> str:
    match error:
        case mint.HTTPError():
            return error.reason
        case mint.TransportError():
            return error.reason
        case _:
            assert_never(error)


def every_outcome(
    outcome: mint.exchange.Answer | mint.HTTPError | mint.TransportError,
) -> int:
    match outcome:
        case mint.exchange.Answer(status=status):
            return status
        case mint.HTTPError() | mint.TransportError() as error:
            assert_type(error.processed, mint.Processed)
            return 0
        case _:
            assert_never(outcome)


def a_message_of_another_connection(conn: mint.HTTP2, message: object) -> list[mint.Response]:
    match conn.stream(message):
        case mint.UNKNOWN:
            return []
        case (after, responses):
            assert_type(after, mint.HTTP2)
            return responses


def misuse_of_connections(one: mint.HTTP1, two: mint.HTTP2, ref: mint.RequestRef) -> None:
    one.ping()  # type: ignore[attr-defined]  # only HTTP/2 has it
    one.put_settings()  # type: ignore[attr-defined]  # as above
    one.request("GET")  # type: ignore[call-arg]  # no target
    two.request("GET", "/", {"accept": "*/*"})  # type: ignore[dict-item]  # pairs, not a dict
    two.request("POST", "/", body="text")  # type: ignore[arg-type]  # bytes are wanted
    two.request(method=b"GET", target="/")  # type: ignore[arg-type]  # a str is wanted
    two.stream_request_body(1, b"")  # type: ignore[arg-type]  # a number is not a ref
    two.put_settings(max_frame_sise=1)  # type: ignore[call-arg]  # misspelled
    two.get_server_setting("max_frame_sise")  # type: ignore[call-overload]  # misspelled
    two.set_mode("lazy")  # type: ignore[arg-type]  # no such mode
    two.mode = "active"  # type: ignore[misc]  # values do not change
    ref.number = 2  # type: ignore[misc]  # as above


def misuse_of_options() -> None:
    mint.HTTP1Options(leniant=True)  # type: ignore[call-arg]  # misspelled
    mint.HTTP2Options(client_settings={})  # type: ignore[arg-type]  # ClientSettings are wanted
    mint.TCPOptions(connect_timeout="10")  # type: ignore[arg-type]  # seconds are a number
    mint.TLSOptions().verify = False  # type: ignore[misc]  # options are frozen
    mint.pool.PoolOptions(max_connections=None, retries=3)  # type: ignore[call-arg, arg-type]  # no such option
    mint.Proxy.from_url(b"http://proxy.example")  # type: ignore[arg-type]  # a str is wanted
    mint.content.decode("text", "gzip")  # type: ignore[arg-type]  # bytes are wanted
    mint.exchange.split_url(b"https://example.org/")  # type: ignore[arg-type]  # a str is wanted
    mint.testing.Origin("not a function")  # type: ignore[arg-type]  # a handler is wanted
    mint.transport.Memory().put("text")  # type: ignore[arg-type]  # bytes are wanted


async def misuse_of_event_loops(
    mailbox: mint.Mailbox, other: mint.trio.Mailbox, pool: mint.pool.asyncio.Pool
) -> None:
    await mint.asyncio.connect("https", "example.org", 443, mailbox=mailbox)  # type: ignore[call-overload]  # of blocking code
    await mint.asyncio.connect("https", "example.org", 443, mailbox=other)  # type: ignore[call-overload]  # of trio
    pool.request("GET", "https://example.org/").status  # type: ignore[attr-defined]  # not awaited
