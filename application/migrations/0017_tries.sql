-- The support desk asks which systems were told of an order's events (D1, N2).
CREATE INDEX webhook_deliveries_position_idx ON {schema}.webhook_deliveries (position);
