-- Kafka records that were deleted before a consumer group had read them are gaps too; NULL in those of a venue's trades.
ALTER TABLE gaps
    ADD COLUMN reader text COLLATE "C",
    ADD COLUMN topic text COLLATE "C",
    ADD COLUMN partition int8,
    ADD COLUMN first_offset int8,
    ADD COLUMN last_offset int8;
