"""Every control of every page has a name for a screen reader, and is reached by the keyboard."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from short_form import keeping
from whole_site import NAMES, visit

pytestmark = [pytest.mark.services, pytest.mark.browser]

FIELDS = {"combobox", "listbox", "textbox", "searchbox", "slider", "spinbutton"}
CONTROLS = FIELDS | {"button", "tab", "checkbox", "radio", "switch", "link", "menuitem", "image"}
SETTLED_MS = 1_500
"""The names of what Bokeh makes anew are set within a second (assets/names.js)."""


def nodes(page: Page) -> list[dict[str, Any]]:
    """Return the accessibility tree of a page, without what a screen reader skips."""
    session = page.context.new_cdp_session(page)
    found: list[dict[str, Any]] = session.send("Accessibility.getFullAXTree")["nodes"]
    return [node for node in found if not node.get("ignored")]


def properties(node: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one["value"].get("value") for one in node.get("properties", [])}


def name_of(node: dict[str, Any]) -> str:
    return str(node.get("name", {}).get("value", "")).strip()


@pytest.mark.parametrize("name", keeping(("live",), NAMES))
def test_no_control_is_without_a_name_or_out_of_the_keyboards_reach(page: Page, site: str, name: str) -> None:
    visit(page, site, name)
    page.wait_for_timeout(SETTLED_MS)
    tree = nodes(page)
    controls = [node for node in tree if node["role"]["value"] in CONTROLS or properties(node).get("focusable")]
    assert len(controls) > 15
    assert [node["role"] for node in controls if not name_of(node)] == []
    # A list of many choices is a box around a field of the same name, which has the focus.
    reached = {name_of(node) for node in controls if properties(node).get("focusable")}
    out_of_reach = [
        name_of(node) for node in controls if not properties(node).get("disabled") and name_of(node) not in reached
    ]
    assert out_of_reach == []
    named = {name_of(node) for node in controls}
    assert {"Export", "UTC", "Auto"} <= named
    assert any(one.startswith("Plot: ") for one in named)
    assert sum(properties(node).get("pressed") == "true" for node in controls) >= 2


def test_the_dialog_is_opened_left_and_the_choice_made_without_a_mouse(page: Page, site: str) -> None:
    visit(page, site, "training")
    button = page.get_by_role("button", name="Export")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Export")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(button).to_be_focused()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.get_by_role("button", name="Dark").evaluate("one => one.matches(':focus')"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
