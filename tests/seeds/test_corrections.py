"""docs/corrections.md names a test for every slip, and every test that it names exists."""

import ast
import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
TABLE = TESTS.parent / "docs" / "corrections.md"


@cache
def functions_in(file):
    """The names of the functions of one test file."""
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_row_names_a_test_that_exists():
    rows = [
        line
        for line in TABLE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| place")
    ]
    named = [re.search(r"\| `([\w/]+\.py)::(test_\w+)` \|$", row) for row in rows]
    assert len(rows) >= 35
    assert [row for row, match in zip(rows, named, strict=True) if match is None] == []
    missing = [match[0] for match in named if match and match[2] not in functions_in(match[1])]
    assert missing == []
