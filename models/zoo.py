"""The models that `models.registry` lists beside the first ones."""

from models.lstm import LSTM
from models.transformer import Transformer

ZOO = (Transformer, LSTM)
