-- What each model counted in a combination of several, by the models' names; null for a model that combines none.
ALTER TABLE prediction_rows ADD COLUMN weights jsonb;

CREATE OR REPLACE VIEW predictions AS
SELECT s.symbol, s.interval, p.time, s.model, s.version, s.horizon, c.fingerprint, c.regime, p.price,
    p.mean, p.scale, p.q05, p.q10, p.q25, p.q50, p.q75, p.q90, p.q95, p.p_up, p.weights
FROM prediction_rows p
LEFT JOIN series s USING (series_id)
LEFT JOIN contexts c USING (context_id);
