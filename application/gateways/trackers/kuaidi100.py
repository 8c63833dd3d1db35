"""快递100 as a source of tracks: it knows everybody's parcels (T1, wire/carriers.md section 1).

Its pushes come to an address of each parcel, signed with that parcel's salt, and its subscriptions
are asked for one by one (`application/asking_partners.py`); here it is asked.
"""

from datetime import datetime

from application.gateways.kuaidi100_calls import query_form, read_query_reply
from application.gateways.tracking import Call, Told, Tracker
from application.settings import Settings


class Kuaidi100(Tracker):
    """The aggregator, asked with the house's account."""

    name = "kuaidi100"
    carriers = None

    def __init__(self, url: str, *, key: str, customer: str) -> None:
        self._url = url
        self._key = key
        self._customer = customer

    def query(self, number: str, *, carrier: str, phone: str, now: datetime) -> Call:
        """The signed form (1.3)."""
        form = query_form(
            number, carrier=carrier, key=self._key, customer=self._customer, phone=phone
        )
        return Call(f"{self._url}/poll/query.do", form)

    def read_answer(self, body: bytes, *, number: str, carrier: str) -> Told:
        """The report in its reply."""
        report = read_query_reply(body)
        return Told(number, report.scans, report.raw)


def opened(settings: Settings) -> Kuaidi100 | None:
    """The account that is set, if one is."""
    url = settings.kuaidi100_url
    if url is None or not settings.kuaidi100_customer:
        return None
    return Kuaidi100(url, key=settings.kuaidi100_key, customer=settings.kuaidi100_customer)
