-- What the page reads: all symbols of an interval at once. A block begins with "-- name:".

-- name: models
SELECT DISTINCT model FROM series WHERE interval = %(interval)s ORDER BY model;

-- name: active
-- The series of a model, and when each last spoke. There is a series for each version that ever was: this is asked from time
-- to time only, and what is read twice a second is of active series.
SELECT s.series_id, last.time
FROM series AS s
CROSS JOIN LATERAL (
    SELECT time FROM prediction_rows AS p WHERE p.series_id = s.series_id ORDER BY time DESC LIMIT 1
) AS last
WHERE s.interval = %(interval)s AND s.model = %(model)s;

-- name: now
-- The newest bar of each symbol, and its newest regime: two index look-ups each.
SELECT
    asked.symbol, (extract(epoch FROM bar.time) * 1000)::float8, bar.close, now.state
FROM unnest(%(symbols)s::text[]) AS asked(symbol)
CROSS JOIN LATERAL (
    SELECT time, close FROM bars
    WHERE symbol = asked.symbol AND interval = %(interval)s
    ORDER BY time DESC
    LIMIT 1
) AS bar
LEFT JOIN LATERAL (
    SELECT state FROM regimes
    WHERE symbol = asked.symbol AND interval = %(interval)s
    ORDER BY time DESC
    LIMIT 1
) AS now ON true;

-- name: said
-- The newest forecast of each of these series, and of those made since, if it is a champion's. Of two versions the one that
-- spoke last counts, as in `latest_predictions`.
SELECT DISTINCT ON (s.symbol, s.horizon)
    s.symbol, s.horizon, (extract(epoch FROM last.time) * 1000)::float8,
    last.price, last.q05, last.q10, last.q50, last.q90, last.q95, last.p_up
FROM series AS s
CROSS JOIN LATERAL (
    SELECT * FROM prediction_rows AS p WHERE p.series_id = s.series_id ORDER BY time DESC LIMIT 1
) AS last
JOIN contexts AS c USING (context_id)
WHERE (s.series_id = ANY (%(active)s) OR s.series_id > %(last)s) AND s.interval = %(interval)s AND s.model = %(model)s
    AND c.role = 'champion'
ORDER BY s.symbol, s.horizon, last.time DESC, s.version DESC;

-- name: past
-- The closes of these symbols over %(span)s up to each one's newest bar, at the end of each %(step)s.
SELECT
    asked.symbol, (extract(epoch FROM time_bucket(%(step)s, bar.time)) * 1000)::float8 AS start, last(bar.close, bar.time)
FROM unnest(%(symbols)s::text[], %(newest)s::timestamptz[]) AS asked(symbol, newest)
CROSS JOIN LATERAL (
    SELECT time, close FROM bars
    WHERE symbol = asked.symbol AND interval = %(interval)s AND time > asked.newest - %(span)s AND time <= asked.newest
) AS bar
GROUP BY asked.symbol, start
ORDER BY asked.symbol, start;
