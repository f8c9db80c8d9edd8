-- The tables' spelling of what people, ccxt and venues write for a market: WHERE symbol = symbol_of('BTC/USDT'). It knows pairs,
-- ccxt's unified symbols, and perpetuals as OKX, Binance and TradingView write them; `topics/markets.py` knows more.
CREATE FUNCTION symbol_of(market text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT regexp_replace(
        regexp_replace(
            regexp_replace(
                upper(btrim(market)),
                '^([^-_/.:]+?)[-_/]?(USDT|USDC)[-_.](SWAP|PERP|PERPETUAL|P)$', '\1\2:\2'
            ),
            '^([^-_/.:]+?)[-_/]?USD[-_.](SWAP|PERP|P)$', '\1USD:\1'
        ),
        '^([^-_/:]+)[-_/]([A-Z]+)(:|$)', '\1\2\3'
    )
$$;
