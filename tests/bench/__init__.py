"""The table of design.md, Numbers: ratios measured in one run, interleaved, medians of three."""

from tests.bench.running import main

__all__ = ["main"]
