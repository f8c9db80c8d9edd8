-- The scores of each series, summed over the forecasts of an hour: a sum over a month of twenty symbols is then one over 170,000
-- rows and not over ten million (the Apache edition of TimescaleDB has no continuous aggregates). `pinball` and `naive_pinball` are
-- the sums over the `paired` rows, which have both losses for the same bar; `unpaired` have their own and not the naive one's.
CREATE TABLE score_sums (
    hour timestamptz NOT NULL,
    series_id int NOT NULL,
    role "char" NOT NULL,
    scored int NOT NULL,
    paired int NOT NULL,
    unpaired int NOT NULL,
    intervals int NOT NULL,
    interval_hits int NOT NULL,
    directions int NOT NULL,
    direction_hits int NOT NULL,
    pinball float8,
    naive_pinball float8,
    absolute_error float8,
    naive_absolute_error float8,
    PRIMARY KEY (series_id, hour, role)
) WITH (fillfactor = 70);

-- The hours whose sums are not those of their outcomes any more. `score_hours` sums these for every question, so that it is
-- never behind; `sum_scores` puts the sums right.
CREATE TABLE stale_score_hours (
    symbol text COLLATE "C" NOT NULL,
    interval text COLLATE "C" NOT NULL,
    hour timestamptz NOT NULL,
    touched timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (symbol, interval, hour)
);

-- The sums of these hours from their outcomes. OFFSET 0 keeps the outcomes behind their index, however many hours are expected.
CREATE FUNCTION score_sums_of(hours stale_score_hours[]) RETURNS SETOF score_sums LANGUAGE sql STABLE
SET jit = off SET work_mem = '64MB' AS $$
    WITH scored AS (
        SELECT h.hour, s.series_id, o.role, o.pinball, o.absolute_error, o.naive_absolute_error, o.interval_hit,
            o.direction_hit, first_value(o.pinball) OVER same_bar AS naive_pinball,
            first_value(s.model = 'naive' AND o.role = 'c') OVER same_bar AS has_naive
        FROM unnest(hours) WITH ORDINALITY AS h(symbol, interval, hour, touched, number)
        JOIN series s ON (s.symbol, s.interval) = (h.symbol, h.interval)
        CROSS JOIN LATERAL (
            SELECT * FROM outcome_rows r
            WHERE r.series_id = s.series_id AND r.time >= h.hour AND r.time < h.hour + interval '1 hour' AND r.status = 's'
            OFFSET 0
        ) o
        WINDOW same_bar AS (
            PARTITION BY h.number, s.horizon, o.time
            ORDER BY (s.model = 'naive' AND o.role = 'c') DESC, s.series_id DESC
        )
    ),
    paired AS (
        SELECT *, has_naive AND pinball IS NOT NULL AND naive_pinball IS NOT NULL AS pair FROM scored
    )
    SELECT hour, series_id, role, count(*)::int,
        (count(*) FILTER (WHERE pair))::int, (count(pinball) FILTER (WHERE NOT pair))::int,
        count(interval_hit)::int, (count(*) FILTER (WHERE interval_hit))::int,
        count(direction_hit)::int, (count(*) FILTER (WHERE direction_hit))::int,
        sum(pinball) FILTER (WHERE pair), sum(naive_pinball) FILTER (WHERE pair),
        sum(absolute_error) FILTER (WHERE naive_absolute_error IS NOT NULL),
        sum(naive_absolute_error) FILTER (WHERE absolute_error IS NOT NULL)
    FROM paired
    GROUP BY hour, series_id, role
$$;

-- Says in the transaction that changes outcomes of these series and hours that their sums hold no more. Each that changes
-- `score_sums` or this locks the table against `sum_scores`, and none against another.
CREATE FUNCTION forget_scores(series int[], hours timestamptz[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE score_sums IN ROW EXCLUSIVE MODE;
    INSERT INTO stale_score_hours AS known (symbol, interval, hour)
    SELECT DISTINCT s.symbol, s.interval, w.hour
    FROM unnest(series, hours) AS w(series_id, hour) JOIN series s USING (series_id) ORDER BY 1, 2, 3
    ON CONFLICT (symbol, interval, hour) DO UPDATE SET touched = excluded.touched;
END $$;

-- Adds the sums of outcomes that are all new, in their transaction. Where a forecast came before the naive one of its bar, or
-- the naive model has two versions in an hour, these are not the whole: the hour is forgotten.
CREATE FUNCTION add_scores(added score_sums[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO score_sums AS t SELECT * FROM unnest(added) ORDER BY series_id, hour, role
    ON CONFLICT (series_id, hour, role) DO UPDATE SET
        scored = t.scored + excluded.scored,
        paired = t.paired + excluded.paired,
        unpaired = t.unpaired + excluded.unpaired,
        intervals = t.intervals + excluded.intervals,
        interval_hits = t.interval_hits + excluded.interval_hits,
        directions = t.directions + excluded.directions,
        direction_hits = t.direction_hits + excluded.direction_hits,
        pinball = coalesce(t.pinball + excluded.pinball, t.pinball, excluded.pinball),
        naive_pinball = coalesce(t.naive_pinball + excluded.naive_pinball, t.naive_pinball, excluded.naive_pinball),
        absolute_error = coalesce(t.absolute_error + excluded.absolute_error, t.absolute_error, excluded.absolute_error),
        naive_absolute_error = coalesce(
            t.naive_absolute_error + excluded.naive_absolute_error, t.naive_absolute_error, excluded.naive_absolute_error
        );
    PERFORM forget_scores(array_agg(odd.series_id), array_agg(odd.hour)) FROM (
        SELECT min(s.series_id) AS series_id, w.hour
        FROM (
            SELECT DISTINCT s.symbol, s.interval, s.horizon, a.hour FROM unnest(added) a JOIN series s USING (series_id)
        ) w
        JOIN series s ON (s.symbol, s.interval, s.horizon) = (w.symbol, w.interval, w.horizon)
        JOIN score_sums t ON (t.series_id, t.hour) = (s.series_id, w.hour)
        GROUP BY w.symbol, w.interval, w.horizon, w.hour
        HAVING bool_or(t.unpaired > 0) AND bool_or(s.model = 'naive' AND t.role = 'c')
            OR count(DISTINCT s.series_id) FILTER (WHERE s.model = 'naive' AND t.role = 'c') > 1
    ) odd;
END $$;

-- Sums at most that many hours anew in which nothing was written for `quiet`, and returns how many.
CREATE FUNCTION sum_scores(quiet interval, most int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    hours stale_score_hours[];
BEGIN
    IF NOT EXISTS (SELECT FROM stale_score_hours WHERE touched <= now() - quiet) THEN
        RETURN 0;
    END IF;
    LOCK TABLE score_sums IN EXCLUSIVE MODE;
    SELECT array_agg(h) INTO hours FROM (
        SELECT * FROM stale_score_hours s WHERE s.touched <= now() - quiet ORDER BY s.touched LIMIT most
    ) h;
    DELETE FROM score_sums t USING unnest(hours) h JOIN series s ON (s.symbol, s.interval) = (h.symbol, h.interval)
    WHERE t.series_id = s.series_id AND t.hour = h.hour;
    INSERT INTO score_sums SELECT * FROM score_sums_of(hours);
    DELETE FROM stale_score_hours t USING unnest(hours) h
    WHERE (t.symbol, t.interval, t.hour) = (h.symbol, h.interval, h.hour);
    RETURN coalesce(cardinality(hours), 0);
END $$;

CREATE VIEW score_hours AS
SELECT s.symbol, s.interval, t.hour, s.model, s.version, s.horizon,
    CASE t.role WHEN 'c' THEN 'champion' WHEN 'h' THEN 'challenger' WHEN 's' THEN 'shadow' END AS role,
    t.scored, t.paired, t.pinball, t.naive_pinball, t.absolute_error, t.naive_absolute_error,
    t.intervals, t.interval_hits, t.directions, t.direction_hits
FROM (
    SELECT kept.* FROM score_sums kept
    WHERE NOT EXISTS (
        SELECT FROM stale_score_hours h JOIN series s ON (s.symbol, s.interval) = (h.symbol, h.interval)
        WHERE s.series_id = kept.series_id AND h.hour = kept.hour
    )
    UNION ALL
    SELECT fresh.* FROM (SELECT array_agg(h) AS hours FROM stale_score_hours h) stale
    CROSS JOIN LATERAL score_sums_of(stale.hours) fresh
) t
JOIN series s USING (series_id);

-- What was stored before is summed here, some hundred hours at a time.
INSERT INTO stale_score_hours (symbol, interval, hour)
SELECT DISTINCT s.symbol, s.interval, o.hour
FROM (SELECT DISTINCT series_id, time_bucket(interval '1 hour', time) AS hour FROM outcome_rows) o JOIN series s USING (series_id);
ANALYZE series, stale_score_hours;
DO $$ BEGIN WHILE sum_scores(interval '0', 500) > 0 LOOP END LOOP; END $$;
