"""Paths through a tree in one step, as tests want them; the service plans them over its nodes."""

from application.proof import Nodes, consistency_plan, inclusion_plan, path_of


def inclusion_path(index: int, size: int, nodes: Nodes) -> list[bytes]:
    """Proof that a leaf is in the tree of this size (RFC 9162, 2.1.3.1)."""
    return path_of(inclusion_plan(index, size), nodes)


def consistency_path(old: int, new: int, nodes: Nodes) -> list[bytes]:
    """Proof that the tree of size `new` only adds to the one of size `old` (RFC 9162, 2.1.4.1)."""
    return path_of(consistency_plan(old, new), nodes)
