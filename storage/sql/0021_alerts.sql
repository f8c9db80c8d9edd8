-- What an alert is about, as numbers and names beside its words.
ALTER TABLE alerts
    ADD COLUMN rule_version int8 NOT NULL DEFAULT 0,
    ADD COLUMN model text COLLATE "C",
    ADD COLUMN interval text COLLATE "C",
    ADD COLUMN horizon int8,
    ADD COLUMN value float8,
    ADD COLUMN held int8 NOT NULL DEFAULT 0;
CREATE INDEX alerts_by_rule ON alerts (rule, rule_version, time);

-- Every version of every rule; the one that is not removed counts. `definition` is the rule as JSON.
CREATE TABLE alert_rules (
    name text COLLATE "C" NOT NULL,
    version int8 NOT NULL,
    definition jsonb NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    removed_at timestamptz,
    PRIMARY KEY (name, version)
);
CREATE UNIQUE INDEX alert_rules_in_force ON alert_rules (name) WHERE removed_at IS NULL;

-- Where the watcher is, and what its rules remember. Both change in the transaction that adds the alerts to the outbox.
CREATE TABLE alert_offsets (
    topic text COLLATE "C" NOT NULL,
    "partition" int8 NOT NULL,
    next int8 NOT NULL,
    PRIMARY KEY (topic, "partition")
);
CREATE TABLE alert_states (
    rule text COLLATE "C" NOT NULL,
    version int8 NOT NULL,
    subject text COLLATE "C" NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (rule, version, subject)
);

-- Alerts in the order in which they were made. From here they go to the topic, and from there into the table `alerts`.
CREATE TABLE alert_outbox (
    number int8 PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    alert_id text COLLATE "C" NOT NULL UNIQUE,
    symbol text COLLATE "C" NOT NULL,
    alert bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz
);
CREATE INDEX alert_outbox_unpublished ON alert_outbox (number) WHERE published_at IS NULL;

-- Who is told. `target` is fit to be shown: addresses and keys are in a file of the worker's machine (alerts/secrets.py).
CREATE TABLE alert_subscribers (
    name text COLLATE "C" PRIMARY KEY,
    channel text COLLATE "C" NOT NULL CHECK (channel IN ('webhook', 'apprise', 'redis')),
    target text NOT NULL,
    rules text[] NOT NULL DEFAULT '{}',
    symbols text[] NOT NULL DEFAULT '{}',
    severity text COLLATE "C" NOT NULL DEFAULT 'info',
    per_minute float8 NOT NULL CHECK (per_minute > 0),
    burst int NOT NULL CHECK (burst > 0),
    summarise boolean NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    tokens float8,
    tokens_at timestamptz
);
INSERT INTO alert_subscribers (name, channel, target, per_minute, burst, summarise)
VALUES ('redis', 'redis', 'foretick:alerts', 1000000, 100000, false);

-- What became of each alert for each subscriber. Deliveries with one `summary` went, or go, as one message.
CREATE TABLE alert_deliveries (
    subscriber text COLLATE "C" NOT NULL,
    alert_id text COLLATE "C" NOT NULL,
    number int8 NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed', 'muted')),
    attempts int NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT now(),
    summary text COLLATE "C",
    error text,
    made_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    PRIMARY KEY (subscriber, alert_id)
);
CREATE INDEX alert_deliveries_waiting ON alert_deliveries (subscriber, number) WHERE state = 'waiting';
CREATE INDEX alert_deliveries_of_alert ON alert_deliveries (alert_id);

-- Until then nothing is delivered of what matches all that a mute names.
CREATE TABLE alert_mutes (
    number int8 PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    rule text COLLATE "C",
    symbol text COLLATE "C",
    alert_id text COLLATE "C",
    until timestamptz NOT NULL,
    CHECK (num_nonnulls(rule, symbol, alert_id) > 0)
);
CREATE TABLE alert_acknowledgements (
    alert_id text COLLATE "C" PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    note text NOT NULL DEFAULT ''
);
