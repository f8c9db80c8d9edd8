-- What has become of a letter by a person's decision, and how large a value is of which it holds the beginning.
ALTER TABLE dead_letters
    ADD COLUMN size int8,
    ADD COLUMN state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'retried', 'dropped')),
    ADD COLUMN decided_at timestamptz;
-- The newest of each topic and reason; the oldest first where a page of them is read.
CREATE INDEX dead_letters_by_state ON dead_letters (state, topic, time);
