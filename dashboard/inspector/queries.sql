-- What the inspector reads. A block begins with "-- name:".

-- name: series
-- Every (symbol, interval) that has features, by skipping from one to the next through the primary key.
WITH RECURSIVE found AS (
    (SELECT symbol, interval FROM features ORDER BY symbol, interval LIMIT 1)
    UNION ALL
    SELECT later.symbol, later.interval
    FROM found
    CROSS JOIN LATERAL (
        SELECT symbol, interval FROM features
        WHERE (symbol, interval) > (found.symbol, found.interval)
        ORDER BY symbol, interval
        LIMIT 1
    ) AS later
)
SELECT symbol, interval FROM found LIMIT 500;

-- name: newest
-- The newest forecast of one version that carries weights.
SELECT max(p.time)
FROM series AS s
CROSS JOIN LATERAL (
    SELECT time FROM prediction_rows WHERE series_id = s.series_id AND weights IS NOT NULL ORDER BY time DESC LIMIT 1
) AS p
WHERE s.symbol = %(symbol)s AND s.interval = %(interval)s AND s.model = %(model)s AND s.version = %(version)s
    AND s.horizon = %(horizon)s;

-- name: weights
-- Each model's mean weight in steps of `step`, over the time before `end`.
SELECT (extract(epoch FROM time_bucket(%(step)s, p.time)) * 1000)::float8, part.key, avg(part.value::float8), count(*)
FROM series AS s
JOIN prediction_rows AS p USING (series_id)
CROSS JOIN LATERAL jsonb_each_text(p.weights) AS part
WHERE s.symbol = %(symbol)s AND s.interval = %(interval)s AND s.model = %(model)s AND s.version = %(version)s
    AND s.horizon = %(horizon)s AND p.time > %(end)s - %(span)s AND p.time <= %(end)s AND p.weights IS NOT NULL
GROUP BY 1, 2
ORDER BY 1, 2;

-- name: by_regime
SELECT coalesce(c.regime, ''), part.key, avg(part.value::float8), count(*)
FROM series AS s
JOIN prediction_rows AS p USING (series_id)
LEFT JOIN contexts AS c USING (context_id)
CROSS JOIN LATERAL jsonb_each_text(p.weights) AS part
WHERE s.symbol = %(symbol)s AND s.interval = %(interval)s AND s.model = %(model)s AND s.version = %(version)s
    AND s.horizon = %(horizon)s AND p.time > %(end)s - %(span)s AND p.time <= %(end)s AND p.weights IS NOT NULL
GROUP BY 1, 2
ORDER BY 1, 2;
