-- How the leader of the universe moved since the symbol's bar before; NULL where it is unknown, as in all rows until now.
ALTER TABLE bars
    ADD COLUMN lead_return float8;
