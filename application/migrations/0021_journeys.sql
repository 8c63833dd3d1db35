-- parcel_tracking: each parcel's way in milestones, from which arrivals are estimated (T4), delays
-- are found (T5) and deliveries are counted (T9).
CREATE TABLE {schema}.journeys (
    parcel         text COLLATE "C" PRIMARY KEY,
    carrier        text NOT NULL,
    origin         text,        -- province of the warehouse; NULL: handed over before lanes were noted
    province       text,        -- of the recipient
    destination    text COLLATE "C", -- city it goes to: leading digits of its divisions, or its name
    division       text,        -- of the recipient, as small as it is settled
    handed_over_at timestamptz NOT NULL,
    under_way_at   timestamptz, -- when each milestone was first reached
    near_at        timestamptz,
    at_the_door_at timestamptz,
    arrived_at     timestamptz,
    due_milestone  text,        -- reached, and nobody was told yet what that means for the arrival
    due_since      timestamptz,
    late_at        timestamptz, -- end of the window it was promised in, until it arrives or is told late
    quiet_as       text,        -- as in parcels, until it was told of
    quiet_since    timestamptz,
    turned_as      text,        -- goes to and fro, or back; until it was told of
    turned_since   timestamptz,
    tried_at       timestamptz, -- first attempt at the door
    tried_well     boolean NOT NULL, -- whether the recipient has it, or it waits nearby
    version        bigint NOT NULL,
    position       bigint NOT NULL
);
CREATE INDEX journeys_lanes_idx ON {schema}.journeys (carrier, origin, destination, arrived_at)
    WHERE arrived_at IS NOT NULL AND origin IS NOT NULL;
CREATE INDEX journeys_provinces_idx ON {schema}.journeys (carrier, origin, province, arrived_at)
    WHERE arrived_at IS NOT NULL AND origin IS NOT NULL;
CREATE INDEX journeys_arrived_idx ON {schema}.journeys (carrier, arrived_at)
    WHERE arrived_at IS NOT NULL;
CREATE INDEX journeys_due_idx ON {schema}.journeys (due_since, parcel)
    WHERE due_milestone IS NOT NULL;
CREATE INDEX journeys_late_idx ON {schema}.journeys (late_at, parcel) WHERE late_at IS NOT NULL;
CREATE INDEX journeys_quiet_idx ON {schema}.journeys (quiet_as, quiet_since, parcel)
    WHERE quiet_as IS NOT NULL;
CREATE INDEX journeys_turned_idx ON {schema}.journeys (turned_since, parcel)
    WHERE turned_as IS NOT NULL;
CREATE INDEX journeys_tried_idx ON {schema}.journeys (tried_at) WHERE tried_at IS NOT NULL;
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.journeys TO {service};

-- What was said about a parcel's arrival at each milestone: held against when it came (T4).
CREATE TABLE {schema}.estimates (
    parcel    text COLLATE "C" NOT NULL,
    milestone text COLLATE "C" NOT NULL,
    earliest  timestamptz NOT NULL,
    latest    timestamptz NOT NULL,
    basis     text NOT NULL,
    measured  bigint NOT NULL,
    said_at   timestamptz NOT NULL,
    PRIMARY KEY (parcel, milestone)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.estimates TO {service};
