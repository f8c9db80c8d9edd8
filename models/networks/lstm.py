"""A bidirectional LSTM over the last bars, pooled by attention (see `models.networks.nn.lstm`)."""

from typing import TYPE_CHECKING, ClassVar

from models.networks.network import Network

if TYPE_CHECKING:
    from models.networks.nn.net import Net


class LSTM(Network):
    """Attention: `encoder` [64] over the window's bars; `thinned` is empty, as attention is paid before the dropout."""

    name: ClassVar[str] = "lstm"

    def _build(self, *sizes: int) -> "Net":
        from models.networks.nn.lstm import LSTMNet  # noqa: PLC0415 - torch takes seconds to import

        return LSTMNet(*sizes)
