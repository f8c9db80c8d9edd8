-- What is drawn beside the bars, from %(start)s to %(until)s: what was known later is not read. Each block is bounded by
-- an index range, or by a LIMIT in a table that stays small.

-- name: closes
-- The closes of an earlier time, of bars or of candles of %(frame)s.
SELECT (extract(epoch FROM time_bucket(%(frame)s, time)) * 1000)::float8 AS start, last(close, time)
FROM bars
WHERE symbol = %(symbol)s AND interval = %(interval)s AND time >= %(start)s AND time <= %(end)s
GROUP BY start
ORDER BY start;

-- name: indicator_names
-- The columns of the newest row of features.
SELECT d.names FROM features AS f JOIN feature_definitions AS d USING (fingerprint)
WHERE f.symbol = %(symbol)s AND f.interval = %(interval)s
ORDER BY f.time DESC
LIMIT 1;

-- name: indicators
-- The columns %(names)s of the features, of each candle of %(frame)s the last. A column's place is its definition's.
WITH places AS MATERIALIZED (
    SELECT d.fingerprint, n.name, array_position(d.names, n.name) AS place
    FROM feature_definitions AS d CROSS JOIN unnest(%(names)s::text[]) AS n(name)
)
SELECT p.name, (extract(epoch FROM time_bucket(%(frame)s, f.time)) * 1000)::float8 AS start,
    last(f.values[p.place], f.time)
FROM features AS f JOIN places AS p USING (fingerprint)
WHERE f.symbol = %(symbol)s AND f.interval = %(interval)s AND f.time >= %(start)s AND f.time <= %(end)s
    AND p.place IS NOT NULL
GROUP BY p.name, start
ORDER BY p.name, start;

-- name: events
-- Kind, variant, from when and when it was, what it is about, why, by whom; of each kind the newest %(most)s.
-- A version is in service from the first bar that it forecast as champion; one that has not yet, from the decision on.
-- A retraining is at the newest bar that was stored when it was asked for.
(
    SELECT 'promotion' AS kind, d.action AS variant, NULL::float8 AS start,
        (extract(epoch FROM at.time) * 1000)::float8 AS time,
        concat_ws(' ', d.model, d.champion) AS subject, d.why AS why, d.decided_by AS by
    FROM model_deployments AS d
    CROSS JOIN LATERAL (
        SELECT coalesce(min(e.time), d.time) AS time FROM model_events AS e
        WHERE (e.model, e.version, e.event, e.number) = (d.model, d.champion, 'serving', d.number)
            AND (e.symbol, e.interval) = (%(symbol)s, %(interval)s)
    ) AS at
    WHERE d.action IN ('serve', 'promote', 'rollback', 'retire') AND at.time >= %(start)s AND at.time <= %(until)s
    ORDER BY at.time DESC LIMIT %(most)s
)
UNION ALL
(
    SELECT 'retrain', r.state, NULL, (extract(epoch FROM r.bar_time) * 1000)::float8, r.run_id, r.why, r.requested_by
    FROM pipeline_runs AS r
    WHERE r.bar_time >= %(start)s AND r.bar_time <= %(until)s
    ORDER BY r.bar_time DESC LIMIT %(most)s
)
UNION ALL
(
    SELECT 'drift', d.kind, (extract(epoch FROM d.since) * 1000)::float8, (extract(epoch FROM d.time) * 1000)::float8,
        concat_ws(' ', d.model, d.version), d.detail, d.detector
    FROM drift AS d
    WHERE d.interval = %(interval)s AND (d.symbol IS NULL OR d.symbol = %(symbol)s)
        AND d.time >= %(start)s AND d.time <= %(until)s
    ORDER BY d.time DESC LIMIT %(most)s
)
UNION ALL
(
    -- Known once trades have come again.
    SELECT 'gap', g.trades::text, (extract(epoch FROM g.start) * 1000)::float8,
        (extract(epoch FROM g."end") * 1000)::float8, g.venue, g.reason, coalesce(g.reader, '')
    FROM gaps AS g
    WHERE g.symbol IN (%(symbol)s, 'ALL') AND g."end" >= %(start)s AND g."end" <= %(until)s
    ORDER BY g."end" DESC LIMIT %(most)s
)
UNION ALL
(
    SELECT 'alert', a.severity, NULL, (extract(epoch FROM a.time) * 1000)::float8, a.rule, a.message,
        coalesce(a.model, '')
    FROM alerts AS a
    WHERE a.symbol IN (%(symbol)s, 'ALL') AND (a.interval IS NULL OR a.interval = %(interval)s)
        AND a.time >= %(start)s AND a.time <= %(until)s
    ORDER BY a.time DESC LIMIT %(most)s
);
