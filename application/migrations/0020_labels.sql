-- Waybills asked of an aggregator, a row a request (W5).
CREATE TABLE {schema}.labels (
    label         text COLLATE "C" PRIMARY KEY,   -- what the partner knows the request by
    parcel        text COLLATE "C" NOT NULL,
    carrier       text NOT NULL,
    grams         bigint NOT NULL,
    state         text NOT NULL,                  -- as domain/labels.py names it
    wanted_at     timestamptz NOT NULL,
    changed_at    timestamptz NOT NULL,
    waybill       text,
    partner_order text,
    reason        text,                           -- why it is not needed, or why it was refused
    position      bigint NOT NULL
);
CREATE INDEX labels_open_idx ON {schema}.labels (wanted_at, label)
    WHERE state IN ('wanted', 'unwanted');
CREATE INDEX labels_stuck_idx ON {schema}.labels (changed_at, label)
    WHERE state IN ('refused', 'unanswered');
CREATE INDEX labels_parcel_idx ON {schema}.labels (parcel);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.labels TO {service};

ALTER TABLE {schema}.parcels ADD COLUMN label_due_at timestamptz;
CREATE INDEX parcels_label_due_idx ON {schema}.parcels (label_due_at, number)
    WHERE label_due_at IS NOT NULL;
CREATE INDEX parcels_wave_idx ON {schema}.parcels (wave, number) WHERE wave IS NOT NULL;

-- When a partner was asked about something, and when it is asked again: by one process at a time,
-- with growing pauses (M2). Not a view of the log: what was learned is in it.
CREATE TABLE {schema}.open_calls (
    what     text COLLATE "C" NOT NULL,
    phase    text COLLATE "C" NOT NULL,
    tries    bigint NOT NULL,
    first_at timestamptz NOT NULL,
    next_at  timestamptz NOT NULL,
    cause    text,                                -- why the last try brought nothing
    PRIMARY KEY (what, phase)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.open_calls TO {service};
