-- Which price of the bar is hardly right, and why; NULL where none is, or nobody has looked, as in all rows until now.
ALTER TABLE bars
    ADD COLUMN suspect text;
