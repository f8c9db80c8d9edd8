-- What takers bought, counted in trades, and the market around the bar; NULL where it is unknown, as in all rows until now.
ALTER TABLE bars
    ADD COLUMN buy_trades int8,
    ADD COLUMN market_return float8,
    ADD COLUMN market_rank float8;
