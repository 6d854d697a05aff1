"""The parts of the pages that are made from tables are up to date."""

import pytest

from ci import generated


def test_every_part_is_up_to_date() -> None:
    found = [str(path) for path, _ in generated.stale()]
    assert not found, f"{found}: run python ci/generated.py --write"


def test_a_part_is_replaced_and_the_rest_stays() -> None:
    page = "a\n<!-- x: made by ci/generated.py -->\nold \\1\n<!-- end of x -->\nb\n"
    made = generated.renewed(page, "x", "new \\2")
    assert made == "a\n<!-- x: made by ci/generated.py -->\nnew \\2\n<!-- end of x -->\nb\n"
    with pytest.raises(ValueError, match="no part y"):
        generated.renewed(page, "y", "")
