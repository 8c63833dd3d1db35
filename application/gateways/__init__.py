"""Gateways: each partner's wire format, and nothing else: no network, no store, no business."""
