-- What the page reads. A block begins with "-- name:". A symbol that is NULL is all symbols.

-- name: catalog
SELECT DISTINCT symbol, model FROM series WHERE interval = %(interval)s ORDER BY symbol, model;

-- name: newest
-- The newest forecast that was scored: one index look-up for each series.
SELECT max(last.time) FROM series AS s
CROSS JOIN LATERAL (
    SELECT time FROM outcome_rows WHERE series_id = s.series_id ORDER BY time DESC LIMIT 1
) AS last
WHERE s.interval = %(interval)s AND s.horizon = %(horizon)s AND (%(symbol)s::text IS NULL OR s.symbol = %(symbol)s);

-- name: hours
-- Each champion's sums by horizon and hour.
SELECT
    model, horizon, extract(epoch FROM hour)::int8, sum(scored)::float8, sum(pinball), sum(naive_pinball),
    sum(absolute_error), sum(naive_absolute_error), sum(intervals)::float8, sum(interval_hits)::float8
FROM score_hours
WHERE interval = %(interval)s AND role = 'champion' AND hour > %(since)s AND hour <= %(end)s
    AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
GROUP BY model, horizon, hour
ORDER BY model, horizon, hour;

-- name: series
SELECT series_id, symbol FROM series
WHERE interval = %(interval)s AND horizon = %(horizon)s AND model = %(model)s
    AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
ORDER BY series_id;

-- name: regimes
SELECT context_id, regime FROM contexts WHERE regime IS NOT NULL;

-- name: forecasts
-- The newest %(most)s forecasts of a champion that were scored. Each column comes as one value, the binary form of all its
-- rows one after the other: rows as Python's objects would keep the pages waiting.
SELECT
    string_agg(int4send(series_id), ''), string_agg(timestamptz_send(time), ''), string_agg(int4send(context_id), ''),
    string_agg(float8send(coalesce(mean, 'NaN')), ''), string_agg(float8send(coalesce(scale, 'NaN')), ''),
    string_agg(float8send(coalesce(q05, 'NaN')), ''), string_agg(float8send(coalesce(q10, 'NaN')), ''),
    string_agg(float8send(coalesce(q25, 'NaN')), ''), string_agg(float8send(coalesce(q50, 'NaN')), ''),
    string_agg(float8send(coalesce(q75, 'NaN')), ''), string_agg(float8send(coalesce(q90, 'NaN')), ''),
    string_agg(float8send(coalesce(q95, 'NaN')), ''), string_agg(float8send(coalesce(p_up, 'NaN')), ''),
    string_agg(float8send(coalesce(realised, 'NaN')), ''), string_agg(float8send(coalesce(pinball, 'NaN')), ''),
    string_agg(float8send(coalesce(absolute_error, 'NaN')), ''),
    string_agg(float8send(coalesce(naive_absolute_error, 'NaN')), ''),
    string_agg(float8send(coalesce(interval_hit::int::float8, 'NaN')), '')
FROM (
    SELECT o.*, p.context_id, p.mean, p.scale, p.q05, p.q10, p.q25, p.q50, p.q75, p.q90, p.q95, p.p_up
    FROM outcome_rows AS o
    JOIN prediction_rows AS p USING (series_id, time)
    WHERE o.series_id = ANY(%(series)s) AND p.series_id = ANY(%(series)s) AND o.status = 's' AND o.role = 'c'
        AND o.time > %(since)s AND o.time <= %(end)s AND p.time > %(since)s AND p.time <= %(end)s
    ORDER BY o.time DESC
    LIMIT %(most)s
) AS newest;

-- name: sharpness
-- The width of each champion's 90 %% interval, in log return: its quantiles over the window.
SELECT s.model, count(*), percentile_cont(ARRAY[0.05, 0.25, 0.5, 0.75, 0.95]) WITHIN GROUP (ORDER BY p.q95 - p.q05)
FROM series AS s
JOIN prediction_rows AS p USING (series_id)
WHERE s.interval = %(interval)s AND s.horizon = %(horizon)s AND (%(symbol)s::text IS NULL OR s.symbol = %(symbol)s)
    AND p.time > %(since)s AND p.time <= %(end)s AND p.q05 IS NOT NULL AND p.q95 IS NOT NULL
    AND p.context_id IN (SELECT context_id FROM contexts WHERE role = 'champion')
GROUP BY s.model
ORDER BY s.model;
