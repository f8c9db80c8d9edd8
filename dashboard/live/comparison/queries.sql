-- What the table of models and horizons reads of one symbol. A block begins with "-- name:".

-- name: said
-- The newest forecast of each model's champion, or the newest until %(until)s, a row for each horizon: one index look-up for each series.
SELECT DISTINCT ON (s.model, s.horizon)
    s.model, s.horizon, (extract(epoch FROM last.time) * 1000)::float8,
    last.price, last.q05, last.q10, last.q50, last.q90, last.q95, last.p_up
FROM series AS s
CROSS JOIN LATERAL (
    SELECT * FROM prediction_rows AS p
    WHERE p.series_id = s.series_id AND p.time <= %(until)s
    ORDER BY time DESC
    LIMIT 1
) AS last
JOIN contexts AS c USING (context_id)
WHERE s.symbol = %(symbol)s AND s.interval = %(interval)s AND c.role = 'champion'
ORDER BY s.model, s.horizon, last.time DESC, s.version DESC;

-- name: skill
-- Each champion's skill over the last %(span)s of whole hours whose forecasts had all come true by %(until)s.
SELECT model, horizon, skill_of(sum(pinball), sum(naive_pinball)), sum(paired)::int8
FROM score_hours
WHERE symbol = %(symbol)s AND interval = %(interval)s AND role = 'champion'
    AND hour + '1 hour'::interval + horizon * %(step)s::interval <= %(until)s
    AND hour + '1 hour'::interval + horizon * %(step)s::interval > %(until)s - %(span)s::interval
GROUP BY model, horizon
HAVING sum(paired) > 0;

-- name: newest
SELECT max(time) FROM bars WHERE symbol = %(symbol)s AND interval = %(interval)s;
