-- The matches that a rule suppressed before an alert were called `held`.
ALTER TABLE alerts RENAME COLUMN held TO suppressed;
UPDATE alert_rules SET definition = jsonb_set(
    definition, '{message}', to_jsonb(replace(definition ->> 'message', '{held}', '{suppressed}'))
)
WHERE definition ->> 'message' LIKE '%{held}%';
