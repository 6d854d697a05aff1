"""Bugs of reading and writing HTTP/1, for `planted.py`."""

from planted_bug import Bug

HTTP1: tuple[Bug, ...] = (
    Bug(
        "requests behind a failure said to be unprocessed",
        "mint/_core/http1_responses.pyx",
        "if self.core.ending and i > 0:",
        "if i > 0:",
        "http1_talk",
    ),
    Bug(
        "body of a later request sent after the last response",
        "mint/_core/http1_responses.pyx",
        "        if self.core.sender != last.ref.number:\n            self.core.sender = 0",
        "        if False:\n            self.core.sender = 0",
        "http1_talk",
    ),
    Bug(
        "HTTP/1.0 proxy trusted to keep the connection",
        "mint/_core/http1_responses.pyx",
        "(not seen & SEEN_KEEP or self.config.forward_proxy)",
        "(not seen & SEEN_KEEP)",
        "http1_talk",
    ),
    Bug(
        "final response before an expected body keeps the connection",
        "mint/_core/http1_responses.pyx",
        "                and not self.core.begun):   # 9110-10.1.1-e",
        "                and self.core.begun):   # 9110-10.1.1-e",
        "http1_talk",
    ),
    Bug(
        "chunks sent to a server of HTTP/1.0",
        "mint/_core/http1_requests.pyx",
        "if made.sends == SEND_CHUNKED and old_peer:",
        "if False:",
        "http1_talk",
    ),
    Bug(
        "request sent behind CONNECT",
        "mint/_core/http1.pyx",
        "        elif self.core.phase >= PHASE_TUNNEL or self.may_switch():\n",
        "        elif self.core.phase >= PHASE_TUNNEL:\n",
        "http1_talk",
    ),
    Bug(
        "tunnel open after both directions have ended",
        "mint/_core/http1.pyx",
        "            if self.core.sender == 0:\n                new.shut(None, None, None)\n",
        "",
        "http1_talk",
    ),
    Bug(
        "request sent behind one that asks to close",
        "mint/_core/http1.pyx",
        "        if asks & ASKS_CLOSE:\n            new.core.closing = True\n",
        "",
        "http1_talk",
    ),
    Bug(
        "interim response forgotten at the end",
        "mint/_core/http1_responses.pyx",
        "        if self.core.phase != PHASE_STATUS or self.core.interim != 0:\n",
        "        if self.core.phase != PHASE_STATUS:\n",
        "http1_talk",
    ),
    Bug(
        "overhead of chunks kept for too long",
        "mint/_core/http1_responses.pyx",
        "or self.core.window.start != self.core.window.end or self.core.excess\n",
        "or self.core.window.start != self.core.window.end\n",
        "http1",
    ),
    Bug(
        "overhead of chunks off by two",
        "mint/_core/http1_responses.pyx",
        "if self.core.excess > 4 * self.config.max_chunk_line:",
        "if self.core.excess >= 4 * self.config.max_chunk_line + 2:",
        "http1",
    ),
    Bug(
        "cached line compared without its middle",
        "mint/_core/http1_heads.pyx",
        "    while i + 8 < count:\n"
        "        memcpy(&a, one + i, 8)\n"
        "        memcpy(&b, two + i, 8)\n"
        "        if a != b:\n"
        "            return False\n"
        "        i += 8\n"
        "    memcpy(&a, one + count",
        "    while i + 8 < count and i < 8:\n"
        "        memcpy(&a, one + i, 8)\n"
        "        memcpy(&b, two + i, 8)\n"
        "        if a != b:\n"
        "            return False\n"
        "        i += 8\n"
        "    memcpy(&a, one + count",
        "http1",
    ),
    Bug(
        "meaning of a cached line forgotten",
        "mint/_core/http1_heads.pyx",
        "            kind[0] = known.kind\n            pair = <tuple>known.pair",
        "            pair = <tuple>known.pair",
        "http1",
    ),
    Bug(
        "limit of a split field line off by one",
        "mint/_core/http1_responses.pyx",
        "held + count >= self.config.max_header_list_size - self.core.size",
        "held + count > self.config.max_header_list_size - self.core.size",
        "http1",
    ),
    Bug(
        "secret that a line break cuts off is shown",
        "mint/_core/http1_responses.pyx",
        "return name_is_sensitive(last[0]) or last[0] in self.config.sensitive",
        "return False",
        "http1",
    ),
    Bug(
        "TE not named in Connection",
        "mint/_core/http1_requests.pyx",
        'self.options += ("te",)',
        "self.options += ()",
        "http1_requests",
    ),
    Bug(
        "Connection names a field for the server",
        "mint/_core/http1_requests.pyx",
        "if known != NULL and known.marks & MARK_END_TO_END:",
        "if False:",
        "http1_requests",
    ),
    Bug(
        "Host of another server",
        "mint/_core/http1_requests.pyx",
        "elif wanted_host is not None and value.lower() != wanted_host.lower():",
        "elif False:",
        "http1_requests",
    ),
    Bug(
        "Expect without content",
        "mint/_core/http1_requests.pyx",
        "if made.asks & ASKS_CONTINUE and not has_body:",
        "if False:",
        "http1_requests",
    ),
    Bug(
        "pieces of a body in another order",
        "mint/_core/http1_requests.pyx",
        "        pieces.extend([piece for piece in body if piece])",
        "        pieces.extend(sorted([piece for piece in body if piece], key=len))",
        "http1_requests",
    ),
    Bug(
        "user information in Host",
        "mint/_core/http1_requests.pyx",
        'mark in "/?#@\\\\,\\"<>"',
        'mark in "/?#\\\\,\\"<>"',
        "http1_requests",
    ),
    Bug(
        "overhead of chunks kept for the next response",
        "mint/_core/http1_responses.pyx",
        "        self.core.remaining = self.core.excess = 0\n",
        "        self.core.remaining = 0\n",
        "http1",
    ),
    Bug(
        "overhead of chunks forgotten at a plain chunk",
        "mint/_core/http1_responses.pyx",
        "            or self.core.window.start != self.core.window.end or self.core.excess\n"
        "            or i + 2 > self.config.max_chunk_line):\n"
        "        return False\n",
        "            or self.core.window.start != self.core.window.end\n"
        "            or i + 2 > self.config.max_chunk_line):\n"
        "        return False\n"
        "    self.core.excess = 0\n",
        "http1",
    ),
    Bug(
        "overhead of chunks forgotten at large chunks",
        "mint/_core/http1_responses.pyx",
        "        if self.core.excess < 0:\n",
        "        if self.core.excess < 0 or size > 2:\n",
        "http1",
    ),
    Bug(
        "CR before unasked octets forgotten",
        "mint/_core/http1.pyx",
        "        if self.core.window.end != self.core.window.start:   # a CR\n            start = 0\n",
        "",
        "http1_talk",
    ),
)
