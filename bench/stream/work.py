"""What every engine computes: five indicators of a symbol's prices, tick by tick. Needs nothing but Python."""

import json
import math
import os
from typing import Any, NamedTuple

MEAN_OF = 20
RSI_OF = 14
EMAS = {"ema_12": 2 / 13, "ema_26": 2 / 27}
SIGNAL = 2 / 10

State = dict[str, Any]
"""Plain values, so that an engine may store it as JSON."""


class Job(NamedTuple):
    """Where an engine reads and writes, and as whom."""

    bootstrap: str
    user: str
    password: str
    mechanism: str
    source: str
    sink: str
    group: str

    @classmethod
    def given(cls) -> "Job":
        """Return the job in the environment."""
        return cls(*json.loads(os.environ["ENGINE"]))

    def librdkafka(self) -> dict[str, str]:
        """Return the login as librdkafka's settings."""
        if not self.user:
            return {}
        return {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": self.mechanism,
            "sasl.username": self.user,
            "sasl.password": self.password,
        }

    def aiokafka(self) -> dict[str, str]:
        """Return the login as aiokafka's options."""
        if not self.user:
            return {}
        return {
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.user,
            "sasl_plain_password": self.password,
        }


def begun(price: float) -> State:
    """Return a symbol's state before its first price."""
    return {**dict.fromkeys(EMAS, price), "signal": 0.0, "last": price, "gain": 0.0, "loss": 0.0, "prices": []}


def step(state: State | None, price: float) -> tuple[State, dict[str, float]]:
    """Return the state after a price, and the indicators: EMA, MACD, mean, standard deviation, Wilder's RSI."""
    state = dict(state) if state else begun(price)
    for name, share in EMAS.items():
        state[name] += share * (price - state[name])
    macd = state["ema_12"] - state["ema_26"]
    state["signal"] += SIGNAL * (macd - state["signal"])
    change, state["last"] = price - state["last"], price
    state["gain"] += (max(change, 0.0) - state["gain"]) / RSI_OF
    state["loss"] += (max(-change, 0.0) - state["loss"]) / RSI_OF
    prices = state["prices"] = [*state["prices"][1 - MEAN_OF :], price]
    mean = sum(prices) / len(prices)
    moved = state["gain"] + state["loss"]
    return state, {
        "ema_12": state["ema_12"],
        "macd": macd,
        "macd_signal": state["signal"],
        "mean_20": mean,
        "deviation_20": math.sqrt(sum((one - mean) ** 2 for one in prices) / len(prices)),
        "rsi_14": 100.0 * state["gain"] / moved if moved else 50.0,
    }


def ticks(value: bytes) -> list[dict[str, Any]]:
    """Return the ticks of a record's value: one as an object, or several as an array."""
    rows = json.loads(value)
    return rows if isinstance(rows, list) else [rows]


def row(tick: dict[str, Any], indicators: dict[str, float]) -> dict[str, Any]:
    """Return what is written of a tick."""
    return {"symbol": tick["symbol"], "time": tick["time"], **indicators}


def step_all(states: dict[str, State], some: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of ticks; `states`, by symbol, are then those after them."""
    rows = []
    for tick in some:
        states[tick["symbol"]], values = step(states.get(tick["symbol"]), tick["price"])
        rows.append(row(tick, values))
    return rows
