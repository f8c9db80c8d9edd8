-- The runs of the production pipeline. `bar_time` is the newest bar that was stored when the run was asked for: schedules count in it.
-- A run is at work while a session holds the advisory lock of its id; one that is 'running' without that was killed, and is taken up again.
CREATE TABLE pipeline_runs (
    run_id text COLLATE "C" PRIMARY KEY,
    why text NOT NULL,
    requested_by text COLLATE "C" NOT NULL,
    bar_time timestamptz,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    state text COLLATE "C" NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed')),
    mlflow_run_id text COLLATE "C",
    options jsonb NOT NULL,
    error text
);

-- One row a step, or a step of a model. `attempts` counts how often it was begun and neither ended nor was stopped with a word.
CREATE TABLE pipeline_steps (
    run_id text COLLATE "C" NOT NULL REFERENCES pipeline_runs,
    step text COLLATE "C" NOT NULL,
    model text COLLATE "C",
    state text COLLATE "C" NOT NULL CHECK (state IN ('running', 'done', 'failed', 'stopped')),
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    seconds float8,
    detail jsonb,
    error text,
    attempts int4 NOT NULL DEFAULT 1,
    UNIQUE NULLS NOT DISTINCT (run_id, step, model)
);
