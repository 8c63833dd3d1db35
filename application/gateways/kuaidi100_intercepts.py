"""快递100 / 百递云: stopping a parcel on its way, as a form and a callback (wire 1.9).

What they call back with is in no document that could be read: it is kept whole, and only that a
carrier could not is taken from its words. That it could is seen on the parcel's track.
"""

from collections.abc import Mapping

from application.gateways.kuaidi100 import read_json
from application.gateways.kuaidi100_labels import Account, signed_form
from application.gateways.labelling import Person
from application.gateways.tracking import IncompleteRequest

TYPES = {"return": "RETURN_SEND_ADDR", "redirect": "MODIFY_ADDR"}
_COULD_NOT = ("失败", "无法", "拒绝", "不支持", "fail", "reject")


def intercept_form(
    waybill: str,
    *,
    carrier: str,
    way: str,
    to: Person | None,
    reason: str,
    contract: Mapping[str, str],
    callback_url: str,
    salt: str,
    account: Account,
    t: str,
) -> dict[str, str]:
    """The signed form that asks a carrier to bring a parcel back, or to another address.

    Sent twice it is one wish: the parcel can only turn round once. Raises `IncompleteRequest`
    where they would refuse.
    """
    if not contract:
        raise IncompleteRequest(f"no contract with {carrier} is set")
    if way == "redirect" and (to is None or not to.phone):
        raise IncompleteRequest("a new address needs somebody to phone")
    param = {
        **contract,
        "kuaidicom": carrier,
        "kuaidinum": waybill,
        "interceptType": TYPES[way],
        "orderRole": "1",
        "interceptPayType": "SHIPPER",
        "reason": reason,
        "callbackUrl": callback_url,
        "salt": salt,
    }
    if to is not None:
        param["recManInfo"] = to.as_told()  # type: ignore[assignment]
    return signed_form("interceptOrder", param, account=account, t=t)


def says_it_could_not(param: bytes) -> bool:
    """Whether a callback tells of a failure, by any of its words; unreadable ones tell nothing."""
    try:
        told = read_json(param)
    except ValueError:
        return False
    return any(
        word in value.lower()
        for value in told.values()
        if isinstance(value, str)
        for word in _COULD_NOT
    )
