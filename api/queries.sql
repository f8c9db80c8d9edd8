-- What the API reads: a page of each table. A block begins with "-- name:"; {after} is > or <, {order} ASC or DESC. The columns
-- of the key come first. Times leave as epoch milliseconds. Predictions and outcomes are read series by series from their rows:
-- each gives at most a page, from its index, and the best of them are the page.

-- name: symbols
WITH RECURSIVE found AS (
    (
        SELECT symbol, interval FROM bars
        WHERE (symbol, interval) > (%(after_0)s, %(after_1)s)
        ORDER BY symbol, interval
        LIMIT 1
    )
    UNION ALL
    SELECT later.symbol, later.interval
    FROM found
    CROSS JOIN LATERAL (
        SELECT symbol, interval FROM bars
        WHERE (symbol, interval) > (found.symbol, found.interval)
        ORDER BY symbol, interval
        LIMIT 1
    ) AS later
)
SELECT
    symbol, interval,
    symbol, interval,
    (extract(epoch FROM first.time) * 1000)::int8,
    (extract(epoch FROM newest.time) * 1000)::int8
FROM found
CROSS JOIN LATERAL (
    SELECT time FROM bars AS b WHERE (b.symbol, b.interval) = (found.symbol, found.interval) ORDER BY time LIMIT 1
) AS first
CROSS JOIN LATERAL (
    SELECT time FROM bars AS b WHERE (b.symbol, b.interval) = (found.symbol, found.interval) ORDER BY time DESC LIMIT 1
) AS newest
LIMIT %(rows)s;

-- name: known
-- Every symbol of which anything is stored. In the tables of bars by skipping from one to the next, which is no scan.
WITH RECURSIVE of_bars AS (
    (SELECT symbol FROM bars ORDER BY symbol LIMIT 1)
    UNION ALL
    SELECT later.symbol
    FROM of_bars AS found
    CROSS JOIN LATERAL (SELECT symbol FROM bars WHERE symbol > found.symbol ORDER BY symbol LIMIT 1) AS later
),
of_features AS (
    (SELECT symbol FROM features ORDER BY symbol LIMIT 1)
    UNION ALL
    SELECT later.symbol
    FROM of_features AS found
    CROSS JOIN LATERAL (SELECT symbol FROM features WHERE symbol > found.symbol ORDER BY symbol LIMIT 1) AS later
),
of_regimes AS (
    (SELECT symbol FROM regimes ORDER BY symbol LIMIT 1)
    UNION ALL
    SELECT later.symbol
    FROM of_regimes AS found
    CROSS JOIN LATERAL (SELECT symbol FROM regimes WHERE symbol > found.symbol ORDER BY symbol LIMIT 1) AS later
)
SELECT symbol FROM of_bars
UNION SELECT symbol FROM of_features
UNION SELECT symbol FROM of_regimes
UNION SELECT symbol FROM series
UNION SELECT symbol FROM gaps
UNION SELECT symbol FROM drift WHERE symbol IS NOT NULL
UNION SELECT symbol FROM alerts
ORDER BY symbol;

-- name: bars
SELECT
    (extract(epoch FROM time) * 1000)::int8,
    symbol, interval, (extract(epoch FROM time) * 1000)::int8, open, high, low, close, volume, trades, buy_volume,
    quote_volume, gap, buy_trades, market_return, market_rank, lead_return, suspect
FROM bars
WHERE symbol = %(symbol)s AND interval = %(interval)s AND time >= %(start)s AND time <= %(end)s
    AND (extract(epoch FROM time) * 1000)::int8 {after} %(after_0)s::int8
ORDER BY time {order}
LIMIT %(rows)s;

-- name: features
-- A value whose name nobody has stored goes by its place, counted from 1.
SELECT
    (extract(epoch FROM f.time) * 1000)::int8,
    f.symbol, f.interval, (extract(epoch FROM f.time) * 1000)::int8, f.close, f.fingerprint,
    coalesce(
        (
            SELECT json_object_agg(coalesce(v.name, v.place::text), v.value ORDER BY v.place)
            FROM unnest(d.names, f.values) WITH ORDINALITY AS v(name, value, place)
            WHERE %(feature)s::text[] = '{{}}' OR v.name = ANY(%(feature)s::text[])
        ),
        '{{}}'
    )
FROM (
    SELECT * FROM features
    WHERE symbol = %(symbol)s AND interval = %(interval)s AND time >= %(start)s AND time <= %(end)s
        AND (extract(epoch FROM time) * 1000)::int8 {after} %(after_0)s::int8
    ORDER BY time {order}
    LIMIT %(rows)s
) AS f
LEFT JOIN feature_definitions AS d USING (fingerprint)
ORDER BY f.time {order};

-- name: feature_names
SELECT DISTINCT unnest(names) FROM feature_definitions;

-- name: latest
-- The newest row of each series, where it is the champion's; of several versions of a model, the newest row.
WITH said AS (
    SELECT DISTINCT ON (s.symbol, s.interval, s.model, s.horizon)
        s.symbol, s.interval, s.model, s.version, s.horizon, c.role, c.fingerprint, c.regime, c.expired, last.*
    FROM series AS s
    CROSS JOIN LATERAL (
        SELECT * FROM prediction_rows AS p WHERE p.series_id = s.series_id ORDER BY p.time DESC LIMIT 1
    ) AS last
    JOIN contexts AS c USING (context_id)
    WHERE c.role = 'champion'
        AND (%(symbol)s::text IS NULL OR s.symbol = %(symbol)s)
        AND (%(interval)s::text IS NULL OR s.interval = %(interval)s)
        AND (%(model)s::text IS NULL OR s.model = %(model)s)
        AND (%(horizon)s::int IS NULL OR s.horizon = %(horizon)s)
        AND (s.symbol, s.interval, s.model, s.horizon) > (%(after_0)s, %(after_1)s, %(after_2)s, %(after_3)s)
    ORDER BY s.symbol, s.interval, s.model, s.horizon, last.time DESC, s.version DESC
)
SELECT
    symbol, interval, model, horizon,
    symbol, interval, (extract(epoch FROM time) * 1000)::int8, model, version, horizon, role, fingerprint, regime,
    price, mean, scale, q05, q10, q25, q50, q75, q90, q95, p_up, dissimilarity, expired, weights
FROM said
ORDER BY symbol, interval, model, horizon
LIMIT %(rows)s;

-- name: predictions
SELECT
    (extract(epoch FROM p.time) * 1000)::int8, s.series_id,
    s.symbol, s.interval, (extract(epoch FROM p.time) * 1000)::int8, s.model, s.version, s.horizon,
    p.role, p.fingerprint, p.regime, p.price,
    p.mean, p.scale, p.q05, p.q10, p.q25, p.q50, p.q75, p.q90, p.q95, p.p_up,
    p.dissimilarity, p.expired, p.weights
FROM series AS s
CROSS JOIN LATERAL (
    SELECT r.*, c.role, c.fingerprint, c.regime, c.expired
    FROM prediction_rows AS r
    JOIN contexts AS c USING (context_id)
    WHERE r.series_id = s.series_id AND r.time >= %(start)s AND r.time <= %(end)s
        AND ((extract(epoch FROM r.time) * 1000)::int8, s.series_id) {after} (%(after_0)s::int8, %(after_1)s::int4)
        AND (%(role)s::text = 'any' OR c.role = %(role)s)
    ORDER BY r.time {order}
    LIMIT %(rows)s
) AS p
WHERE s.symbol = %(symbol)s AND s.interval = %(interval)s
    AND (%(model)s::text IS NULL OR s.model = %(model)s)
    AND (%(version)s::text IS NULL OR s.version = %(version)s)
    AND (%(horizon)s::int IS NULL OR s.horizon = %(horizon)s)
ORDER BY p.time {order}, s.series_id {order}
LIMIT %(rows)s;

-- name: outcomes
SELECT
    (extract(epoch FROM o.time) * 1000)::int8, s.series_id,
    s.symbol, s.interval, (extract(epoch FROM o.time) * 1000)::int8, s.model, s.version, s.horizon,
    role_named(o.role),
    (extract(epoch FROM o.target_time) * 1000)::int8,
    CASE o.status WHEN 's' THEN 'scored' WHEN 't' THEN 'stale' WHEN 'u' THEN 'unscored' END,
    o.realised, o.absolute_error, o.naive_absolute_error, o.pinball, o.interval_hit, o.direction_hit,
    -- As in the view `scores`: of the naive model's champion at the same bar, of several versions the newest.
    (
        SELECT n.pinball FROM outcome_rows AS n
        WHERE n.series_id = ANY(naive.series) AND n.time = o.time AND n.status = 's' AND n.role = 'c'
        ORDER BY n.series_id DESC
        LIMIT 1
    )
FROM series AS s
CROSS JOIN LATERAL (
    SELECT array_agg(t.series_id) AS series FROM series AS t
    WHERE t.model = 'naive' AND (t.symbol, t.interval, t.horizon) = (s.symbol, s.interval, s.horizon)
) AS naive
CROSS JOIN LATERAL (
    SELECT *
    FROM outcome_rows AS r
    WHERE r.series_id = s.series_id AND r.time >= %(start)s AND r.time <= %(end)s
        AND ((extract(epoch FROM r.time) * 1000)::int8, s.series_id) {after} (%(after_0)s::int8, %(after_1)s::int4)
        AND (%(role)s::text = 'any'
            OR r.role = CASE %(role)s WHEN 'champion' THEN 'c' WHEN 'challenger' THEN 'h' ELSE 's' END::"char")
    ORDER BY r.time {order}
    LIMIT %(rows)s
) AS o
WHERE s.symbol = %(symbol)s AND s.interval = %(interval)s
    AND (%(model)s::text IS NULL OR s.model = %(model)s)
    AND (%(version)s::text IS NULL OR s.version = %(version)s)
    AND (%(horizon)s::int IS NULL OR s.horizon = %(horizon)s)
ORDER BY o.time {order}, s.series_id {order}
LIMIT %(rows)s;

-- name: skill
-- Scores in buckets of target times, each row over the buckets of its window. Skill is against the naive forecasts of the very
-- same bars, of several versions of the naive model the newest (as in the view `scores`). Sums are numeric: a row is then the
-- same to the last digit on whatever page it comes. `shown` is how far back a table without a beginning goes from its newest
-- outcome.
WITH bounds AS (
    SELECT
        greatest(%(start)s, least(%(end)s, newest.time) - nullif(%(shown)s, interval '0')) AS low,
        least(%(end)s, newest.time + %(bucket)s) AS high
    FROM (
        SELECT max(last.target_time) AS time FROM series AS s
        CROSS JOIN LATERAL (
            SELECT target_time FROM outcome_rows AS r WHERE r.series_id = s.series_id ORDER BY r.time DESC LIMIT 1
        ) AS last
        WHERE s.symbol = %(symbol)s AND s.interval = %(interval)s
    ) AS newest
),
scored AS (
    SELECT
        s.model, s.horizon, o.target_time, o.pinball, o.interval_hit, o.direction_hit, o.absolute_error,
        (max(ARRAY[s.series_id, o.pinball]) FILTER (WHERE s.model = 'naive') OVER same_bar)[2] AS naive_pinball
    FROM bounds
    CROSS JOIN series AS s
    JOIN outcome_rows AS o USING (series_id)
    WHERE s.symbol = %(symbol)s AND s.interval = %(interval)s
        AND (%(horizon)s::int IS NULL OR s.horizon = %(horizon)s)
        AND o.time >= bounds.low - %(rolling)s - 2 * %(bucket)s - s.horizon * %(step)s AND o.time <= bounds.high
        AND o.status = 's' AND o.role = 'c'
    WINDOW same_bar AS (PARTITION BY s.horizon, o.time)
),
buckets AS (
    SELECT
        model, horizon, time_bucket(%(bucket)s, target_time) + %(bucket)s AS time,
        count(interval_hit) AS scored,
        count(*) FILTER (WHERE interval_hit) AS hits,
        sum(pinball::numeric) FILTER (WHERE naive_pinball IS NOT NULL) AS against_naive,
        sum(naive_pinball::numeric) FILTER (WHERE pinball IS NOT NULL) AS naive_pinball,
        sum(pinball::numeric) AS pinball,
        count(pinball) AS pinballs,
        count(direction_hit) AS moved,
        count(*) FILTER (WHERE direction_hit) AS directions,
        sum(absolute_error::numeric) AS absolute_error,
        count(absolute_error) AS errors
    FROM scored
    GROUP BY 1, 2, 3
),
rolled AS (
    SELECT
        model, horizon, time,
        sum(scored) OVER latest AS scored, sum(hits) OVER latest AS hits,
        sum(against_naive) OVER latest AS against_naive, sum(naive_pinball) OVER latest AS naive_pinball,
        sum(pinball) OVER latest AS pinball, sum(pinballs) OVER latest AS pinballs,
        sum(moved) OVER latest AS moved, sum(directions) OVER latest AS directions,
        sum(absolute_error) OVER latest AS absolute_error, sum(errors) OVER latest AS errors
    FROM buckets
    WINDOW latest AS (
        PARTITION BY model, horizon ORDER BY time RANGE BETWEEN %(rolling)s PRECEDING AND CURRENT ROW
    )
)
SELECT
    (extract(epoch FROM time) * 1000)::int8, model, horizon,
    %(symbol)s::text, %(interval)s::text, (extract(epoch FROM time) * 1000)::int8, model, horizon,
    scored::int8,
    (hits / nullif(scored, 0))::float8,
    skill_of(against_naive, naive_pinball),
    (directions / nullif(moved, 0))::float8,
    (absolute_error / nullif(errors, 0))::float8,
    (pinball / nullif(pinballs, 0))::float8
FROM rolled
CROSS JOIN bounds
WHERE time >= bounds.low AND time <= %(end)s
    AND (%(model)s::text IS NULL OR model = %(model)s)
    AND ((extract(epoch FROM time) * 1000)::int8, model, horizon)
        {after} (%(after_0)s::int8, %(after_1)s::text, %(after_2)s::int)
ORDER BY time {order}, model {order}, horizon {order}
LIMIT %(rows)s;

-- name: regimes
SELECT
    (extract(epoch FROM time) * 1000)::int8,
    symbol, interval, (extract(epoch FROM time) * 1000)::int8, state, posterior, change_point
FROM regimes
WHERE symbol = %(symbol)s AND interval = %(interval)s AND time >= %(start)s AND time <= %(end)s
    AND (extract(epoch FROM time) * 1000)::int8 {after} %(after_0)s::int8
ORDER BY time {order}
LIMIT %(rows)s;

-- name: models
SELECT DISTINCT ON (model)
    model,
    model, number, action, champion, challengers, standby, fingerprint, (extract(epoch FROM time) * 1000)::int8,
    decided_by, why, evidence
FROM model_deployments
WHERE (%(model)s::text IS NULL OR model = %(model)s) AND model > %(after_0)s
ORDER BY model, number DESC
LIMIT %(rows)s;

-- name: drift
SELECT
    (extract(epoch FROM time) * 1000)::int8, model, version, kind, detector, interval,
    coalesce(symbol, ''), coalesce(horizon, 0)::int4,
    model, version, kind, detector, (extract(epoch FROM time) * 1000)::int8, statistic, "limit", interval, symbol,
    horizon, (extract(epoch FROM since) * 1000)::int8, detail
FROM drift
WHERE time >= %(start)s AND time <= %(end)s
    AND (%(model)s::text IS NULL OR model = %(model)s)
    AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
    AND (%(horizon)s::int IS NULL OR horizon = %(horizon)s)
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
    AND (
        (extract(epoch FROM time) * 1000)::int8, model, version, kind, detector, interval,
        coalesce(symbol, ''), coalesce(horizon, 0)
    ) {after} (
        %(after_0)s::int8, %(after_1)s, %(after_2)s, %(after_3)s, %(after_4)s, %(after_5)s, %(after_6)s, %(after_7)s
    )
ORDER BY
    time {order}, model {order}, version {order}, kind {order}, detector {order}, interval {order},
    coalesce(symbol, '') {order}, coalesce(horizon, 0) {order}
LIMIT %(rows)s;

-- name: alerts
SELECT
    (extract(epoch FROM time) * 1000)::int8, alert_id,
    alert_id, rule, symbol, (extract(epoch FROM time) * 1000)::int8, severity, message, rule_version, model, interval,
    horizon, value, suppressed, (extract(epoch FROM seen.at) * 1000)::int8, seen.note
FROM alerts
LEFT JOIN alert_acknowledgements AS seen USING (alert_id)
WHERE time >= %(start)s AND time <= %(end)s
    AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
    AND (%(rule)s::text IS NULL OR rule = %(rule)s)
    AND (%(severity)s::text IS NULL OR severity = %(severity)s)
    AND (%(model)s::text IS NULL OR model = %(model)s)
    AND (%(acknowledged)s::bool IS NULL OR (seen.at IS NOT NULL) = %(acknowledged)s)
    AND ((extract(epoch FROM time) * 1000)::int8, alert_id) {after} (%(after_0)s::int8, %(after_1)s)
ORDER BY time {order}, alert_id {order}
LIMIT %(rows)s;

-- name: gaps
SELECT
    (extract(epoch FROM start) * 1000)::int8, symbol, venue,
    symbol, venue, (extract(epoch FROM start) * 1000)::int8, (extract(epoch FROM "end") * 1000)::int8, reason, trades,
    after_id, before_id, reader, topic, partition, first_offset, last_offset
FROM gaps
WHERE start >= %(start)s AND start <= %(end)s
    AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
    AND (%(venue)s::text IS NULL OR venue = %(venue)s)
    AND ((extract(epoch FROM start) * 1000)::int8, symbol, venue) {after} (%(after_0)s::int8, %(after_1)s, %(after_2)s)
ORDER BY start {order}, symbol {order}, venue {order}
LIMIT %(rows)s;

-- name: standing
-- The champions' scores over the newest 500 outcomes of each series, for /metrics.
WITH scored AS (
    SELECT
        s.interval, s.model, s.horizon, o.pinball, o.interval_hit,
        (max(ARRAY[s.series_id, o.pinball]) FILTER (WHERE s.model = 'naive') OVER same_bar)[2] AS naive_pinball
    FROM series AS s
    CROSS JOIN LATERAL (
        SELECT time, pinball, interval_hit, role, status FROM outcome_rows AS r
        WHERE r.series_id = s.series_id
        ORDER BY r.time DESC
        LIMIT 500
    ) AS o
    WHERE o.status = 's' AND o.role = 'c'
    WINDOW same_bar AS (PARTITION BY s.symbol, s.interval, s.horizon, o.time)
)
SELECT
    interval, model, horizon, count(interval_hit), avg(interval_hit::int)::float8,
    skill_of(
        sum(pinball) FILTER (WHERE naive_pinball IS NOT NULL), sum(naive_pinball) FILTER (WHERE pinball IS NOT NULL)
    )
FROM scored
GROUP BY interval, model, horizon
ORDER BY interval, model, horizon;

-- name: ages
-- Since when each champion has been one: since the first decision after the last one for another version; of a model that was
-- never decided about, since a worker first loaded the version that it loaded last.
WITH newest AS (
    SELECT DISTINCT ON (model) model, champion FROM model_deployments ORDER BY model, number DESC
),
served AS (
    SELECT newest.model, newest.champion AS version, min(d.time) AS since
    FROM newest
    JOIN model_deployments AS d USING (model)
    WHERE newest.champion IS NOT NULL AND d.number > (
        SELECT coalesce(max(o.number), 0) FROM model_deployments AS o
        WHERE o.model = newest.model AND o.champion IS DISTINCT FROM newest.champion
    )
    GROUP BY newest.model, newest.champion
),
loaded AS (
    SELECT DISTINCT ON (model) model, version, min(time) AS since
    FROM model_events
    WHERE event = 'loaded' AND role = 'champion' AND model NOT IN (SELECT model FROM newest)
    GROUP BY model, version
    ORDER BY model, max(time) DESC
)
SELECT model, version, extract(epoch FROM now() - since)::float8
FROM (SELECT * FROM served UNION ALL SELECT * FROM loaded) AS either
ORDER BY model;
