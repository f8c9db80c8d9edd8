-- What was sent again of dead letters, by whom and why: rows are added and never change. `value` and `key` are the corrected
-- ones, NULL where the letter's own were sent.
CREATE TABLE dead_letter_resends (
    number int8 PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    time timestamptz NOT NULL DEFAULT now(),
    topic text COLLATE "C" NOT NULL,
    "partition" int8 NOT NULL,
    "offset" int8 NOT NULL,
    "row" int8 NOT NULL,
    who text COLLATE "C" NOT NULL,
    reason text NOT NULL,
    value bytea,
    key bytea
);
CREATE INDEX dead_letter_resends_of_letter ON dead_letter_resends (topic, "partition", "offset", "row");
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON dead_letter_resends
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Trades that were asked for afterwards are few: so few hours of many symbols are counted without reading all trades.
CREATE INDEX ticks_repaired ON ticks (symbol, time) WHERE repaired;
