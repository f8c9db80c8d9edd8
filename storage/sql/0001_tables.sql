-- One hypertable a record. Each has one index, its identity, and every write is an upsert on it.
-- Chunks of 30 days: a backfill of years then writes to one chunk a table at a time (three years are 37 chunks a table),
-- and at 1 minute, 3 models and 4 horizons a symbol adds half a million predictions (80 MB) to a chunk.
-- Text keys compare by bytes (COLLATE "C"): a symbol has no language, and it is faster.

CREATE EXTENSION IF NOT EXISTS timescaledb;

-- A trade has no identity of its own unless its venue gave one: `identity` is venue:trade_id, or else where it lay in
-- Kafka (partition-offset-row), so that two equal trades are two rows and one redelivered trade is one.
CREATE TABLE ticks (
    symbol text COLLATE "C" NOT NULL,
    time timestamptz NOT NULL,
    identity text COLLATE "C" NOT NULL,
    price float8 NOT NULL,
    amount float8 NOT NULL,
    side text,
    trade_id text,
    venue text,
    PRIMARY KEY (symbol, time, identity)
);

CREATE TABLE bars (
    symbol text COLLATE "C" NOT NULL,
    interval text COLLATE "C" NOT NULL,
    time timestamptz NOT NULL,
    open float8 NOT NULL,
    high float8 NOT NULL,
    low float8 NOT NULL,
    close float8 NOT NULL,
    volume float8,
    trades int8,
    buy_volume float8,
    quote_volume float8,
    gap int8 NOT NULL,
    PRIMARY KEY (symbol, interval, time)
);

-- `values` are in the order of feature_definitions.names for the same fingerprint.
CREATE TABLE features (
    symbol text COLLATE "C" NOT NULL,
    interval text COLLATE "C" NOT NULL,
    time timestamptz NOT NULL,
    close float8 NOT NULL,
    fingerprint text COLLATE "C" NOT NULL,
    values float8[] NOT NULL,
    PRIMARY KEY (symbol, interval, time)
);

CREATE TABLE feature_definitions (
    fingerprint text COLLATE "C" PRIMARY KEY,
    names text[] NOT NULL
);

CREATE TABLE regimes (
    symbol text COLLATE "C" NOT NULL,
    interval text COLLATE "C" NOT NULL,
    time timestamptz NOT NULL,
    state text NOT NULL,
    posterior jsonb NOT NULL,
    PRIMARY KEY (symbol, interval, time)
);

-- Predictions and outcomes are most of all rows, and their text keys would be most of their bytes. What repeats is kept
-- once, in `series` and `contexts`, and the rows hold its number: a third of the work and half of the disk (bench/storage.py).
-- The views `predictions` and `outcomes` show the rows with the text, and are what everyone reads.
CREATE TABLE series (
    series_id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    symbol text COLLATE "C" NOT NULL,
    interval text COLLATE "C" NOT NULL,
    model text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    horizon int NOT NULL,
    UNIQUE (symbol, interval, model, version, horizon)
);

CREATE TABLE contexts (
    context_id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    fingerprint text COLLATE "C" NOT NULL,
    regime text COLLATE "C",
    UNIQUE NULLS NOT DISTINCT (fingerprint, regime)
);

-- No foreign keys: a check for each of 24,000 rows a second would cost more than the rows. The writer commits a series
-- or context before any row that names it, and nothing deletes one.
CREATE TABLE prediction_rows (
    time timestamptz NOT NULL,
    series_id int NOT NULL,
    context_id int NOT NULL,
    price float8 NOT NULL,
    mean float8,
    scale float8,
    q05 float8,
    q10 float8,
    q25 float8,
    q50 float8,
    q75 float8,
    q90 float8,
    q95 float8,
    p_up float8,
    PRIMARY KEY (series_id, time)
);

CREATE TABLE outcome_rows (
    time timestamptz NOT NULL,
    target_time timestamptz NOT NULL,
    series_id int NOT NULL,
    status "char" NOT NULL,
    interval_hit boolean,
    direction_hit boolean,
    realised float8,
    absolute_error float8,
    naive_absolute_error float8,
    pinball float8,
    PRIMARY KEY (series_id, time)
);

CREATE TABLE alerts (
    alert_id text COLLATE "C" NOT NULL,
    rule text COLLATE "C" NOT NULL,
    symbol text COLLATE "C" NOT NULL,
    time timestamptz NOT NULL,
    severity text NOT NULL,
    message text NOT NULL,
    PRIMARY KEY (alert_id, time)
);

CREATE TABLE model_events (
    model text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    event text COLLATE "C" NOT NULL,
    fingerprint text COLLATE "C" NOT NULL,
    time timestamptz NOT NULL,
    path text,
    reason text,
    PRIMARY KEY (model, version, event, time)
);

CREATE TABLE dead_letters (
    topic text COLLATE "C" NOT NULL,
    "partition" int8 NOT NULL,
    "offset" int8 NOT NULL,
    "row" int8 NOT NULL,
    reason text NOT NULL,
    value bytea NOT NULL,
    key bytea,
    time timestamptz NOT NULL,
    PRIMARY KEY (topic, "partition", "offset", "row")
);

SELECT create_hypertable(name::regclass, 'time', chunk_time_interval => interval '30 days', create_default_indexes => false)
FROM unnest(ARRAY['ticks', 'bars', 'features', 'regimes', 'prediction_rows', 'outcome_rows', 'alerts']) AS name;
