-- What was done by the buttons of the dashboard, and what was refused: rows are added and never change. `request` is what
-- the page sent, of accepted ones only; it is json, not jsonb, which would not hold every text.
CREATE TABLE dashboard_actions (
    number int8 PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    time timestamptz NOT NULL DEFAULT now(),
    who text COLLATE "C" NOT NULL,
    client text COLLATE "C" NOT NULL,
    page text COLLATE "C",
    action text COLLATE "C" NOT NULL,
    outcome text COLLATE "C" NOT NULL CHECK (outcome IN ('done', 'failed', 'refused')),
    reason text,
    request json,
    result text NOT NULL
);
CREATE INDEX dashboard_actions_by_time ON dashboard_actions (time DESC);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON dashboard_actions
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
