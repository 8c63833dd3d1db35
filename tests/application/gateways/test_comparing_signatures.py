"""Signatures are compared in constant time, wherever a partner's are checked (R33)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
SECRET = re.compile(r"(^|_)(sign|signed|signature|mac|digest|tag|secret)(_|$)")


def compared(path: Path) -> Iterator[str]:
    """Where `==` or `!=` takes a signature, as its name goes."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Compare) and any(
            isinstance(one, ast.Eq | ast.NotEq) for one in node.ops
        ):
            inside = list(ast.walk(node))
            names = {one.id for one in inside if isinstance(one, ast.Name)}
            names |= {one.attr for one in inside if isinstance(one, ast.Attribute)}
            if any(map(SECRET.search, names)):
                yield f"{path.name}:{node.lineno}: {ast.unparse(node)}"


def test_no_signature_is_compared_by_its_first_difference() -> None:
    """R33: neither in a gateway, nor at the door, nor in an address that was given out."""
    doors = [ROOT / "api" / name for name in ("auth.py", "callbacks.py", "third_parties.py")]
    doors += [ROOT / "application/callback_links.py"]
    gateways = sorted((ROOT / "application/gateways").rglob("*.py"))
    assert len(gateways) > 5
    assert [one for path in (*doors, *gateways) for one in compared(path)] == []


def test_a_signature_compared_by_its_first_difference_is_found() -> None:
    """R33 CONTROL: the sandbox, which nobody attacks, compares as it likes."""
    assert list(compared(ROOT / "api/sandbox/sf.py"))
