"""Self-attention over patches of the last bars and the current row (see `models.networks.nn.transformer`)."""

from typing import TYPE_CHECKING, ClassVar

from models.networks.network import Network
from models.search_space import Choice, Space

if TYPE_CHECKING:
    from models.networks.nn.net import Net


class Transformer(Network):
    """Attention: `encoder` [4 heads, 9, 9] and `thinned` [4, 1, 9] over eight patches of eight bars and the row.

    Of tuned patches of 4 or 16 bars there are 16 or 4.
    """

    name: ClassVar[str] = "transformer"
    PATCH: ClassVar[int] = 8
    """Bars a token (Nie et al. 2023, A Time Series is Worth 64 Words)."""
    SPACE: ClassVar[Space] = {**Network.SPACE, "patch": Choice((4, 8, 16), PATCH)}

    def _build(self, *sizes: int) -> "Net":
        from models.networks.nn.transformer import TransformerNet  # noqa: PLC0415 - torch takes seconds to import

        return TransformerNet(*sizes, patch=int(self.tuned.get("patch", self.PATCH)))
