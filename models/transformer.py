"""Self-attention over patches of the last bars and the current row (see `models.nets.transformer`)."""

from typing import TYPE_CHECKING, ClassVar

from models.network import Network

if TYPE_CHECKING:
    from models.nets.net import Net


class Transformer(Network):
    """Attention: `encoder` [4 heads, 9, 9] and `thinned` [4, 1, 9] over eight patches of eight bars and the row."""

    name: ClassVar[str] = "transformer"

    def _build(self, *sizes: int) -> "Net":
        from models.nets.transformer import TransformerNet  # noqa: PLC0415 - torch takes seconds to import

        return TransformerNet(*sizes)
