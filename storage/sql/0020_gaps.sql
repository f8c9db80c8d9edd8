-- Trades that a venue had and that never came: between the two times nothing more is known of the symbol. A gap that is
-- found again after a crash is the same one: its start is its identity.
CREATE TABLE gaps (
    symbol text COLLATE "C" NOT NULL,
    venue text COLLATE "C" NOT NULL,
    start timestamptz NOT NULL,
    "end" timestamptz NOT NULL,
    reason text NOT NULL,
    trades int8,
    after_id text,
    before_id text,
    PRIMARY KEY (symbol, venue, start)
);

-- Whether a trade was asked for afterwards, when a hole was found; NULL in rows from before that could be.
ALTER TABLE ticks ADD COLUMN repaired boolean;
