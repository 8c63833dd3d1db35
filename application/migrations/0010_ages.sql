-- How long: parcels that nobody saw, subscribers that are not reached; lists of a past moment.

-- parcel_tracking: since when nobody saw a parcel that is under way, and what that is called (M5).
ALTER TABLE {schema}.parcels
    ADD COLUMN told_at     timestamptz, -- when the newest of its scans was recorded
    ADD COLUMN quiet_as    text,
    ADD COLUMN quiet_since timestamptz;
UPDATE {schema}.parcels p SET told_at = (
    SELECT (convert_from(e.state, 'UTF8')::jsonb ->> 'recorded_at')::timestamptz
    FROM {schema}.tallypost_events e
    WHERE e.originator_id = 'parcel:' || p.number AND e.topic = 'parcels.ParcelScanned'
      AND e.notification_id <= p.position
    ORDER BY e.originator_version DESC LIMIT 1);
-- Scans that count for nothing are left out as `domain.tracking` leaves them out. Where a scan was
-- told in two ways that contradict each other, `tallypost rebuild parcel_tracking` knows better.
UPDATE {schema}.parcels p SET
    quiet_as = CASE WHEN q.seen IS NULL THEN 'no_first_scan'
                    WHEN p.state = 'customs' THEN 'customs_stall' ELSE 'no_movement' END,
    quiet_since = CASE WHEN q.seen IS NULL THEN q.handed_over_at
                       ELSE greatest(least(q.seen, p.told_at), q.handed_over_at) END
FROM (
    SELECT k.number, t.handed_over_at, max(s.time) AS seen
    FROM {schema}.parcels k
        CROSS JOIN LATERAL (SELECT convert_from(k.folded, 'UTF8')::jsonb -> 'tracking' AS j) f
        CROSS JOIN LATERAL (SELECT (f.j ->> 'handed_over_at')::timestamptz AS handed_over_at) t
        LEFT JOIN LATERAL (
            SELECT (one ->> 'time')::timestamptz AS time
            FROM jsonb_array_elements(f.j -> 'scans') AS one
            WHERE one ->> 'kind' NOT IN
                    ('unknown', 'ordered', 'cancelled', 'rescheduled', 'problem', 'lost')
              AND NOT f.j -> 'voided_carriers' ? (one ->> 'carrier')
              AND (t.handed_over_at IS NULL OR (one ->> 'time')::timestamptz >= t.handed_over_at
                  - (f.j -> 'limits' ->> 'another_parcel_before')::interval)
        ) s ON true
    WHERE k.state IN ('handed_over', 'in_transit', 'customs', 'out_for_delivery',
        'delivery_failed', 'forwarded', 'returning')
    GROUP BY k.number, t.handed_over_at
) q
WHERE p.number = q.number AND coalesce(q.seen, q.handed_over_at) IS NOT NULL;
CREATE INDEX parcels_quiet_idx ON {schema}.parcels (quiet_as, quiet_since, number)
    WHERE quiet_as IS NOT NULL;

-- When the first failed try was of what is not delivered yet, or was given up (M5).
ALTER TABLE {schema}.webhooks ADD COLUMN troubled_since timestamptz;
ALTER TABLE {schema}.webhook_parked ADD COLUMN troubled_since timestamptz;
-- Tries are numbered anew for each event; of those that are on record no more, the last one counts.
UPDATE {schema}.webhooks w SET troubled_since = coalesce(
    (SELECT d.at FROM {schema}.webhook_deliveries d WHERE d.webhook = w.id AND d.attempt = 1
     ORDER BY d.serial DESC LIMIT 1), now())
WHERE attempt > 0;
UPDATE {schema}.webhook_parked p SET troubled_since = coalesce(
    (SELECT d.at FROM {schema}.webhook_deliveries d
     WHERE d.webhook = p.webhook AND d.position = p.position AND d.attempt = 1
     ORDER BY d.serial DESC LIMIT 1), parked_at);

-- order_periods: one state an instant, the last one, where a late fact had them noted together.
DELETE FROM {schema}.order_periods p USING {schema}.order_periods q
WHERE q.number = p.number AND q.valid_from = p.valid_from AND q.known_from = p.known_from
  AND array_position(ARRAY['pending_payment', 'pending_shipment', 'pending_receipt', 'pending_end',
                           'completed', 'cancelled', 'closed', 'expired'], q.state)
    > array_position(ARRAY['pending_payment', 'pending_shipment', 'pending_receipt', 'pending_end',
                           'completed', 'cancelled', 'closed', 'expired'], p.state);
-- Lists of a past moment walk from the newest states on (A5).
CREATE INDEX order_periods_newest_idx ON {schema}.order_periods (valid_from, number, known_from);
