-- What was sent with each carrier in a month is counted by the hour (W3).
CREATE INDEX journeys_handed_over_idx ON {schema}.journeys (handed_over_at, carrier);
