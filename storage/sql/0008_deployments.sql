-- What a version's forecast was for: c champion, h challenger, s shadow; whether its training was too old by then; and how far
-- the bar was from the data that it was trained on.
ALTER TABLE contexts
    ADD COLUMN role text COLLATE "C" NOT NULL DEFAULT 'champion',
    ADD COLUMN expired boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT contexts_fingerprint_regime_key,
    ADD UNIQUE NULLS NOT DISTINCT (fingerprint, regime, role, expired);
ALTER TABLE prediction_rows ADD COLUMN dissimilarity float8;
ALTER TABLE outcome_rows ADD COLUMN role "char" NOT NULL DEFAULT 'c';

CREATE OR REPLACE VIEW predictions AS
SELECT s.symbol, s.interval, p.time, s.model, s.version, s.horizon, c.fingerprint, c.regime, p.price,
    p.mean, p.scale, p.q05, p.q10, p.q25, p.q50, p.q75, p.q90, p.q95, p.p_up, p.weights,
    c.role, c.expired, p.dissimilarity
FROM prediction_rows p
LEFT JOIN series s USING (series_id)
LEFT JOIN contexts c USING (context_id);

CREATE OR REPLACE VIEW outcomes AS
SELECT s.symbol, s.interval, o.time, s.model, s.version, s.horizon, o.target_time,
    CASE o.status WHEN 's' THEN 'scored' WHEN 't' THEN 'stale' WHEN 'u' THEN 'unscored' END AS status,
    o.realised, o.absolute_error, o.naive_absolute_error, o.pinball, o.interval_hit, o.direction_hit,
    CASE o.role WHEN 'c' THEN 'champion' WHEN 'h' THEN 'challenger' WHEN 's' THEN 'shadow' END AS role
FROM outcome_rows o
LEFT JOIN series s USING (series_id);

CREATE OR REPLACE VIEW scores AS
SELECT s.symbol, s.interval, o.time, s.model, s.version, s.horizon, o.target_time, o.realised,
    o.absolute_error, o.naive_absolute_error, o.pinball, naive.pinball AS naive_pinball, o.interval_hit, o.direction_hit,
    CASE o.role WHEN 'c' THEN 'champion' WHEN 'h' THEN 'challenger' WHEN 's' THEN 'shadow' END AS role
FROM outcome_rows o
JOIN series s USING (series_id)
LEFT JOIN LATERAL (
    SELECT n.pinball
    FROM series t
    JOIN outcome_rows n USING (series_id)
    WHERE t.model = 'naive' AND (t.symbol, t.interval, t.horizon) = (s.symbol, s.interval, s.horizon)
        AND n.time = o.time AND n.status = 's' AND n.role = 'c'
    ORDER BY t.series_id DESC
    LIMIT 1
) naive ON true
WHERE o.status = 's';

-- What workers reported. Before, this table held when a worker started; the log of what served is model_deployments.
DROP TABLE model_events;
CREATE TABLE model_events (
    model text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    event text COLLATE "C" NOT NULL,
    fingerprint text COLLATE "C" NOT NULL,
    time timestamptz NOT NULL,
    number int8 NOT NULL,
    role text COLLATE "C",
    symbol text COLLATE "C",
    interval text COLLATE "C",
    reason text,
    UNIQUE NULLS NOT DISTINCT (model, version, event, time, number, symbol, interval)
);

-- The log of what was to serve when, by whose decision and on which evidence: rows are added and never change.
CREATE TABLE model_deployments (
    model text COLLATE "C" NOT NULL,
    number int8 NOT NULL CHECK (number > 0),
    action text COLLATE "C" NOT NULL,
    champion text COLLATE "C",
    challengers text[] NOT NULL,
    shadow text COLLATE "C",
    fingerprint text COLLATE "C" NOT NULL,
    time timestamptz NOT NULL,
    decided_by text NOT NULL,
    why text NOT NULL,
    evidence jsonb,
    PRIMARY KEY (model, number)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log % is append-only', TG_TABLE_NAME;
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON model_deployments
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE drift (
    model text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    detector text COLLATE "C" NOT NULL,
    time timestamptz NOT NULL,
    statistic float8,
    "limit" float8,
    interval text COLLATE "C" NOT NULL,
    symbol text COLLATE "C",
    horizon int8,
    since timestamptz,
    detail text NOT NULL,
    UNIQUE NULLS NOT DISTINCT (model, version, kind, detector, time, interval, symbol, horizon)
);

-- Two libraries that keep tables of their own here, each in a schema of its own: both call a table alembic_version.
CREATE SCHEMA mlflow;
CREATE SCHEMA optuna;
