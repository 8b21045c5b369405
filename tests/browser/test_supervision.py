"""What the supervision page is for: to see an actor fall and come back, and to restart one."""

import pytest
from playwright.sync_api import expect

from conftest import ADMIN
from gateways import ADMIN_TOKEN

# nothing is asked of this provider
ACTOR = "providers/strict/actor"


def opened(visit, **options):
    """The page, marked so that one that is loaded again is told from it."""
    page = visit("/admin/supervision", http_credentials=ADMIN, **options)
    page.wait_for_selector(".scripted")
    mark(page)
    return page


def mark(page):
    page.evaluate("window.loaded = 'once'")


def row(page):
    return page.locator(f"tr[data-key='{ACTOR}']")


def restarts(page):
    """Where the page says how often the actor fell."""
    return row(page).locator("[data-label=Restarts]")


def expect_fall(page, count, reason):
    """The page comes to show so many falls and the last one's reason, also in its log, without being loaded again."""
    expect(restarts(page)).to_have_text(str(count))
    expect(row(page).locator(".reason strong")).to_have_text(reason)
    newest = page.locator("tr[data-key^=event-]").first
    expect(newest.locator("th")).to_have_text(ACTOR)
    expect(newest.locator(".reason strong")).to_have_text(reason)
    assert page.evaluate("window.loaded") == "once"


def fell(served):
    """Makes the actor fall."""
    served.api("POST", f"/api/admin/supervision/{ACTOR}/fault", {"kind": "panic"}, key=ADMIN_TOKEN)


def test_the_figures_go_on_by_themselves(visit):
    page = opened(visit)
    uptime = page.locator(".figures div", has_text="Uptime").locator("dd")
    before = uptime.inner_text()
    expect(uptime).not_to_have_text(before)
    assert page.evaluate("window.loaded") == "once"


def test_a_fall_is_shown_when_it_happens(visit, served):
    page = opened(visit)
    # nothing is refreshed in between: only an event can tell
    page.add_init_script("window.setInterval = () => 0")
    with page.expect_response("**/supervision/tree"):
        page.reload()
    mark(page)
    before = int(restarts(page).inner_text())
    fell(served)
    expect_fall(page, before + 1, "Panic")
    expect(row(page).locator(".reason code").last).to_contain_text(".rs:")


def test_a_fall_is_shown_without_events_too(visit, served):
    page = opened(visit)
    page.route("**/supervision/events", lambda route: route.abort())
    page.reload()
    mark(page)
    expect(page.locator("#notice")).to_contain_text("Live events are interrupted")
    before = int(restarts(page).inner_text())
    uptime = row(page).locator("[title^=since]")
    # its title is in whole seconds
    expect(uptime).not_to_contain_text("ms")
    up_since = uptime.get_attribute("title")
    fell(served)
    expect_fall(page, before + 1, "Panic")
    expect(row(page).locator(".state")).to_have_text("Up")
    expect(uptime).not_to_have_attribute("title", up_since)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_button_restarts_an_actor_once_that_is_confirmed(visit, width):
    page = opened(visit, width=width)
    before = int(restarts(page).inner_text())
    button = row(page).get_by_role("button", name=f"Restart {ACTOR}")
    question = page.get_by_role("dialog")
    button.click()
    expect(question).to_contain_text(ACTOR)
    question.get_by_role("button", name="Cancel").click()
    expect(question).to_be_hidden()
    expect(button).to_be_focused()

    button.click()
    question.get_by_role("button", name="Restart").click()
    expect(page.locator("#notice")).to_contain_text(f"{ACTOR} is being restarted.")
    # the one that was cancelled does not count
    expect_fall(page, before + 1, "Restarted by hand")
    expect(row(page).locator(".state")).to_have_text("Up")
