"""All views of the house, in one list."""

from domain.house_rules import HouseRules
from projections.approvals import Approvals
from projections.audit_trail import AuditTrail
from projections.bills import Bills
from projections.cash_refunds import CashRefunds
from projections.catalogue import Catalogue
from projections.claims import Claims
from projections.consignments import ConsignedParcels
from projections.declarations import Declarations
from projections.disputes import Disputes
from projections.intercepts import Intercepts
from projections.labels import LabelRequests
from projections.ledger_balance import LedgerBalance
from projections.log_tree import LogTree
from projections.order_status import OrderStatus
from projections.parcel_tracking import ParcelTracking
from projections.part_costs import PartCosts
from projections.ratings import Ratings
from projections.reading import View
from projections.returns import Returns
from projections.stock_differences import StockDifferences
from projections.strays import Strays
from projections.waiting_units import WaitingUnits
from projections.waves import Waves
from projections.weeks import WeekReviews


def all_views(rules: HouseRules) -> list[View]:
    """A new instance of each view."""
    return [
        OrderStatus(),
        ParcelTracking(rules),
        LabelRequests(),
        Declarations(),
        Intercepts(),
        ConsignedParcels(),
        LedgerBalance(rules),
        CashRefunds(),
        WaitingUnits(),
        Strays(),
        StockDifferences(),
        Catalogue(),
        AuditTrail(),
        Approvals(),
        Waves(),
        Disputes(),
        Claims(),
        Returns(),
        Ratings(),
        PartCosts(),
        Bills(),
        WeekReviews(),
        LogTree(),
    ]
