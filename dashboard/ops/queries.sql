-- What the page reads. A block begins with "-- name:"; each is bounded by an index range or a LIMIT.

-- name: alerts
-- The newest alerts as they were made, whether they are acknowledged, and what became of them for each subscriber.
SELECT o.alert, o.made_at, o.published_at, seen.at, seen.note,
    (
        SELECT string_agg(told.text, ', ' ORDER BY told.subscriber)
        FROM (
            SELECT d.subscriber, concat(d.subscriber, ' ', d.state, CASE WHEN d.error IS NOT NULL THEN ': ' || d.error END) AS text
            FROM alert_deliveries d WHERE d.alert_id = o.alert_id
        ) told
    )
FROM (SELECT * FROM alert_outbox ORDER BY number DESC LIMIT %(most)s) o
LEFT JOIN alert_acknowledgements seen USING (alert_id)
ORDER BY o.number DESC;

-- name: letters
-- The oldest letters of a topic and reason, with the beginnings of their values only: a page of them is read every second.
SELECT topic, "partition", "offset", "row", time, coalesce(size, octet_length(value)), substring(value FROM 1 FOR 120)
FROM dead_letters
WHERE state = %(state)s AND topic = %(topic)s AND reason = %(reason)s
ORDER BY time, "partition", "offset", "row"
LIMIT %(most)s;

-- name: letter_topics
SELECT DISTINCT topic FROM dead_letters ORDER BY topic LIMIT 200;

-- name: actions
SELECT time, action, outcome, client, reason, result FROM dashboard_actions ORDER BY time DESC LIMIT %(most)s;

-- name: symbols
-- Each symbol that has bars of the interval, and its first and last: by skipping through the primary key, not by a scan.
WITH RECURSIVE found AS (
    (SELECT symbol FROM bars ORDER BY symbol LIMIT 1)
    UNION ALL
    SELECT later.symbol
    FROM found
    CROSS JOIN LATERAL (SELECT symbol FROM bars WHERE symbol > found.symbol ORDER BY symbol LIMIT 1) AS later
)
SELECT found.symbol, first.time, last.time
FROM found
CROSS JOIN LATERAL (
    SELECT time FROM bars WHERE symbol = found.symbol AND interval = %(interval)s ORDER BY time LIMIT 1
) AS first
CROSS JOIN LATERAL (
    SELECT time FROM bars WHERE symbol = found.symbol AND interval = %(interval)s ORDER BY time DESC LIMIT 1
) AS last
ORDER BY found.symbol
LIMIT 500;

-- name: hours
-- The bars of each symbol and hour, and how many of them have a suspect price.
SELECT symbol, date_trunc('hour', time), count(*), count(suspect)
FROM bars
WHERE symbol = ANY (%(symbols)s) AND interval = %(interval)s AND time >= %(start)s AND time < %(end)s
GROUP BY 1, 2;

-- name: repaired
-- The trades of each symbol and hour that were asked for afterwards. The index ticks_repaired has no others.
SELECT symbol, date_trunc('hour', time), count(*)
FROM ticks
WHERE repaired AND symbol = ANY (%(symbols)s) AND time >= %(start)s AND time < %(end)s
GROUP BY 1, 2;

-- name: gaps
-- The gaps of a venue's trades that reach into the span; those of a reader of Kafka name no symbol.
SELECT symbol, start, "end", trades
FROM gaps
WHERE reader IS NULL AND symbol = ANY (%(symbols)s) AND start < %(end)s AND "end" >= %(start)s
ORDER BY symbol, start
LIMIT 20000;

-- name: tables
-- Each hypertable, and each other table from which rows are dropped, with its bytes on disk and the start of its oldest chunk; and
-- how long its rows are kept: as persist last applied it, or a policy of the database does, where somebody has made one.
SELECT coalesce(r.name, t.relation), t.bytes, t.chunks, t.since,
    least(r.kept_days, (
        SELECT extract(epoch FROM (j.config ->> 'drop_after')::interval)::float8 / 86400
        FROM timescaledb_information.jobs j
        WHERE j.proc_name = 'policy_retention' AND j.hypertable_name = t.relation LIMIT 1
    )),
    r.applied_at, r.dropped_before
FROM (
    SELECT h.hypertable_name::text AS relation,
        hypertable_size((quote_ident(h.hypertable_schema) || '.' || quote_ident(h.hypertable_name))::regclass) AS bytes,
        h.num_chunks AS chunks,
        (SELECT min(range_start) FROM timescaledb_information.chunks c WHERE c.hypertable_name = h.hypertable_name) AS since
    FROM timescaledb_information.hypertables h
    WHERE h.hypertable_schema = 'public'
    UNION ALL
    SELECT p.relation, pg_total_relation_size(p.relation::regclass)
        + CASE WHEN p.relation = 'score_sums' THEN pg_total_relation_size('score_archive') ELSE 0 END, NULL, NULL
    FROM table_retention p
    WHERE NOT EXISTS (SELECT FROM timescaledb_information.hypertables h WHERE h.hypertable_name = p.relation)
) t
LEFT JOIN table_retention r USING (relation)
ORDER BY 2 DESC;

-- name: database
SELECT pg_database_size(current_database());
