-- That a run is to stop at its next checkpoint, and why: asked for by whoever watches it. It is cleared when the run is resumed; the
-- run's error keeps the reason.
ALTER TABLE pipeline_runs
    ADD COLUMN stop_reason text,
    ADD COLUMN stop_requested_by text COLLATE "C",
    ADD COLUMN stop_requested_at timestamptz;
