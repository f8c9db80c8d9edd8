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

-- name: over_time
-- Each champion's scores in steps of %(step)s, each over the %(rolling)s that end with it.
WITH steps AS (
    SELECT
        model, time_bucket(%(step)s, hour) AS step,
        sum(scored) AS scored, sum(pinball) AS pinball, sum(naive_pinball) AS naive_pinball,
        sum(intervals) AS intervals, sum(interval_hits) AS hits
    FROM score_hours
    WHERE interval = %(interval)s AND horizon = %(horizon)s AND role = 'champion'
        AND hour > %(since)s - %(rolling)s AND hour <= %(end)s
        AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
    GROUP BY model, step
),
rolled AS (
    SELECT
        model, step,
        sum(scored) OVER latest AS scored, sum(pinball) OVER latest AS pinball,
        sum(naive_pinball) OVER latest AS naive_pinball,
        sum(intervals) OVER latest AS intervals, sum(hits) OVER latest AS hits
    FROM steps
    WINDOW latest AS (
        PARTITION BY model ORDER BY step RANGE BETWEEN %(rolling)s - %(step)s PRECEDING AND CURRENT ROW
    )
)
SELECT
    model, (extract(epoch FROM least(step + %(step)s, %(end)s)) * 1000)::float8, scored::float8,
    skill_of(pinball, naive_pinball), (hits::float8 / nullif(intervals, 0))
FROM rolled
WHERE step >= %(since)s AND scored >= %(least)s
ORDER BY model, step;

-- name: board
-- Each champion's scores over the whole window, a row for each horizon.
SELECT
    model, horizon, sum(scored)::int8, skill_of(sum(pinball), sum(naive_pinball)),
    skill_of(sum(absolute_error), sum(naive_absolute_error)), (sum(interval_hits)::float8 / nullif(sum(intervals), 0))
FROM score_hours
WHERE interval = %(interval)s AND role = 'champion' AND hour > %(since)s AND hour <= %(end)s
    AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
GROUP BY model, horizon
ORDER BY model, horizon;

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
