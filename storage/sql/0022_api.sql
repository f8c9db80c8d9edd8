-- The alerts of all rules in the order of time, page by page.
CREATE INDEX alerts_by_time ON alerts (time, alert_id);
