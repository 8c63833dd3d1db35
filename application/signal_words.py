"""信令文字 What a learner's app says of an order's news, Chinese and English (N3).

Facts that have no words here are between the house, its warehouses and its partners: an app is not
woken for them.
"""

from application.sealed_words import Message

WORDS: dict[str, Message] = {
    "orders.OrderPlaced": Message("订单已提交。", "Your order was placed."),
    "orders.PaymentCaptured": Message("已收到付款。", "Your payment has arrived."),
    "orders.PaymentFailed": Message("付款没有成功。", "Your payment did not go through."),
    "orders.OrderApproved": Message("订单已通过审核。", "Your order was approved."),
    "orders.OrderRejected": Message(
        "订单未通过审核，已全部退还。", "Your order was not approved; all of it is paid back."
    ),
    "orders.AddressChanged": Message("收货地址已更改。", "The address was changed."),
    "orders.UnitsFellShort": Message(
        "部分商品缺货，请选择等待或退款。", "Some goods are missing: wait, or have them refunded?"
    ),
    "orders.PartPacked": Message("商品已打包。", "Goods are packed."),
    "orders.PartHandedOver": Message("包裹已交给快递公司。", "A parcel is with its carrier."),
    "orders.PartReceived": Message("包裹已签收。", "A parcel was received."),
    "orders.EntitlementGranted": Message("课程已开通。", "Your course is open."),
    "orders.EntitlementRevoked": Message("课程已关闭。", "Your course was closed."),
    "orders.UnitsCancelled": Message("部分商品已取消。", "Some goods were cancelled."),
    "orders.CancelledUnitsSent": Message(
        "已取消的商品被误发，我们会处理。", "Cancelled goods were sent by mistake: we see to it."
    ),
    "orders.CancelledUnitsGivenUp": Message(
        "误发的商品无需退回。", "You need not send back what was sent by mistake."
    ),
    "orders.UnitsRefunded": Message("部分商品已退款。", "Some goods were refunded."),
    "orders.CashRefundConfirmed": Message("现金已退回。", "Your cash is back."),
    "orders.OrderCancelled": Message("订单已取消。", "Your order was cancelled."),
    "orders.OrderClosed": Message("订单已关闭。", "Your order was closed."),
    "orders.OrderCompleted": Message(
        "订单已完成，欢迎评价。", "Your order is complete. How was it?"
    ),
    "orders.LatenessMadeGood": Message(
        "订单晚于承诺时间，已补偿积分。", "Your order is late: you have points for it."
    ),
    "orders.SendingDelayed": Message(
        "订单已超过承诺时间仍未全部发出，非常抱歉，我们正在催促仓库。",
        "Your order is later than promised and not all sent; we are sorry, and see to it.",
    ),
    "orders.ReplacementOrdered": Message("已为您补发。", "A replacement is on its way."),
    "parcels.ParcelScanned": Message("包裹有新的物流信息。", "There is news of your parcel."),
    "parcels.ArrivalEstimated": Message(
        "预计送达时间已更新。", "When your parcel arrives was estimated anew."
    ),
    "parcels.DeliveryDelayed": Message(
        "包裹可能会晚到，我们正在跟进。", "Your parcel may be late; we are looking into it."
    ),
    "disputes.DisputeOpened": Message("已收到您的反馈。", "We have your complaint."),
    "disputes.QuestionsAsked": Message("请回答几个问题。", "We have some questions for you."),
    "disputes.DisputeDecided": Message("您的反馈已有结果。", "Your complaint was decided."),
    "returns.GoodsArrived": Message("退回的商品已到仓。", "The goods you sent back are here."),
    "returns.ReturnSettled": Message("退换货已处理完成。", "Your return is settled."),
    "returns.ReturnRejected": Message("退换货未通过。", "Your return was not agreed to."),
}
