"""A local exchange that speaks Binance spot's public protocol, and fails on command. `python -m exchange` runs it.

Facts of the protocol: developers.binance.com/docs/binance-spot-api-docs, "REST API" and "WebSocket streams".
"""
