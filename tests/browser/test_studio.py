"""What the studio is for: pictures, from the prompt to their deletion."""

import re
import struct

from playwright.sync_api import expect

SLOW = "slow/z-image-turbo"


def order(page, prompt, model=None):
    """Fills in the form and orders; gives what stands for the order in the gallery."""
    if model:
        page.select_option("#model", model)
    page.fill("#prompt", prompt)
    page.press("#prompt", "Control+Enter")
    run = page.locator(".run", has_text=prompt)
    expect(run).to_be_visible()
    return run


def small(page):
    """Chooses a size that the built-in model draws at once, also without optimisation."""
    page.locator("#sizes input[value=own]").check(force=True)
    page.fill("#width", "64")
    page.fill("#height", "64")


def png(color=(200, 60, 40), size=64):
    """A PNG file of one colour."""
    import zlib

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    row = b"\0" + bytes(color) * size
    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    packed = zlib.compress(row * size)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def test_from_the_prompt_to_the_deletion(studio, tmp_path):
    page = studio()
    run = order(page, "a red fox in snow", SLOW)
    expect(run.locator("progress")).to_be_visible()
    expect(run.locator(".skeleton")).to_have_count(1)
    expect(page.locator("#news")).not_to_be_empty()
    expect(run.locator(".tile.here img")).to_be_visible()
    expect(run.locator("progress")).to_be_hidden()
    expect(run.locator("img")).to_have_attribute("alt", "a red fox in snow")

    run.locator(".tile button").click()
    box = page.locator("#lightbox")
    expect(box.locator("#parameters")).to_contain_text(SLOW)
    with page.expect_download() as download:
        box.locator("#download").click()
    assert download.value.suggested_filename == "a-red-fox-in-snow.png"
    download.value.save_as(tmp_path / "fox.png")
    assert (tmp_path / "fox.png").read_bytes().startswith(b"\x89PNG")
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(run.locator(".tile button")).to_be_focused()

    page.reload()
    expect(run.locator(".tile.here img")).to_be_visible()
    run.get_by_role("button", name="Delete").click()
    expect(run).to_have_count(0)
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(run).to_be_visible()
    with page.expect_response(lambda answer: answer.request.method == "DELETE", timeout=20_000):
        run.get_by_role("button", name="Delete").click()
    page.reload()
    expect(page.locator("#nothing")).to_be_visible()


def test_search_finds_and_says_what_to_do_where_it_does_not(studio, gateway):
    for prompt in ["a blue heron", "a green hill"]:
        body = {"model": "demo/demo-image", "prompt": prompt, "width": 64, "height": 64}
        gateway.api("POST", "/api/v1/tasks", body)
    page = studio()
    expect(page.locator(".run .tile.here")).to_have_count(2)
    page.locator("body").press("/")
    page.keyboard.type("heron")
    expect(page.locator(".run")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"q=heron"))
    page.fill("#search", "a white whale")
    expect(page.locator("#no-match")).to_contain_text("Clear the search")
    page.fill("#search", "")
    expect(page.locator(".run")).to_have_count(2)


def test_the_history_goes_on_as_one_scrolls(studio, gateway):
    for at in range(45):
        body = {"model": "demo/demo-image", "prompt": f"picture {at}", "width": 64, "height": 64}
        gateway.api("POST", "/api/v1/tasks", body)
    page = studio()
    while page.locator(".run").count() < 45:
        before = page.locator(".run").count()
        page.locator(".run").last.scroll_into_view_if_needed()
        page.mouse.wheel(0, 4000)
        page.wait_for_function("before => document.querySelectorAll('.run').length > before", arg=before)
    titles = page.locator(".run .prompt").all_text_contents()
    assert len(set(titles)) == 45, titles


def test_the_connection_comes_back_after_a_restart(studio, gateway):
    page = studio()
    run = order(page, "a ship at sea", SLOW)
    expect(run.locator("progress")).to_be_visible()
    gateway.stop()
    expect(page.locator("#notice")).to_contain_text("Connection lost")
    gateway.start()
    expect(page.locator("#notice")).to_be_hidden(timeout=30_000)
    expect(run.locator(".tile.here img")).to_be_visible(timeout=30_000)


def test_pictures_are_edited_and_enlarged(studio):
    page = studio()
    page.get_by_text("Edit", exact=True).click()
    page.fill("#prompt", "make it blue")
    page.click("#generate")
    expect(page.locator("#image-error")).to_contain_text("Add a picture")
    note = {"name": "note.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    page.set_input_files("#image", note)
    expect(page.locator("#image-error")).to_contain_text("note.txt is no picture")
    page.set_input_files("#image", {"name": "red.png", "mimeType": "image/png", "buffer": png()})
    expect(page.locator("#files li")).to_have_count(1)
    run = order(page, "make it blue", "slow/qwen-image-edit")
    expect(run.locator(".tile.here img")).to_be_visible()

    page.get_by_text("Enlarge", exact=True).click()
    expect(page.locator("#size-field")).to_be_hidden()
    drop(page, "#drop", "dropped.png")
    expect(page.locator("#files")).to_contain_text("dropped.png")
    page.fill("#prompt", "")
    page.click("#generate")
    expect(page.locator(".run", has_text="large/").locator(".tile.here img")).to_be_visible()


def drop(page, target, name):
    """Lets a picture fall on an element."""
    carried = page.evaluate_handle(
        """([bytes, name]) => {
            const carried = new DataTransfer();
            carried.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
            return carried;
        }""",
        [list(png((30, 90, 200))), name],
    )
    page.dispatch_event(target, "drop", {"dataTransfer": carried})


def test_what_the_service_refuses_says_what_to_do(studio):
    page = studio()
    run = order(page, "something forbidden", "strict/sim-policy")
    expect(run.locator(".fault")).to_contain_text("Change the prompt")
    run.get_by_role("button", name="Remove").click()
    expect(run).to_have_count(0)
    page.fill("#prompt", " ")
    page.click("#generate")
    expect(page.locator("#prompt-error")).to_contain_text("Describe what you want")
    expect(page.locator("#prompt")).to_be_focused()


def test_what_waits_says_why_and_counts_down(studio):
    page = studio()
    run = order(page, "a fox in a crowd", "weary/sim-status-429-after-50")
    state = run.locator("[data-state]")
    expect(state).to_contain_text("tried again: all access to the model is busy")
    expect(state).to_contain_text(re.compile(r"again in [34]\d s"))
    before = state.text_content()
    expect(state).not_to_have_text(before)
    expect(state).to_contain_text(re.compile(r"again in [34]\d s"))
    run.get_by_role("button", name="Cancel").click()


def test_sizes_seeds_and_numbers_are_the_models(studio):
    page = studio()
    page.get_by_text("Own", exact=True).click()
    page.fill("#width", "9000")
    page.fill("#prompt", "too wide")
    page.click("#generate")
    expect(page.locator("#size-error")).to_contain_text("2048")
    page.fill("#width", "128")
    page.fill("#height", "64")
    page.fill("#count", "2")
    page.fill("#seed", "7")
    page.click("#lock")
    run = order(page, "a small pair")
    expect(run.locator(".tile.here")).to_have_count(2)
    expect(page.locator("#seed")).to_have_value("7")
    page.click("#lock")
    expect(page.locator("#seed")).to_have_value("")
    run.get_by_role("button", name="Reuse").click()
    expect(page.locator("#width")).to_have_value("128")
    expect(page.locator("#count")).to_have_value("2")
    expect(page.locator("#seed")).to_have_value("7")
    expect(page.locator("#lock")).to_have_attribute("aria-pressed", "true")


def test_pictures_are_tagged_pinned_and_gone_through_by_keys(studio):
    page = studio()
    small(page)
    page.fill("#count", "2")
    run = order(page, "two herons")
    expect(run.locator(".tile.here")).to_have_count(2)
    page.locator("#prompt").blur()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#lightbox-place")).to_have_text("1 of 2")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#lightbox-place")).to_have_text("2 of 2")
    page.click("[data-do=pin]")
    expect(page.locator("#lightbox [data-do=pin]")).to_have_attribute("aria-pressed", "true")
    page.fill("#picture-tags", "birds, blue")
    page.press("#picture-tags", "Enter")
    expect(run.locator(".facts")).to_contain_text("#birds")
    page.keyboard.press("Escape")
    expect(run.locator(".pinned")).to_have_count(1)
    page.select_option("#tag", "blue")
    expect(page.locator(".run")).to_have_count(1)
    page.locator("#tag").blur()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()


def test_prompts_are_improved_and_restored(studio):
    page = studio()
    page.fill("#prompt", "a cat")
    page.click("#improve")
    expect(page.locator("#prompt")).not_to_have_value("a cat")
    page.get_by_role("button", name="Restore mine").click()
    expect(page.locator("#prompt")).to_have_value("a cat")


def test_a_phone_has_the_order_at_its_bottom(studio):
    page = studio(width=390, height=844, has_touch=True)
    expect(page.locator("#options")).to_be_hidden()
    page.click("#grip")
    expect(page.locator("#model")).to_be_visible()
    small(page)
    run = order(page, "a pocket watch")
    expect(page.locator("#options")).to_be_hidden()
    expect(run.locator(".tile.here img")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_chinese(studio):
    page = studio(locale="zh-CN")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.click("#generate")
    expect(page.locator("#prompt-error")).to_have_text("请描述想看到的画面。")
    small(page)
    run = order(page, "一只狐狸")
    expect(run.locator(".tile.here img")).to_be_visible()
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("button", name="Generate")).to_be_visible()


def test_the_door_says_what_is_wrong(visit):
    page = visit("/studio")
    page.fill("#key", "tp-this-is-no-key")
    page.press("#key", "Enter")
    expect(page.locator("#trouble")).to_contain_text("no API key of this gateway")


def test_who_signs_out_is_out(studio):
    page = studio()
    page.fill("#prompt", "what nobody else shall read")
    page.wait_for_function("() => localStorage.length > 0")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("#key")).to_be_visible()
    assert page.evaluate("localStorage.length") == 0
    assert page.evaluate("fetch('/api/v1/history').then((answer) => answer.status)") == 401
