-- What the page reads. A block begins with "-- name:"; each is bounded by an index range or a LIMIT. Predictions and outcomes
-- are read from their rows, not from the views of the same names: through a view the newest row is no index look-up.
-- Of a model only the champion's forecasts are shown; those of its other versions are only scored.

-- name: series
-- Every (symbol, interval) by skipping from one to the next through the primary key: a few look-ups, not a scan.
WITH RECURSIVE found AS (
    (SELECT symbol, interval FROM bars ORDER BY symbol, interval LIMIT 1)
    UNION ALL
    SELECT later.symbol, later.interval
    FROM found
    CROSS JOIN LATERAL (
        SELECT symbol, interval FROM bars
        WHERE (symbol, interval) > (found.symbol, found.interval)
        ORDER BY symbol, interval
        LIMIT 1
    ) AS later
)
SELECT symbol, interval FROM found LIMIT 500;

-- name: newest
-- The newest of each record, and of the forecasts and outcomes the sum of the newest times: what says whether anything must be
-- read again. One index look-up for each series.
SELECT
    (SELECT max(time) FROM bars WHERE symbol = %(symbol)s AND interval = %(interval)s) AS bar,
    max(said.time) AS prediction,
    max(came.time) AS outcome,
    (SELECT max(time) FROM regimes WHERE symbol = %(symbol)s AND interval = %(interval)s) AS regime,
    (
        coalesce(sum(extract(epoch FROM said.time)), 0) + coalesce(sum(extract(epoch FROM came.time)), 0)
    )::float8 AS reached
FROM series AS s
LEFT JOIN LATERAL (
    SELECT time FROM prediction_rows WHERE series_id = s.series_id ORDER BY time DESC LIMIT 1
) AS said ON true
LEFT JOIN LATERAL (
    SELECT time FROM outcome_rows WHERE series_id = s.series_id ORDER BY time DESC LIMIT 1
) AS came ON true
WHERE s.symbol = %(symbol)s AND s.interval = %(interval)s;

-- name: newest_until
-- The same of a moment of the past: the newest of each record up to the bar at %(bar)s, the last that had ended.
SELECT
    (SELECT max(time) FROM bars WHERE symbol = %(symbol)s AND interval = %(interval)s AND time <= %(bar)s),
    (
        SELECT max(last.time) FROM series AS s
        CROSS JOIN LATERAL (
            SELECT time FROM prediction_rows WHERE series_id = s.series_id AND time <= %(bar)s ORDER BY time DESC LIMIT 1
        ) AS last
        WHERE s.symbol = %(symbol)s AND s.interval = %(interval)s
    ),
    (SELECT max(time) FROM regimes WHERE symbol = %(symbol)s AND interval = %(interval)s AND time <= %(bar)s);

-- name: models
SELECT DISTINCT model FROM series WHERE symbol = %(symbol)s AND interval = %(interval)s ORDER BY model;

-- name: latest
-- What is shown of the series whatever part of it is drawn: its last close, that of %(span)s before, its first bar, its regime.
SELECT
    (
        SELECT close FROM bars
        WHERE symbol = %(symbol)s AND interval = %(interval)s AND time <= %(newest)s
        ORDER BY time DESC
        LIMIT 1
    ),
    (
        SELECT close FROM bars
        WHERE symbol = %(symbol)s AND interval = %(interval)s AND time > %(newest)s - %(span)s
        ORDER BY time
        LIMIT 1
    ),
    (SELECT min(time) FROM bars WHERE symbol = %(symbol)s AND interval = %(interval)s),
    now.state,
    (now.posterior ->> now.state)::float8
FROM (SELECT) AS nothing
LEFT JOIN LATERAL (
    SELECT state, posterior FROM regimes
    WHERE symbol = %(symbol)s AND interval = %(interval)s AND time <= %(newest)s
    ORDER BY time DESC
    LIMIT 1
) AS now ON true;

-- name: bars
SELECT (extract(epoch FROM time) * 1000)::float8, open, high, low, close, volume
FROM bars
WHERE symbol = %(symbol)s AND interval = %(interval)s AND time >= %(start)s AND time <= %(end)s
ORDER BY time;

-- name: bars_by_frame
-- The same in candles of %(frame)s, each at the time of its first bar.
SELECT
    (extract(epoch FROM time_bucket(%(frame)s, time)) * 1000)::float8 AS start,
    first(open, time), max(high), min(low), last(close, time), sum(volume)
FROM bars
WHERE symbol = %(symbol)s AND interval = %(interval)s AND time >= %(start)s AND time <= %(end)s
GROUP BY start
ORDER BY start;

-- name: resolved
-- The forecasts of one model and horizon that have come true, at the time for which they were made, and when they were. Where two versions
-- spoke at the same bar, the one whose name sorts last is shown.
SELECT DISTINCT ON (o.time)
    (extract(epoch FROM o.target_time) * 1000)::float8,
    p.price * exp(p.q05), p.price * exp(p.q95), p.price * exp(o.realised), o.interval_hit::int,
    (extract(epoch FROM o.time) * 1000)::float8
FROM series AS s
JOIN outcome_rows AS o USING (series_id)
JOIN prediction_rows AS p USING (series_id, time)
WHERE s.symbol = %(symbol)s AND s.interval = %(interval)s AND s.model = %(model)s AND s.horizon = %(horizon)s
    AND o.time >= %(start)s - %(horizon)s * %(step)s AND o.time <= %(end)s - %(horizon)s * %(step)s
    AND p.time >= %(start)s - %(horizon)s * %(step)s AND p.time <= %(end)s - %(horizon)s * %(step)s
    AND o.status = 's' AND o.role = 'c'
ORDER BY o.time, s.version DESC;

-- name: resolved_by_frame
-- The same, of each candle of %(frame)s the last that came true in it.
SELECT DISTINCT ON (start)
    (extract(epoch FROM time_bucket(%(frame)s, o.target_time)) * 1000)::float8 AS start,
    p.price * exp(p.q05), p.price * exp(p.q95), p.price * exp(o.realised), o.interval_hit::int,
    (extract(epoch FROM o.time) * 1000)::float8
FROM series AS s
JOIN outcome_rows AS o USING (series_id)
JOIN prediction_rows AS p USING (series_id, time)
WHERE s.symbol = %(symbol)s AND s.interval = %(interval)s AND s.model = %(model)s AND s.horizon = %(horizon)s
    AND o.time >= %(start)s - %(horizon)s * %(step)s AND o.time <= %(end)s - %(horizon)s * %(step)s
    AND p.time >= %(start)s - %(horizon)s * %(step)s AND p.time <= %(end)s - %(horizon)s * %(step)s
    AND o.status = 's' AND o.role = 'c'
ORDER BY start, o.target_time DESC, s.version DESC;

-- name: fan
-- The newest forecast of one model, a row for each horizon. One that is older than the %(span)s up to the newest bar is none.
WITH said AS (
    SELECT s.horizon, s.version, last.*
    FROM series AS s
    CROSS JOIN LATERAL (
        SELECT time, price, q05, q10, q25, q50, q75, q90, q95, p_up
        FROM prediction_rows AS p
        WHERE p.series_id = s.series_id AND p.time > %(newest)s - %(span)s AND p.time <= %(newest)s
            AND p.context_id IN (SELECT context_id FROM contexts WHERE role = 'champion')
        ORDER BY p.time DESC
        LIMIT 1
    ) AS last
    WHERE s.symbol = %(symbol)s AND s.interval = %(interval)s AND s.model = %(model)s
)
SELECT DISTINCT ON (horizon)
    (extract(epoch FROM time) * 1000)::float8, price, horizon, q05, q10, q25, q50, q75, q90, q95, p_up
FROM said
WHERE time = (SELECT max(time) FROM said)
ORDER BY horizon, version DESC;

-- name: regimes
SELECT (extract(epoch FROM time) * 1000)::float8, state
FROM regimes
WHERE symbol = %(symbol)s AND interval = %(interval)s AND time >= %(start)s AND time <= %(end)s
ORDER BY time;

-- name: regimes_by_frame
-- The last of each candle of %(frame)s.
SELECT (extract(epoch FROM time_bucket(%(frame)s, time)) * 1000)::float8 AS start, last(state, time)
FROM regimes
WHERE symbol = %(symbol)s AND interval = %(interval)s AND time >= %(start)s AND time <= %(end)s
GROUP BY start
ORDER BY start;

-- name: coverage_alarm
-- The newest alarm of the drift monitor about the coverage of the version in service, if it is of the last %(lasting)s of the
-- data: what the monitor finds significant, and since when. The version is that of the model's newest forecast.
SELECT d.detail, (extract(epoch FROM coalesce(d.since, d.time)) * 1000)::float8, d.horizon
FROM drift AS d
WHERE d.model = %(model)s AND d.interval = %(interval)s AND d.kind = 'coverage'
    AND (d.symbol IS NULL OR d.symbol = %(symbol)s)
    AND d.time > %(newest)s - %(lasting)s AND d.time <= %(newest)s + %(later)s
    AND d.version = (
        SELECT s.version FROM series AS s
        CROSS JOIN LATERAL (
            SELECT time FROM prediction_rows AS p
            WHERE p.series_id = s.series_id
                AND p.context_id IN (SELECT context_id FROM contexts WHERE role = 'champion')
                AND p.time <= %(newest)s
            ORDER BY time DESC
            LIMIT 1
        ) AS last
        WHERE s.symbol = %(symbol)s AND s.interval = %(interval)s AND s.model = %(model)s
        ORDER BY last.time DESC
        LIMIT 1
    )
ORDER BY d.time DESC
LIMIT 1;

-- name: scores
-- Coverage and skill in buckets of %(bucket)s, each over the %(rolling)s buckets that end with it. Skill is against the
-- naive forecasts of the very same bars (of several versions the newest, as in the view `scores`), so that no model gains by
-- making no forecast when it is hard.
-- They are set beside each other by a window, not by a join: tables that were just filled have no statistics yet, and a
-- join planned without them took minutes.
WITH scored AS (
    SELECT
        s.model, o.target_time, o.pinball, o.interval_hit, o.direction_hit, o.absolute_error,
        (max(ARRAY[s.series_id, o.pinball]) FILTER (WHERE s.model = %(baseline)s) OVER same_bar)[2] AS naive_pinball
    FROM series AS s
    JOIN outcome_rows AS o USING (series_id)
    WHERE s.symbol = %(symbol)s AND s.interval = %(interval)s AND s.horizon = %(horizon)s
        AND o.time > %(since)s AND o.time <= %(end)s AND o.status = 's' AND o.role = 'c'
    WINDOW same_bar AS (PARTITION BY o.time)
),
buckets AS (
    SELECT
        model,
        time_bucket(%(bucket)s, target_time) AS bucket,
        count(interval_hit) AS scored,
        count(*) FILTER (WHERE interval_hit) AS hits,
        sum(pinball) FILTER (WHERE naive_pinball IS NOT NULL) AS pinball,
        sum(naive_pinball) FILTER (WHERE pinball IS NOT NULL) AS naive_pinball,
        count(direction_hit) AS moved,
        count(*) FILTER (WHERE direction_hit) AS directions,
        sum(absolute_error) AS absolute_error,
        count(absolute_error) AS errors
    FROM scored
    GROUP BY model, bucket
),
rolled AS (
    SELECT
        model, bucket,
        sum(scored) OVER latest AS scored, sum(hits) OVER latest AS hits,
        sum(pinball) OVER latest AS pinball, sum(naive_pinball) OVER latest AS naive_pinball,
        sum(moved) OVER latest AS moved, sum(directions) OVER latest AS directions,
        sum(absolute_error) OVER latest AS absolute_error, sum(errors) OVER latest AS errors
    FROM buckets
    WINDOW latest AS (
        PARTITION BY model ORDER BY bucket RANGE BETWEEN %(rolling)s PRECEDING AND CURRENT ROW
    )
)
SELECT
    model,
    (extract(epoch FROM bucket + %(bucket)s) * 1000)::float8,
    scored,
    (hits / nullif(scored, 0))::float8,
    skill_of(pinball, naive_pinball),
    (directions / nullif(moved, 0))::float8,
    moved,
    (absolute_error / nullif(errors, 0))::float8
FROM rolled
-- The buckets before were read to fill the windows of those after them; their own windows are cut off.
WHERE scored >= %(least)s AND bucket >= %(since)s + %(rolling)s + %(bucket)s
ORDER BY model, bucket;

-- name: inserted
-- Rows ever inserted, from the server's own statistics: no table is read. A hypertable's rows are in its chunks.
SELECT
    (SELECT sum(pg_stat_get_tuples_inserted(inhrelid)) FROM pg_inherits WHERE inhparent = 'bars'::regclass),
    (SELECT sum(pg_stat_get_tuples_inserted(inhrelid)) FROM pg_inherits WHERE inhparent = 'prediction_rows'::regclass);
