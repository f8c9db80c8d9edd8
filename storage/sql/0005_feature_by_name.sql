-- feature(values, fingerprint, 'rsi_14'): one number of a row of `features`, by its name; null where the definition, the
-- name or the number is unknown. A row's values are in the order of its own definition's names, whatever others there are.
CREATE FUNCTION feature("values" float8[], fingerprint text, name text) RETURNS float8
LANGUAGE sql STABLE STRICT PARALLEL SAFE
AS $$ SELECT $1[array_position(d.names, $3)] FROM feature_definitions d WHERE d.fingerprint = $2 $$;
