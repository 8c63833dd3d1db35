"""报告 Reports that an auditor accepts: they say how they were made, and are sealed (A6)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from application.checking import REPORT_FORMAT, sums_of
from application.csv_cells import as_csv
from application.heads import SignedHead
from application.sealing import sealed, tool


@dataclass(frozen=True, slots=True)
class Report:
    """A table with what it was asked from; rows are in an order of their own, always the same."""

    name: str
    query: str
    """What was asked, in SQL or in words."""
    parameters: Mapping[str, Any]
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def report_json(report: Report, *, head: SignedHead, private: Ed25519PrivateKey) -> bytes:
    """The sealed report; made again at the same position it is the same byte for byte."""
    content = {
        "format": REPORT_FORMAT,
        "tool": tool(),
        "tenant": head.tenant,
        "report": report.name,
        "query": " ".join(report.query.split()),
        "parameters": dict(report.parameters),
        "position": head.position,
        "head": head.to_json(),
        "columns": list(report.columns),
        "row_count": len(report.rows),
        "sums": sums_of(report.columns, report.rows),
        "rows": [list(row) for row in report.rows],
    }
    return sealed(content, private)


def report_csv(report: Report, *, head: SignedHead, private: Ed25519PrivateKey) -> bytes:
    """The same report for spreadsheets: what it was made from, an empty line, the table.

    `sealed_json_sha256` is the digest of the sealed report in JSON, which says the same.
    """
    document = report_json(report, head=head, private=private)
    made = json.loads(document)
    about: list[Sequence[object]] = [
        (name, made[name])
        for name in ("format", "tool", "tenant", "report", "query", "position", "row_count")
    ]
    about += [(f"parameter {name}", value) for name, value in made["parameters"].items()]
    about += [(f"sum {name}", value) for name, value in made["sums"].items()]
    about += [
        ("head_root", made["head"]["root"]),
        ("head_recorded_at", made["head"]["recorded_at"]),
        ("head_signature", made["head"]["signature"]),
        ("sealed_json_sha256", sha256(document).hexdigest()),
        (),
        report.columns,
    ]
    return as_csv([*about, *([_cell(value) for value in row] for row in report.rows)])


def _cell(value: Any) -> object:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value
