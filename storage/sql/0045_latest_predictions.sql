-- What each model's champion said last, a row for each horizon: one look-up for each series, where the newest rows of
-- `predictions` are found by reading them all. Of several versions of a model the newest row counts.
CREATE VIEW latest_predictions AS
SELECT DISTINCT ON (s.symbol, s.interval, s.model, s.horizon)
    s.symbol, s.interval, p.time, s.model, s.version, s.horizon, c.fingerprint, c.regime, p.price,
    p.mean, p.scale, p.q05, p.q10, p.q25, p.q50, p.q75, p.q90, p.q95, p.p_up, p.weights, c.expired, p.dissimilarity
FROM series s
CROSS JOIN LATERAL (
    SELECT * FROM prediction_rows r WHERE r.series_id = s.series_id ORDER BY r.time DESC LIMIT 1
) p
JOIN contexts c USING (context_id)
WHERE c.role = 'champion'
ORDER BY s.symbol, s.interval, s.model, s.horizon, p.time DESC, s.version DESC;
