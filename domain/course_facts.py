"""课程事实 What can happen to the courses of an order: granted, begun, revoked (rules.md 7)."""

from pydantic import Field, PositiveInt

from domain.facts import Fact


class EntitlementGranted(Fact, name="orders.EntitlementGranted"):
    """The learner may take the course (rules.md 7)."""

    part: PositiveInt
    line: PositiveInt
    sku: str
    quantity: PositiveInt


class CourseProgressed(Fact, name="orders.CourseProgressed"):
    """How far the learner is in a course, as the learning platform says (rules.md 7)."""

    part: PositiveInt
    line: PositiveInt
    sku: str
    percent: int = Field(ge=0, le=100)
    refundable_under: int = Field(description="the house's limit when this was noted")


class EntitlementRevoked(Fact, name="orders.EntitlementRevoked"):
    """The course was refunded: the learner may no longer take it (rules.md 7)."""

    part: PositiveInt
    line: PositiveInt
    sku: str
    quantity: PositiveInt
