-- A parcel that is silent and late is one trouble with all its causes: those that were told of apart
-- are told of once more (M5, N1).
DELETE FROM {schema}.alerts WHERE kind IN ('silent_parcel', 'delayed_parcel');
