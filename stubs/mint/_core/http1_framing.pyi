from typing import final

__pyx_capi__: dict[str, object]

# Facts looked at, facts wanted, body, whether the connection ends with it, rule.
BODY_RULES: tuple[tuple[tuple[str, ...], tuple[str, ...], str, bool, str], ...]
FACTS: dict[str, int]
BODIES: dict[str, int]

@final
class Rules:
    """The table of rules as C structs; never changed after it was made."""
