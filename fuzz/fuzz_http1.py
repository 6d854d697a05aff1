"""HTTP/1 server bytes: a value or a documented error, the same for any cut, every time.

The first octet chooses the requests that wait and the options, the second how the rest is cut.
"""

from mint._core.http1 import Config, State
from support import fuzz, same

METHODS = (
    ("GET",),
    ("HEAD",),
    ("GET", "GET"),
    ("CONNECT",),
    ("POST", "HEAD", "GET"),
    (),
    ("UPGRADE",),
    ("STREAM",),
)


def state_for(choice: int) -> State:
    """Return a state with the chosen requests waiting."""
    config = Config(
        hostname="example.org",
        port=443,
        scheme="https",
        identity=7,
        user_agent="fuzz",
        lenient=bool(choice & 8),
        status_reason=bool(choice & 16),
        max_header_list_size=2_000 if choice & 32 else 262_144,
        max_fields=8 if choice & 32 else 512,
        max_status_line=100 if choice & 32 else 8_192,
        max_chunk_line=50 if choice & 32 else 4_096,
    )
    state = State(config)
    for method in METHODS[choice & 7]:
        headers: list[tuple[str, str]] = []
        target, body, streaming = "/", None, False
        if method == "CONNECT":
            target = "example.org:443"
        elif method == "UPGRADE":
            method, headers = "GET", [("upgrade", "websocket")]  # the method that is sent
        elif method == "STREAM":
            method, streaming = "POST", True  # the method that is sent
        state = state.request(method, target, headers, body, streaming).state
    return state


def one(data: bytes) -> None:
    """Try one input."""
    if len(data) > 2:
        same(state_for(data[0]), data[2:], data[1] % 64, clean=bool(data[0] & 64))


if __name__ == "__main__":
    fuzz(one)
