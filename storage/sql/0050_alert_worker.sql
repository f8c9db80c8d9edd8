-- A mute without an end holds until it is taken back.
ALTER TABLE alert_mutes ALTER COLUMN until DROP NOT NULL;

-- The settings with which the alerts worker decides whether and where a message goes; one row, of the one that works. The
-- command reads them, so that it does not accept by its own settings what the worker then refuses by its.
CREATE TABLE alert_worker (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    started_at timestamptz NOT NULL,
    settings jsonb NOT NULL
);
