"""Every public value of mint, found by introspection: `repr`, `==`, `hash`, copies and pickles work anywhere.

A public class that is in neither table below fails the first test, so a new one cannot be forgotten.
"""

from __future__ import annotations

import copy
import importlib
import inspect
import os
import pickle
import re
import ssl
import subprocess
import sys
import threading
from dataclasses import fields, is_dataclass, replace
from enum import Enum

import pytest

import mint
from mint import errors, exchange, messages, options, pool, testing, types
from mint._core.events import Failed, Note, Step
from mint._core.faults import Fault
from tests.errors.test_errors import examples as error_examples

SECRET = "hunter2"
FIELDS = (("Set-Cookie", f"id={SECRET}"), ("authorization", SECRET), ("via", "a"))
REF = mint.RequestRef(7, 1)
SOURCE = types.Source(5)

MODULES = (
    *("mint", "mint.errors", "mint.http1", "mint.http2", "mint.messages", "mint.options", "mint.proxy"),
    *("mint.responses", "mint.transport", "mint.types", "mint.asyncio", "mint.trio"),
    *("mint.exchange", "mint.content", "mint.pool", "mint.testing", "mint.testing.http2"),
)

# Classes that are not values: they own a link, a lock or an event loop, or describe an interface.
NO_VALUES: frozenset[str] = frozenset(
    {
        *("Mailbox", "Tunnels", "TLSSessions", "Link", "Memory", "SocketLink"),
        *("Inbox", "Transport"),  # protocols
        *("HTTP1", "HTTP2"),  # connections have their own tests below
        *("Collector", "Decoder", "Pool", "StreamedAnswer"),
        *("Body", "Request", "Peer", "Conversation"),  # objects for data that a connection receives
        *("RefusingServer", "ScriptedServer", "Origin"),  # servers of `mint.testing`
        *("ScriptError", "Lost", "Unexpected"),  # ordinary exceptions of `mint.testing`
        "Step",
        *("Set", "Wait", "StartTLS", "Do"),  # they hold an event, a context or a function of the test
    }
)

RESPONSES: list[object] = [
    REF,
    mint.Informational(REF, 103, FIELDS),
    mint.Status(REF, 200),
    mint.StatusReason(REF, "OK"),
    mint.Headers(REF, FIELDS),
    mint.Data(REF, b"content"),
    mint.Trailers(REF, FIELDS),
    mint.Done(REF),
    mint.RequestFailed(REF, errors.TransportClosed()),
    mint.Pong(REF),
    mint.PushPromise(REF, mint.RequestRef(7, 2), FIELDS),
    mint.Origins(("https://a.test",)),
    mint.AltSvc('h3=":443"', "https://a.test"),
    mint.AltSvc("clear", None, REF),
    mint.GoAway(3, 0, "NO_ERROR", SECRET.encode()),
    mint.ServerSettings((("max_frame_size", 16_384),)),
]
MESSAGES: list[object] = [
    SOURCE,
    mint.Received(SOURCE, 1, f"set-cookie: id={SECRET}".encode()),
    mint.Received(SOURCE, 2, SECRET.encode()),
    messages.Closed(SOURCE, 3),
    types.Unread((f"set-cookie: id={SECRET}".encode(),), ended=True, failure=None, handed_out=False),
    messages.Broken(SOURCE, 4, errors.TransportReset()),
]
OPTIONS: list[object] = [
    options.HTTP1Options(lenient=True),
    mint.Tolerance(bare_lf=True),
    mint.Priority(1, incremental=True),
    mint.Alternative("h3", "a.test", 443),
    options.HTTP2Options(max_fields=3),
    options.ClientSettings(enable_push=True),
    options.TCPOptions(connect_timeout=1),
    options.TLSOptions(cert_file="c.pem", key_password=SECRET),
    options.TLSOptions(cert_data=f"-----BEGIN {SECRET}", key_data=f"-----BEGIN {SECRET}".encode()),
    mint.CertificateNames(("*.a.test",), ("::1",), b"der"),
    mint.Proxy("http", "proxy.test", 3128, username="me", password=SECRET),
    mint.Proxy("http", "proxy.test", 3128, headers=(("x-token", SECRET),)),
    types.UnixAddress("/run/socket"),
    types.TLSInfo("TLSv1.3", "TLS_AES_128_GCM_SHA256", "h2", "example.org", b"der", resumed=False),
    types.TLSInfo("TLSv1.3", "", None, None, b"der", False, (b"der", b"ca"), (b"der", b"root")),
    types.Eof(),
    types.Eof(FIELDS),
    *types.Stream,
    *types.Unknown,
    *errors.Processed,
]
ERRORS: list[object] = [
    *error_examples(),
    errors.MintError("plain"),
    errors.HTTPError("plain"),
    errors.TransportError("plain"),
    errors.ProxyError("plain"),
    errors.MailboxClosed(),
    errors.UnexpectedProxyStatus(407, FIELDS, b"no"),
    errors.TransportTimeout("receiving").marked(responses=(mint.Headers(REF, FIELDS),)),
]
PAIRS = [("Set-Cookie", f"id={SECRET}"), ("via", "a")]
HELPERS: list[object] = [
    exchange.Origin("https", "example.org", 443),
    exchange.URL("https", "example.org", 443, "/"),
    exchange.Answer(200, "OK", FIELDS, SECRET.encode(), FIELDS, (mint.Informational(REF, 103, FIELDS),)),
    pool.PoolOptions(max_connections=3),
    pool.Timeouts(total=1.0),
    pool.Statistics(connections=1, by_origin={exchange.Origin("https", "example.org", 443): 1}),
]
KIT: list[object] = [
    testing.Response(
        200, FIELDS, b"x", FIELDS, ((103, FIELDS),), (testing.Push("/", testing.Response(), FIELDS),)
    ),
    testing.Response(200, PAIRS, trailers=PAIRS, informational=[(103, PAIRS)]),
    testing.Push("/", testing.Response(headers=PAIRS), PAIRS),
    testing.Script((testing.Send(b"x"),)),
    testing.Send(b"xy", (1,)),
    *(testing.SendRaw(b"x"), testing.Flood(b"x"), testing.Expect(b"x"), testing.Expect(re.compile(b"x"))),
    *(testing.ExpectUntil(b"x"), testing.ExpectCount(3), testing.ExpectEnd(clean=True), testing.Drain()),
    *(testing.ShutWrite(), testing.Close(), testing.Truncate(), testing.Reset(), testing.Forever()),
    *(testing.Pause(1.0), testing.MayEnd(testing.Close())),
    testing.http2.headers(1, FIELDS),
    testing.http2.push_promise(1, 2, PAIRS),
    testing.http2.continuation(1, FIELDS),
    testing.http2.send(testing.http2.headers(1, FIELDS)),
    testing.http2.SendHeaders(1, FIELDS),
    testing.http2.SendHeaders(1, tuple(PAIRS)),
    *(testing.http2.ExpectPreface(), testing.http2.ExpectFrame(1, 0), testing.http2.ExpectHeaders(1, FIELDS)),
    *(testing.http2.ExpectData(1, b"x"), testing.http2.Interleaved(testing.http2.ExpectData(1, b"x"))),
    *testing.http2.FrameType,
    *testing.http2.Setting,
    *testing.http2.ErrorCode,
]
INNER: list[object] = [Fault("closed"), Failed(REF, Fault("closed")), Note(True, "GET / HTTP/1.1")]

VALUES = [*RESPONSES, *MESSAGES, *OPTIONS, *ERRORS, *HELPERS, *KIT, *INNER]


def public_classes() -> set[type]:
    found: set[type] = set()
    for home in MODULES:
        module = importlib.import_module(home)
        here = [name for name, each in vars(module).items() if getattr(each, "__module__", "") == home]
        names = {*getattr(module, "__all__", ()), *(name for name in here if not name.startswith("_"))}
        found |= {each for name in names if inspect.isclass(each := getattr(module, name))}
    return found


def test_every_public_class_is_in_a_table() -> None:
    missing = public_classes() - {type(each) for each in VALUES}
    assert {each.__name__ for each in missing} == NO_VALUES


def described(value: object) -> tuple[str, int, str]:
    """Check copies and pickles of a value; return what must be the same in every thread and process."""
    again: object = pickle.loads(pickle.dumps(value))  # pickled here
    for other in (again, copy.copy(value), copy.deepcopy(value)):
        assert type(other) is type(value)
        assert other == value
        assert hash(other) == hash(value)
        assert repr(other) == repr(value)
    assert value != object()
    # `replace` calls `__init__`, but some steps define their own.
    params = getattr(value, "__dataclass_params__", None)
    if is_dataclass(value) and not isinstance(value, type) and getattr(params, "init", False):
        changed = {each.name: getattr(value, each.name) for each in fields(value)[:1] if each.init}
        assert replace(value, **changed) == value
    return repr(value), hash(value), str(value)


@pytest.mark.parametrize(
    "value", VALUES, ids=[f"{type(each).__name__}-{place}" for place, each in enumerate(VALUES)]
)
def test_a_value_is_a_value_in_every_thread(value: object) -> None:
    here = described(value)
    elsewhere: list[object] = []

    def look() -> None:
        try:
            elsewhere.append(described(value))
        except BaseException as error:  # noqa: BLE001  # shown below
            elsewhere.append(error)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert elsewhere == [here] * 4
    assert SECRET not in here[0] + here[2]
    assert isinstance(value, (mint.MintError, Enum, types.Source)) or type(value).__name__ in here[0]


def test_values_are_values_after_a_fork() -> None:
    script = (
        "import os\n"
        "from tests.test_values import VALUES, described\n"
        "before = [repr(each) for each in VALUES]\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    code = 1\n"
        "    try:\n"
        "        code = int([described(each)[0] for each in VALUES] != before)\n"
        "    finally:\n"
        "        os._exit(code)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0\n"
    )
    folder = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120  # a plain string is wanted
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, timeout=60, check=False
    )  # ours
    assert done.returncode == 0, done.stderr.decode()


def test_the_repr_of_a_step_does_not_show_its_output() -> None:
    step = Step(None, [], (f"authorization: {SECRET}\r\n".encode(),), None, None, 0, ())
    assert SECRET not in repr(step)


@pytest.mark.parametrize("module", [mint.http1, mint.http2], ids=["http1", "http2"])
def test_a_connection_is_its_own_copy_and_cannot_be_pickled(module: object) -> None:
    conn = getattr(module, "initiate")(mint.transport.Memory(), scheme="http", hostname="a")  # noqa: B009  # either module
    assert copy.copy(conn) is conn
    assert copy.deepcopy({"held": conn})["held"] is conn
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(conn)
    with pytest.raises(TypeError, match="hash"):
        hash(conn)


def test_options_that_hold_a_context_or_sessions_can_be_copied() -> None:
    context, sessions = ssl.create_default_context(), mint.TLSSessions()
    made = mint.TLSOptions(context=context, sessions=sessions)
    through = mint.Proxy("https", "proxy.test", 443, tls=made)
    for value in (made, through):
        assert copy.deepcopy(value) == copy.copy(value) == value
    assert copy.deepcopy(made).sessions is sessions
    assert copy.copy(sessions) is sessions
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(sessions)


def test_a_copied_error_keeps_its_successor_and_a_pickled_one_does_not() -> None:
    conn = mint.http1.initiate(mint.transport.Memory(), scheme="http", hostname="a")
    conn, _ = conn.request("GET", "/")
    with pytest.raises(errors.TransportTimeout) as caught:
        conn.recv(timeout=0)
    for again in (copy.copy(caught.value), copy.deepcopy(caught.value)):
        assert again == caught.value
        assert conn.after(again) == conn
    with pytest.raises(ValueError, match="successor"):
        conn.after(pickle.loads(pickle.dumps(caught.value)))  # ours


def test_a_pickled_message_still_belongs_to_its_connection() -> None:
    with mint.Mailbox() as mailbox:
        link = mint.transport.Memory()
        conn = mint.http1.initiate(link, scheme="http", hostname="a", mailbox=mailbox)
        conn, ref = conn.request("GET", "/")
        link.put(b"HTTP/1.1 204 No Content\r\n\r\n")
        message = pickle.loads(pickle.dumps(mailbox.receive(timeout=1)))  # ours
        assert conn.owns(message)
        assert message.source == conn.source
        taken = conn.stream(message)
        assert taken is not mint.UNKNOWN
        assert mint.Done(ref) in taken[1]
        assert conn.source != mint.transport.Memory().source


def test_the_token_of_a_source_is_a_number_or_its_octets() -> None:
    """The octets are in network order; a token of any other size is refused."""
    for number in (0, 1, 0x0123456789ABCDEF, 2**63, 2**64 - 1):
        assert types.Source(number) == types.Source(number.to_bytes(8)), number
        assert types.Source(number.to_bytes(8)).token == number
    for count in (0, 7, 9):
        with pytest.raises(ValueError, match=f"8 octets, not {count}"):
            types.Source(b"\1" * count)
    for number in (-1, 2**64):
        with pytest.raises(OverflowError):
            types.Source(number)


def test_links_have_random_tokens() -> None:
    """Each of the 64 bits is set in some of many links and not in all."""
    tokens = [mint.transport.Memory().source.token for _ in range(200)]
    assert len(set(tokens)) == len(tokens)
    some, every = 0, 2**64 - 1
    for token in tokens:
        some |= token
        every &= token
    assert (some, every) == (2**64 - 1, 0)
