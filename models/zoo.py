"""The models that `models.registry` lists beside the first ones."""

from models.lstm import LSTM
from models.transformer import Transformer

ZOO: dict[str, type[Transformer] | type[LSTM]] = {model.name: model for model in (Transformer, LSTM)}
