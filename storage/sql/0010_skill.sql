-- How good a version's forecasts were over the last days: at the end of each hour, of the bars whose labels came in the
-- `days` before. `regime` is the market's state at the forecast, 'all' for all of them. `skill` is 1 - pinball / naive's,
-- `error_skill` 1 - absolute error / that of a zero forecast, both of the sums; `coverage` is that of the 90 % interval.
CREATE TABLE model_skill (
    time timestamptz NOT NULL,
    interval text COLLATE "C" NOT NULL,
    model text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    role text COLLATE "C" NOT NULL,
    horizon int NOT NULL,
    regime text COLLATE "C" NOT NULL,
    days float8 NOT NULL,
    forecasts int8 NOT NULL,
    skill float8,
    error_skill float8,
    coverage float8,
    PRIMARY KEY (interval, model, version, horizon, regime, days, time)
);

SELECT create_hypertable('model_skill', 'time', chunk_time_interval => interval '30 days', create_default_indexes => false);
