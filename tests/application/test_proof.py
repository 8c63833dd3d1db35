import struct
from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.proof import (
    EMPTY_ROOT,
    Frontier,
    MemoryNodes,
    consistency_plan,
    inclusion_plan,
    leaf_hash,
    root_from_inclusion,
    verify_consistency,
)
from tests.merkle_paths import consistency_path, inclusion_path

LARGEST = 300
# The test data of Certificate Transparency's reference implementation (RFC 6962, 9162).
CT_LEAVES = [
    sha256(b"\x00" + bytes.fromhex(text)).digest()
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
CT_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# Published with them: (index, size) and the path.
CT_INCLUSIONS = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}
CT_CONSISTENCIES = {
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (1, 1): [],
}
LEAVES = [sha256(b"\x00" + struct.pack(">I", n)).digest() for n in range(LARGEST)]
NODES = MemoryNodes(LEAVES)


@cache
def naive(first: int, end: int) -> bytes:
    """MTH as RFC 9162, 2.1.1 writes it, over the leaves from `first` to `end`."""
    if end == first:
        return sha256(b"").digest()
    if end - first == 1:
        return LEAVES[first]
    half = 1
    while half * 2 < end - first:
        half *= 2
    return sha256(b"\x01" + naive(first, first + half) + naive(first + half, end)).digest()


def naive_inclusion(index: int, first: int, end: int) -> list[bytes]:
    """PATH as RFC 9162, 2.1.3.1 writes it."""
    if end - first == 1:
        return []
    half = 1
    while half * 2 < end - first:
        half *= 2
    middle = first + half
    if index < half:
        return [*naive_inclusion(index, first, middle), naive(middle, end)]
    return [*naive_inclusion(index - half, middle, end), naive(first, middle)]


def naive_consistency(old: int, first: int, end: int, *, whole: bool) -> list[bytes]:
    """SUBPROOF as RFC 9162, 2.1.4.1 writes it."""
    if old == end - first:
        return [] if whole else [naive(first, end)]
    half = 1
    while half * 2 < end - first:
        half *= 2
    middle = first + half
    if old <= half:
        return [*naive_consistency(old, first, middle, whole=whole), naive(middle, end)]
    return [*naive_consistency(old - half, middle, end, whole=False), naive(first, middle)]


def flipped(whole: bytes) -> list[bytes]:
    """The bytes with one bit changed, in each byte once."""
    return [
        whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :] for at in range(len(whole))
    ]


def test_roots_are_the_published_ones_when_the_leaves_are() -> None:
    """A3"""
    for size, root in enumerate(CT_ROOTS):
        assert Frontier.empty().extended(CT_LEAVES[:size]).root().hex() == root


def test_paths_are_the_published_ones_when_the_leaves_are() -> None:
    """A3"""
    nodes = MemoryNodes(CT_LEAVES)
    for (index, size), path in CT_INCLUSIONS.items():
        assert [step.hex() for step in inclusion_path(index, size, nodes)] == path
    for (old, new), path in CT_CONSISTENCIES.items():
        assert [step.hex() for step in consistency_path(old, new, nodes)] == path


def test_root_equals_the_recursive_definition_when_any_size_is_taken() -> None:
    """A3"""
    for size in range(LARGEST + 1):
        assert Frontier.empty().extended(LEAVES[:size]).root() == naive(0, size)


@given(st.lists(st.integers(0, 90), max_size=12))
def test_frontier_is_the_same_when_leaves_come_in_any_chunks(chunks: list[int]) -> None:
    """A3"""
    frontier, at = Frontier.empty(), 0
    for chunk in chunks:
        frontier = Frontier.from_bytes(frontier.extended(LEAVES[at : at + chunk]).to_bytes())
        at = min(at + chunk, LARGEST)
    assert frontier == Frontier.empty().extended(LEAVES[:at])
    assert frontier.size == at
    assert len(frontier.roots) == at.bit_count()


def test_frontier_is_unchanged_when_nothing_is_added() -> None:
    """A3"""
    frontier = Frontier.empty().extended(LEAVES[:77])
    assert frontier.extended([]) == frontier
    assert Frontier.empty().root() == EMPTY_ROOT


@pytest.mark.parametrize("stored", [b"", b"\0" * 7, b"\0" * 7 + b"\3" + b"r" * 32, b"\0" * 9])
def test_frontier_is_refused_when_its_length_does_not_fit(stored: bytes) -> None:
    """A3"""
    with pytest.raises(ValueError, match="not a frontier"):
        Frontier.from_bytes(stored)


def test_inclusion_is_proved_when_any_leaf_of_any_size_is_asked_for() -> None:
    """A3: all 45,150 pairs."""
    for size in range(1, LARGEST + 1):
        root = naive(0, size)
        for index in range(size):
            path = inclusion_path(index, size, NODES)
            assert root_from_inclusion(LEAVES[index], index, size, path) == root


@given(st.integers(1, LARGEST), st.data())
def test_paths_equal_the_recursive_definition_when_sizes_vary(
    size: int, data: st.DataObject
) -> None:
    """A3"""
    index = data.draw(st.integers(0, size - 1))
    assert inclusion_path(index, size, NODES) == naive_inclusion(index, 0, size)
    old = data.draw(st.integers(1, size))
    assert consistency_path(old, size, NODES) == naive_consistency(old, 0, size, whole=True)


def test_consistency_is_proved_when_any_two_sizes_are_compared() -> None:
    """A3: all 45,451 pairs."""
    for new in range(LARGEST + 1):
        for old in range(new + 1):
            path = consistency_path(old, new, NODES)
            assert verify_consistency(
                old, new, old_root=naive(0, old), new_root=naive(0, new), path=path
            )


def inclusion_holds(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> bool:
    try:
        return root_from_inclusion(leaf, index, size, path) == root
    except ValueError:
        return False


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 2), (6, 7), (100, 257), (299, 300)])
def test_inclusion_fails_when_one_byte_is_flipped(index: int, size: int) -> None:
    """A3, R60"""
    path, root, leaf = inclusion_path(index, size, NODES), naive(0, size), LEAVES[index]
    assert inclusion_holds(leaf, index, size, path, root)
    assert not any(inclusion_holds(bad, index, size, path, root) for bad in flipped(leaf))
    assert not any(inclusion_holds(leaf, index, size, path, bad) for bad in flipped(root))
    for at, step in enumerate(path):
        for bad in flipped(step):
            forged = [*path[:at], bad, *path[at + 1 :]]
            assert not inclusion_holds(leaf, index, size, forged, root)


@given(st.integers(1, LARGEST), st.data())
def test_inclusion_fails_when_leaf_or_path_is_another(size: int, data: st.DataObject) -> None:
    """A3, R60"""
    index, claimed = (data.draw(st.integers(0, size - 1)) for _ in range(2))
    path, root = inclusion_path(index, size, NODES), naive(0, size)
    assert inclusion_holds(LEAVES[index], claimed, size, path, root) == (claimed == index)
    assert not inclusion_holds(LEAVES[index], index, size, [*path, LEAVES[0]], root)
    if path:
        assert not inclusion_holds(LEAVES[index], index, size, path[:-1], root)
        assert not inclusion_holds(LEAVES[index], index, size, [path[0][:-1], *path[1:]], root)


@pytest.mark.parametrize(("old", "new"), [(1, 2), (4, 7), (6, 8), (128, 300), (257, 299)])
def test_consistency_fails_when_one_byte_is_flipped(old: int, new: int) -> None:
    """A3, R60"""
    path, old_root, new_root = consistency_path(old, new, NODES), naive(0, old), naive(0, new)

    def holds(old_root: bytes, new_root: bytes, path: list[bytes]) -> bool:
        return verify_consistency(old, new, old_root=old_root, new_root=new_root, path=path)

    assert holds(old_root, new_root, path)
    assert not any(holds(bad, new_root, path) for bad in flipped(old_root))
    assert not any(holds(old_root, bad, path) for bad in flipped(new_root))
    for at, step in enumerate(path):
        for bad in flipped(step):
            assert not holds(old_root, new_root, [*path[:at], bad, *path[at + 1 :]])
    assert not holds(old_root, new_root, path[:-1])
    assert not holds(old_root, new_root, [*path, LEAVES[0]])
    assert not holds(old_root, new_root, [])


def test_consistency_fails_when_a_leaf_was_changed_removed_or_moved() -> None:
    """A3, R60: whoever rewrites history cannot satisfy the head that was kept outside."""
    old, new = 200, LARGEST
    kept = naive(0, old)
    for at in range(0, old, 7):
        changed = [*LEAVES[:at], sha256(LEAVES[at]).digest(), *LEAVES[at + 1 :]]
        cut = [*LEAVES[:at], *LEAVES[at + 1 :], LEAVES[0]]
        moved = [*LEAVES[:at], LEAVES[at + 1], LEAVES[at], *LEAVES[at + 2 :]]
        for forged in (changed, cut, moved):
            nodes, root = MemoryNodes(forged), Frontier.empty().extended(forged).root()
            path = consistency_path(old, new, nodes)
            assert not verify_consistency(old, new, old_root=kept, new_root=root, path=path)


def test_consistency_is_refused_when_the_log_became_shorter() -> None:
    """A3, R60"""
    roots = {"old_root": naive(0, 9), "new_root": naive(0, 8)}
    assert not verify_consistency(9, 8, path=[], **roots)
    assert not verify_consistency(-1, 8, path=[], **roots)
    with pytest.raises(ValueError, match="smaller"):
        consistency_path(9, 8, NODES)


def test_consistency_with_the_empty_tree_holds_when_its_root_is_the_known_one() -> None:
    """A3"""
    root = naive(0, 5)
    assert verify_consistency(0, 5, old_root=EMPTY_ROOT, new_root=root, path=[])
    assert not verify_consistency(0, 5, old_root=root, new_root=root, path=[])
    assert not verify_consistency(0, 0, old_root=EMPTY_ROOT, new_root=root, path=[])
    assert not verify_consistency(0, 0, old_root=root, new_root=root, path=[])


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_inclusion_is_refused_when_the_leaf_is_outside(index: int, size: int) -> None:
    """A3"""
    with pytest.raises(ValueError, match="not in the tree"):
        inclusion_path(index, size, NODES)
    with pytest.raises(ValueError, match="not in the tree"):
        root_from_inclusion(LEAVES[0], index, size, [])


def test_few_nodes_are_asked_for_when_the_log_is_long() -> None:
    """A3: a proof in a log of a hundred million events reads a few dozen hashes."""
    size = 100_000_000 - 1
    for index in (0, 1, size // 2, size - 1):
        plan = inclusion_plan(index, size)
        asked = [at for part in plan for at in part]
        assert len(asked) == len(set(asked)) <= 27 + size.bit_count()
        assert all(first << level < size for level, first in asked)
    for old in (1, 2**20, size // 3, size - 1):
        asked = [at for part in consistency_plan(old, size) for at in part]
        assert len(asked) == len(set(asked)) <= 27 + size.bit_count()


def test_node_is_refused_when_its_subtree_is_not_full() -> None:
    """A3"""
    with pytest.raises(IndexError):
        MemoryNodes(LEAVES[:5]).node(1, 2)


def test_leaf_is_hashed_as_documented_when_all_fields_are_given() -> None:
    """A3"""
    stream, name, stored = "order:订单1", "orders.OrderPlaced", b'{"points":1}'
    written = (
        b"\x00" + struct.pack(">QI", 7, len(stream.encode())) + stream.encode()
        + struct.pack(">QI", 3, len(name)) + name.encode() + stored
    )  # fmt: skip
    for _ in range(2):
        assert leaf_hash(7, stream, 3, name, stored) == sha256(written).digest()


def test_leaves_differ_when_text_moves_between_fields() -> None:
    """A3"""
    leaves = {
        leaf_hash(1, "a:b", 1, "c", b"d"),
        leaf_hash(2, "a:b", 1, "c", b"d"),
        leaf_hash(1, "a:b", 2, "c", b"d"),
        leaf_hash(1, "a:", 1, "c", b"bd"),
        leaf_hash(1, "a:b", 1, "cd", b""),
        leaf_hash(1, "a:b", 1, "", b"cd"),
        leaf_hash(1, "a:bc", 1, "", b"d"),
    }
    assert len(leaves) == 7


def test_leaf_is_the_same_when_more_lengths_and_names_were_seen_than_are_remembered() -> None:
    """A3"""
    for length in range(1100):
        stream, name = "s" * length, f"n{length}"
        written = (
            b"\x00" + struct.pack(">QI", 1, length) + stream.encode()
            + struct.pack(">QI", 1, len(name)) + name.encode()
        )  # fmt: skip
        assert leaf_hash(1, stream, 1, name, b"") == sha256(written).digest()
