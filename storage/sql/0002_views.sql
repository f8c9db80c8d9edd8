-- LEFT JOIN, though every row has its series: a join whose columns are not asked for is then dropped (count(*) reads the
-- rows alone), and a condition on symbol or model turns it into an inner one.
CREATE VIEW predictions AS
SELECT s.symbol, s.interval, p.time, s.model, s.version, s.horizon, c.fingerprint, c.regime, p.price,
    p.mean, p.scale, p.q05, p.q10, p.q25, p.q50, p.q75, p.q90, p.q95, p.p_up
FROM prediction_rows p
LEFT JOIN series s USING (series_id)
LEFT JOIN contexts c USING (context_id);

CREATE VIEW outcomes AS
SELECT s.symbol, s.interval, o.time, s.model, s.version, s.horizon, o.target_time,
    CASE o.status WHEN 's' THEN 'scored' WHEN 't' THEN 'stale' WHEN 'u' THEN 'unscored' END AS status,
    o.realised, o.absolute_error, o.naive_absolute_error, o.pinball, o.interval_hit, o.direction_hit
FROM outcome_rows o
LEFT JOIN series s USING (series_id);

-- Each outcome beside the naive model's for the same forecast. `naive_absolute_error` is that of a zero forecast (it is in
-- the record); `naive_pinball` is the naive model's own. Where naive has several versions of one outcome, the newest counts.
CREATE VIEW scores AS
SELECT s.symbol, s.interval, o.time, s.model, s.version, s.horizon, o.target_time, o.realised,
    o.absolute_error, o.naive_absolute_error, o.pinball, naive.pinball AS naive_pinball, o.interval_hit, o.direction_hit
FROM outcome_rows o
JOIN series s USING (series_id)
LEFT JOIN LATERAL (
    SELECT n.pinball
    FROM series t
    JOIN outcome_rows n USING (series_id)
    WHERE t.model = 'naive' AND (t.symbol, t.interval, t.horizon) = (s.symbol, s.interval, s.horizon)
        AND n.time = o.time AND n.status = 's'
    ORDER BY t.series_id DESC
    LIMIT 1
) naive ON true
WHERE o.status = 's';
