-- The newest hour of skills is asked for at every start of the watch and by `foretick skill`.
CREATE INDEX model_skill_by_time ON model_skill (interval, time DESC);
