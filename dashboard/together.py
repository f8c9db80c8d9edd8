"""Several changes of what a document consists of, at the price of one."""

from contextlib import AbstractContextManager, nullcontext

from bokeh.model import Model


def together(model: Model) -> AbstractContextManager[None]:
    """Let Bokeh look for a document's models once after all changes inside, not at each: it takes tenths of a second.

    What is new must be complete when it is added: what is changed of it inside, later, does not reach the browser.
    """
    document = model.document
    return nullcontext() if document is None else document.models.freeze()
