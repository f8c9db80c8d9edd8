-- Adding a batch's sums read all of `score_sums` as it grew (12 ms of a batch): the plan was kept from when the table was small,
-- and the look-up went through every version of a model that there ever was. Now it goes by hour, always through the index; what
-- the planner then takes for costly is not worth compiling.
CREATE INDEX score_sums_hour ON score_sums (hour);

CREATE OR REPLACE FUNCTION add_scores(added score_sums[]) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off AS $$
BEGIN
    INSERT INTO score_sums AS t SELECT * FROM unnest(added) ORDER BY series_id, hour, role
    ON CONFLICT (series_id, hour, role) DO UPDATE SET
        scored = t.scored + excluded.scored,
        paired = t.paired + excluded.paired,
        unpaired = t.unpaired + excluded.unpaired,
        intervals = t.intervals + excluded.intervals,
        interval_hits = t.interval_hits + excluded.interval_hits,
        directions = t.directions + excluded.directions,
        direction_hits = t.direction_hits + excluded.direction_hits,
        pinball = coalesce(t.pinball + excluded.pinball, t.pinball, excluded.pinball),
        naive_pinball = coalesce(t.naive_pinball + excluded.naive_pinball, t.naive_pinball, excluded.naive_pinball),
        absolute_error = coalesce(t.absolute_error + excluded.absolute_error, t.absolute_error, excluded.absolute_error),
        naive_absolute_error = coalesce(
            t.naive_absolute_error + excluded.naive_absolute_error, t.naive_absolute_error, excluded.naive_absolute_error
        );
    PERFORM forget_scores(array_agg(odd.series_id), array_agg(odd.hour)) FROM (
        SELECT min(t.series_id) AS series_id, t.hour
        FROM (SELECT DISTINCT hour FROM unnest(added)) h
        CROSS JOIN LATERAL (SELECT * FROM score_sums r WHERE r.hour = h.hour OFFSET 0) t
        JOIN series s USING (series_id)
        WHERE (s.symbol, s.interval, s.horizon, t.hour) IN (
            SELECT w.symbol, w.interval, w.horizon, a.hour FROM unnest(added) a JOIN series w USING (series_id)
        )
        GROUP BY s.symbol, s.interval, s.horizon, t.hour
        HAVING bool_or(t.unpaired > 0) AND bool_or(s.model = 'naive' AND t.role = 'c')
            OR count(DISTINCT t.series_id) FILTER (WHERE s.model = 'naive' AND t.role = 'c') > 1
    ) odd;
END $$;

CREATE OR REPLACE FUNCTION sum_scores(quiet interval, most int) RETURNS int LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off AS $$
DECLARE
    hours stale_score_hours[];
    stale stale_score_hours;
BEGIN
    IF NOT EXISTS (SELECT FROM stale_score_hours WHERE touched <= now() - quiet) THEN
        RETURN 0;
    END IF;
    LOCK TABLE score_sums IN EXCLUSIVE MODE;
    SELECT array_agg(h) INTO hours FROM (
        SELECT * FROM stale_score_hours s WHERE s.touched <= now() - quiet ORDER BY s.touched LIMIT most
    ) h;
    FOREACH stale IN ARRAY coalesce(hours, '{}') LOOP
        DELETE FROM score_sums t USING series s
        WHERE t.hour = stale.hour AND s.series_id = t.series_id
            AND (s.symbol, s.interval) = (stale.symbol, stale.interval);
    END LOOP;
    INSERT INTO score_sums SELECT * FROM score_sums_of(hours);
    DELETE FROM stale_score_hours t USING unnest(hours) h
    WHERE (t.symbol, t.interval, t.hour) = (h.symbol, h.interval, h.hour);
    RETURN coalesce(cardinality(hours), 0);
END $$;
