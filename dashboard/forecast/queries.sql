-- What is shown of one forecast. A block begins with "-- name:"; each is a look-up by the key of its table.

-- name: said
-- The forecast of each version of the model at the bar for the horizon, the served one first; and the outcome.
SELECT
    s.version, c.role, c.fingerprint, c.regime, c.expired,
    p.price, p.mean, p.scale, p.q05, p.q10, p.q25, p.q50, p.q75, p.q90, p.q95, p.p_up, p.dissimilarity, p.weights,
    o.status::text, o.realised, o.absolute_error, o.naive_absolute_error, o.interval_hit, o.direction_hit
FROM series AS s
JOIN prediction_rows AS p ON p.series_id = s.series_id AND p.time = %(time)s
JOIN contexts AS c USING (context_id)
LEFT JOIN outcome_rows AS o ON o.series_id = s.series_id AND o.time = %(time)s
WHERE s.symbol = %(symbol)s AND s.interval = %(interval)s AND s.model = %(model)s AND s.horizon = %(horizon)s
ORDER BY c.role = 'champion' DESC, s.version DESC;

-- name: regime
SELECT state, (posterior ->> state)::float8, change_point
FROM regimes
WHERE symbol = %(symbol)s AND interval = %(interval)s AND time = %(time)s;

-- name: features
SELECT f.fingerprint, f.values, d.names
FROM features AS f
LEFT JOIN feature_definitions AS d USING (fingerprint)
WHERE f.symbol = %(symbol)s AND f.interval = %(interval)s AND f.time = %(time)s;

-- name: newest
SELECT max(time) FROM bars WHERE symbol = %(symbol)s AND interval = %(interval)s;
