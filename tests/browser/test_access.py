"""The pages with a screen reader and other aids: axe finds nothing serious, in light and dark."""

import os
import pathlib

import pytest

from conftest import ADMIN

AXE = pathlib.Path(os.environ["NODE_MODULES"], "axe-core", "axe.min.js").read_text(encoding="utf-8")


def faults(page):
    """The serious faults that axe finds, with the elements."""
    page.wait_for_function("() => document.getAnimations().every((one) => one.playState !== 'running')", timeout=5_000)
    page.evaluate(AXE)
    found = page.evaluate("axe.run()")
    assert len(found["passes"]) > 10, "it has looked"
    return [
        (fault["id"], [node["html"] for node in fault["nodes"]])
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_studio(studio, gateway, scheme, width):
    page = studio(width=width, color_scheme=scheme, reduced_motion="reduce")
    assert faults(page) == []
    for prompt, model in [("a fox", "demo/demo-image"), ("forbidden", "strict/sim-policy")]:
        gateway.api("POST", "/api/v1/tasks", {"model": model, "prompt": prompt, "width": 64, "height": 64})
    page.reload()
    page.wait_for_selector(".tile.here")
    page.wait_for_selector(".fault:not([hidden])")
    if width == 390:
        page.click("#grip")
    page.click("#details summary")
    assert faults(page) == []
    if width == 390:
        page.click("#grip")
    page.click(".tile button")
    page.wait_for_selector("#lightbox[open]")
    assert faults(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.wait_for_selector("#help[open]")
    assert faults(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_door(visit, scheme):
    page = visit("/studio", color_scheme=scheme)
    assert faults(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_supervision(visit, scheme):
    page = visit("/admin/supervision", color_scheme=scheme, http_credentials=ADMIN)
    page.wait_for_selector(".scripted #status", state="attached")
    assert faults(page) == []
