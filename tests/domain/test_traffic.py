"""A partner's share of real traffic: decided, kept to, and never taking anybody back (M3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.refusals import InvalidRequest
from domain.traffic import Traffic, TrafficShifted, evolve, goes_real

PARTNERS = st.sampled_from(["kuaidi100", "sf", "payment"])
SHARES = st.integers(0, 100)


def test_a_share_is_made_real_when_somebody_says_so() -> None:
    """M3: from nothing; the same share again changes nothing."""
    traffic = Traffic()
    assert traffic.shift(0) == []
    (fact,) = traffic.shift(5)
    assert fact == TrafficShifted(percent=5)
    traffic = evolve(traffic, fact)
    assert traffic.shift(5) == []
    assert traffic.shift(0) == [TrafficShifted(percent=0)]


@pytest.mark.parametrize("percent", [-1, 101])
def test_a_share_is_refused_when_it_is_none(percent: int) -> None:
    with pytest.raises(InvalidRequest):
        Traffic().shift(percent)


@given(PARTNERS, st.text(min_size=1), SHARES, SHARES)
def test_raising_a_share_takes_nobody_back(partner: str, key: str, one: int, other: int) -> None:
    """M3: who goes real at a share goes real at every greater one, and always the same way."""
    low, high = sorted((one, other))
    if goes_real(partner, key, percent=low):
        assert goes_real(partner, key, percent=high)
    assert goes_real(partner, key, percent=low) == goes_real(partner, key, percent=low)
    assert goes_real(partner, key, percent=100)
    assert not goes_real(partner, key, percent=0)


@given(PARTNERS, SHARES)
def test_a_share_is_kept_to(partner: str, percent: int) -> None:
    """M3: of 4,000 parcels, to four standard deviations."""
    keys = [f"T26110{n}{partner}-P1" for n in range(4_000)]
    real = sum(goes_real(partner, key, percent=percent) for key in keys)
    share = percent / 100
    assert abs(real - 4_000 * share) <= 4 * (4_000 * share * (1 - share)) ** 0.5


def test_partners_are_decided_apart() -> None:
    """M3: a parcel that goes to the real carrier may still be rehearsed at another partner."""
    keys = [f"T{n}-P1" for n in range(400)]
    ways = {
        (goes_real("sf", key, percent=50), goes_real("payment", key, percent=50)) for key in keys
    }
    assert len(ways) == 4
