-- The span in which an alert was made, if that is traced (W3C Trace Context): for its record's header, and its deliveries' spans.
ALTER TABLE alert_outbox ADD COLUMN traceparent text COLLATE "C";
