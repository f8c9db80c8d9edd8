-- The champion before was the `shadow`; it is the `standby`. Where a letter stands for a role, that is `s`, as before.
ALTER TABLE model_deployments RENAME COLUMN shadow TO standby;
UPDATE contexts SET role = 'standby' WHERE role = 'shadow';
UPDATE model_events SET role = 'standby' WHERE role = 'shadow';
UPDATE model_skill SET role = 'standby' WHERE role = 'shadow';

-- Rules on a role, and the last role that each remembers: as MessagePack has the two words.
UPDATE alert_states s SET state = decode(replace(encode(s.state, 'hex'), 'a6736861646f77', 'a77374616e646279'), 'hex')
FROM alert_rules r
WHERE (r.name, r.version) = (s.rule, s.version) AND r.definition ->> 'on' = 'model-event'
    AND r.definition #>> '{when,field}' = 'role';
UPDATE alert_rules SET definition = jsonb_set(definition, '{when,word}', '"standby"')
WHERE definition ->> 'on' = 'model-event' AND definition #>> '{when,field}' = 'role'
    AND definition #>> '{when,word}' = 'shadow';

CREATE FUNCTION role_named(letter "char") RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE letter WHEN 'c' THEN 'champion' WHEN 'h' THEN 'challenger' WHEN 's' THEN 'standby' END
$$;

CREATE OR REPLACE VIEW outcomes AS
SELECT s.symbol, s.interval, o.time, s.model, s.version, s.horizon, o.target_time,
    CASE o.status WHEN 's' THEN 'scored' WHEN 't' THEN 'stale' WHEN 'u' THEN 'unscored' END AS status,
    o.realised, o.absolute_error, o.naive_absolute_error, o.pinball, o.interval_hit, o.direction_hit,
    role_named(o.role) AS role
FROM outcome_rows o
LEFT JOIN series s USING (series_id);

CREATE OR REPLACE VIEW scores AS
SELECT s.symbol, s.interval, o.time, s.model, s.version, s.horizon, o.target_time, o.realised,
    o.absolute_error, o.naive_absolute_error, o.pinball, naive.pinball AS naive_pinball, o.interval_hit, o.direction_hit,
    role_named(o.role) AS role
FROM outcome_rows o
JOIN series s USING (series_id)
LEFT JOIN LATERAL (
    SELECT n.pinball
    FROM series t
    JOIN outcome_rows n USING (series_id)
    WHERE t.model = 'naive' AND (t.symbol, t.interval, t.horizon) = (s.symbol, s.interval, s.horizon)
        AND n.time = o.time AND n.status = 's' AND n.role = 'c'
    ORDER BY t.series_id DESC
    LIMIT 1
) naive ON true
WHERE o.status = 's';

CREATE OR REPLACE VIEW score_hours AS
SELECT s.symbol, s.interval, t.hour, s.model, s.version, s.horizon, role_named(t.role) AS role,
    t.scored, t.paired, t.pinball, t.naive_pinball, t.absolute_error, t.naive_absolute_error,
    t.intervals, t.interval_hits, t.directions, t.direction_hits
FROM (
    SELECT kept.* FROM score_sums kept
    WHERE NOT EXISTS (
        SELECT FROM stale_score_hours h JOIN series s ON (s.symbol, s.interval) = (h.symbol, h.interval)
        WHERE s.series_id = kept.series_id AND h.hour = kept.hour
    )
    UNION ALL
    SELECT fresh.* FROM (SELECT array_agg(h) AS hours FROM stale_score_hours h) stale
    CROSS JOIN LATERAL score_sums_of(stale.hours) fresh
) t
JOIN series s USING (series_id);
