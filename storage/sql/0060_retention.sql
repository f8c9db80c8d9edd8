-- How long the rows of a table are kept, as whoever drops them last found it set, and what was dropped so far. `relation` has the
-- rows; `kept_days` is NULL where they are kept for ever.
CREATE TABLE table_retention (
    name text COLLATE "C" PRIMARY KEY,
    relation text COLLATE "C" NOT NULL,
    kept_days float8,
    applied_at timestamptz NOT NULL,
    dropped_before timestamptz,
    dropped_at timestamptz
);

-- Trades are most of all bytes, and kept for the shortest time: a chunk of a week is dropped sooner than one of a month. What is
-- stored already stays in the chunks that it is in.
SELECT set_chunk_time_interval('ticks', interval '7 days');

-- The sums of hours whose outcomes were dropped: they are final. Sums of such an hour that come later, as when old bars are
-- replayed again, are in score_sums as always, and do not count where there are final ones.
CREATE TABLE score_archive (LIKE score_sums INCLUDING ALL);

-- Makes the sums of all hours before that time final. The caller drops their outcomes in the same transaction.
CREATE FUNCTION archive_scores(before timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    hours stale_score_hours[];
BEGIN
    LOCK TABLE score_sums IN EXCLUSIVE MODE;
    SELECT array_agg(h) INTO hours FROM stale_score_hours h WHERE h.hour < before;
    IF hours IS NOT NULL THEN
        DELETE FROM score_sums t USING unnest(hours) h JOIN series s ON (s.symbol, s.interval) = (h.symbol, h.interval)
        WHERE t.series_id = s.series_id AND t.hour = h.hour;
        INSERT INTO score_sums SELECT * FROM score_sums_of(hours);
        DELETE FROM stale_score_hours h WHERE h.hour < before;
    END IF;
    INSERT INTO score_archive SELECT * FROM score_sums WHERE hour < before ON CONFLICT DO NOTHING;
    DELETE FROM score_sums WHERE hour < before;
END $$;

CREATE OR REPLACE VIEW score_hours AS
SELECT s.symbol, s.interval, t.hour, s.model, s.version, s.horizon, role_named(t.role) AS role,
    t.scored, t.paired, t.pinball, t.naive_pinball, t.absolute_error, t.naive_absolute_error,
    t.intervals, t.interval_hits, t.directions, t.direction_hits
FROM (
    SELECT final.* FROM score_archive final
    UNION ALL
    SELECT kept.* FROM score_sums kept
    WHERE NOT EXISTS (
        SELECT FROM stale_score_hours h JOIN series s ON (s.symbol, s.interval) = (h.symbol, h.interval)
        WHERE s.series_id = kept.series_id AND h.hour = kept.hour
    ) AND NOT EXISTS (
        SELECT FROM score_archive a WHERE (a.series_id, a.hour, a.role) = (kept.series_id, kept.hour, kept.role)
    )
    UNION ALL
    SELECT fresh.* FROM (SELECT array_agg(h) AS hours FROM stale_score_hours h) stale
    CROSS JOIN LATERAL score_sums_of(stale.hours) fresh
    WHERE NOT EXISTS (
        SELECT FROM score_archive a WHERE (a.series_id, a.hour, a.role) = (fresh.series_id, fresh.hour, fresh.role)
    )
) t
JOIN series s USING (series_id);
