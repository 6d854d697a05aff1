"""docs/elixir.md names every function, option and reason of Elixir's Mint, and only what exists here."""

import re
from pathlib import Path

import pytest

import mint
from mint import errors

PAGE = (Path(__file__).parents[2] / "docs" / "elixir.md").read_text()

FUNCTIONS = (
    *("close", "connect", "controlling_process", "delete_private", "get_private", "get_proxy_headers"),
    *("get_socket", "is_connection_message", "open_request_count", "protocol", "put_log", "put_private"),
    *("recv", "request", "request_body_window", "set_mode", "stream", "stream_request_body"),
    *("cancel_request", "get_client_setting", "get_server_setting", "get_window_size", "ping"),
    *("put_settings", "set_window_size"),
)
OPTIONS = (
    *("hostname", "protocols", "log", "mode", "proxy", "proxy_headers", "transport_opts", "timeout"),
    *("inet4", "inet6", "send_timeout", "cacerts", "cacertfile", "certfile", "keyfile", "password"),
    *("versions", "ciphers", "server_name_indication", "verify", "partial_chain", "reuse_sessions"),
    *("cert", "key", "customize_hostname_check"),
    *("depth", "verify_fun", "secure_renegotiate", "case_sensitive_headers", "skip_target_validation"),
    *("optional_responses", "client_settings", "connection_window_size"),
    *("receive_window_update_threshold", "header_table_size", "enable_push", "max_concurrent_streams"),
    *("initial_window_size", "max_frame_size", "max_header_list_size", "enable_connect_protocol"),
    "tunnel_timeout",
)
REASONS = (
    *("closed", "closed_for_writing", "request_body_is_streaming", "request_is_not_streaming"),
    *("unknown_request_to_stream", "unexpected_data", "invalid_status_line", "invalid_header"),
    *("invalid_trailer_header", "invalid_request_target", "invalid_header_name", "invalid_header_value"),
    *("invalid_chunk_size", "missing_crlf_after_chunk", "more_than_one_content_length_header"),
    *("transfer_encoding_and_content_length", "invalid_content_length_header", "empty_token_list"),
    *("invalid_token_list", "trailing_headers_but_not_chunked_encoding", "unallowed_trailing_header"),
    *("too_many_concurrent_requests", "max_header_list_size_exceeded", "exceeds_window_size"),
    *("window_size_too_small", "missing_status_header", "server_closed_request"),
    *("server_closed_connection", "unprocessed", "frame_size_error", "protocol_error"),
    *("compression_error", "flow_control_error", "tunnel_timeout", "unexpected_status", "timeout"),
    *("protocol_not_negotiated", "bad_alpn_protocol", "invalid_request_method", "stream_not_found"),
)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_a_counterpart(name: str) -> None:
    assert re.search(rf"`(Mint\.HTTP2?\.)?{name}(/\d)?`|`{name}/\d`", PAGE)


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_has_a_counterpart(name: str) -> None:
    assert f"`:{name}`" in PAGE


@pytest.mark.parametrize("name", REASONS)
def test_every_reason_has_a_counterpart(name: str) -> None:
    assert re.search(rf"[{{`:]:?{name}\b", PAGE)


def test_the_page_names_only_errors_that_exist() -> None:
    section = PAGE[PAGE.index("## Errors") : PAGE.index("## Differences")]
    right = [row.rsplit("|", 2)[1] for row in section.splitlines() if row.startswith("| `")]
    named = {name for cell in right for name in re.findall(r"`([A-Z]\w+)`", cell)} - {"OSError"}
    assert named
    assert not {name for name in named if not hasattr(errors, name)}


def test_the_page_names_only_methods_that_exist() -> None:
    named = set(re.findall(r"`conn\.(\w+)", PAGE))
    assert named
    assert not {name for name in named if not hasattr(mint.HTTP2, name)}
