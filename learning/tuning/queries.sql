-- name: studies
-- Every study with its trials by state, its best value, and when it last moved.
SELECT s.study_id, s.study_name, d.direction::text,
    count(t.trial_id), count(*) FILTER (WHERE t.state = 'COMPLETE'), count(*) FILTER (WHERE t.state = 'PRUNED'),
    count(*) FILTER (WHERE t.state = 'FAIL'), count(*) FILTER (WHERE t.state = 'RUNNING'),
    CASE d.direction WHEN 'MAXIMIZE' THEN max(v.value) FILTER (WHERE t.state = 'COMPLETE')
        ELSE min(v.value) FILTER (WHERE t.state = 'COMPLETE') END,
    max(greatest(t.datetime_start, t.datetime_complete))
FROM optuna.studies s
JOIN optuna.study_directions d ON d.study_id = s.study_id AND d.objective = 0
LEFT JOIN optuna.trials t ON t.study_id = s.study_id
LEFT JOIN optuna.trial_values v ON v.trial_id = t.trial_id AND v.objective = 0 AND v.value_type = 'FINITE'
GROUP BY s.study_id, s.study_name, d.direction
ORDER BY max(greatest(t.datetime_start, t.datetime_complete)) DESC NULLS LAST, s.study_id DESC;

-- name: trials
-- The trials of a study from a number on. Times are epoch seconds.
SELECT t.trial_id, t.number, t.state::text, v.value,
    extract(epoch FROM t.datetime_start)::float8, extract(epoch FROM t.datetime_complete)::float8
FROM optuna.trials t
LEFT JOIN optuna.trial_values v ON v.trial_id = t.trial_id AND v.objective = 0 AND v.value_type = 'FINITE'
WHERE t.study_id = %(study)s AND t.number >= %(first)s
ORDER BY t.number;

-- name: parameters
-- Each parameter's values as arrays, of the trials of a study from a number to another.
SELECT p.param_name, array_agg(t.number ORDER BY t.number), array_agg(p.param_value ORDER BY t.number)
FROM optuna.trial_params p
JOIN optuna.trials t ON t.trial_id = p.trial_id
WHERE t.study_id = %(study)s AND t.number BETWEEN %(first)s AND %(last)s
GROUP BY p.param_name
ORDER BY p.param_name;

-- name: distributions
-- Each parameter's distribution, that of the last of these trials with it.
SELECT DISTINCT ON (p.param_name) p.param_name, p.distribution_json
FROM optuna.trial_params p
JOIN optuna.trials t ON t.trial_id = p.trial_id
WHERE t.study_id = %(study)s AND t.number BETWEEN %(first)s AND %(last)s
ORDER BY p.param_name, t.number DESC;

-- name: intermediate
-- What some trials reported on the way.
SELECT t.number, i.step, i.intermediate_value
FROM optuna.trial_intermediate_values i
JOIN optuna.trials t ON t.trial_id = i.trial_id
WHERE t.study_id = %(study)s AND t.number = ANY(%(numbers)s) AND i.intermediate_value_type = 'FINITE'
ORDER BY t.number, i.step;

-- name: reasons
-- Why some trials failed.
SELECT t.number, a.value_json
FROM optuna.trial_user_attributes a
JOIN optuna.trials t ON t.trial_id = a.trial_id
WHERE t.study_id = %(study)s AND t.number = ANY(%(numbers)s) AND a.key = 'reason';

-- name: attributes
SELECT key, value_json FROM optuna.study_user_attributes WHERE study_id = %(study)s;
