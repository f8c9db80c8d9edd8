-- Two numbers were called skill. `pinball_skill` is against the naive model's pinball loss at the same bars, which tables, the API
-- and the page show; `mae_skill` against the absolute error of a zero forecast, which rules of alerts looked at.
ALTER TABLE model_skill RENAME COLUMN skill TO pinball_skill;
ALTER TABLE model_skill RENAME COLUMN error_skill TO mae_skill;

-- The one definition, of sums over the same forecasts (`models.skill` is the same): NULL where the reference lost nothing.
CREATE FUNCTION skill_of(loss anycompatible, reference anycompatible) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (1 - loss / nullif(reference, 0))::float8
$$;

-- A rule goes on to look at the number that it has looked at; it is the same rule, with the same version and state.
UPDATE alert_rules SET definition = jsonb_set(definition, '{when,field}', '"mae_skill"')
WHERE definition ->> 'on' = 'outcome' AND definition #>> '{when,field}' = 'skill';
