-- The probability that the volatility changed within the last hour; null where it is unknown, and in all older rows.
ALTER TABLE regimes ADD COLUMN change_point float8;
