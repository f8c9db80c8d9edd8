"""A page that stays open gets a new token before its first one ends."""

from bokeh.document import Document

from dashboard.actions.page_token import LIFE_S, RENEWAL_S, PageTokens
from dashboard.actions.renewal import LOOK_MS, Renewal
from dashboard.bridge import Bridge


def test_a_token_is_renewed_when_it_is_due_and_not_at_every_look() -> None:
    clock = [0.0]
    document, bridge, tokens = Document(), Bridge(name="bridge"), PageTokens(lambda: clock[0])
    document.add_root(bridge)
    renewal = Renewal(document, tokens, "ops", lambda: clock[0])
    renewal.start()
    assert [one.period for one in document.session_callbacks] == [LOOK_MS]
    given = []
    for clock[0] in (10.0, RENEWAL_S - 1.0, RENEWAL_S + 1.0, RENEWAL_S + 11.0, 2.0 * RENEWAL_S + 2.0):
        renewal.look()
        given.append(bridge.token)
    assert given[:2] == ["", ""]
    assert given[2] == given[3] != given[4]
    assert tokens.page_of(given[4]) == "ops"
    assert RENEWAL_S + LOOK_MS / 1_000 < LIFE_S
