"""Pictures of every page for people to look at: widths, light and dark, languages, empty and full."""

import os
import pathlib
import time

import pytest

from conftest import ADMIN, enter

FOLDER = pathlib.Path(os.environ["SCREENSHOTS"])
WORKS = [
    ("A lighthouse on a cliff at dusk, warm light in its window, oil painting", 512, 288, 3),
    ("水墨山水，远山如黛，一叶扁舟", 288, 384, 2),
    ("A fox asleep in a library, rain on the window, soft morning light", 256, 256, 4),
]


def variants():
    return [
        pytest.param(width, scheme, language, id=f"{width}-{scheme}-{language}")
        for width in (1280, 390)
        for scheme in ("light", "dark")
        for language in ("en", "zh-CN")
    ]


def keep(page, name, width, scheme, language):
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=FOLDER / f"{name}-{width}-{scheme}-{language}.png")


@pytest.fixture(scope="module")
def works(served):
    """A gateway on which something was made, and something failed."""
    served.empty()
    orders = [
        {"prompt": prompt, "width": wide, "height": high, "num_images": count, "model": "demo/demo-image"}
        for prompt, wide, high, count in WORKS
    ]
    orders.append({"model": "strict/sim-policy", "prompt": "forbidden"})
    for order in orders:
        task = served.api("POST", "/api/v1/tasks", order)["task_id"]
        while served.api("GET", f"/api/v1/task/{task}")["status"] in ("pending", "processing", "retrying"):
            time.sleep(0.1)
    return served


@pytest.mark.parametrize("width,scheme,language", variants())
def test_the_full_studio(visit, works, width, scheme, language):
    height = 844 if width == 390 else 800
    page = enter(visit("/studio", width=width, height=height, color_scheme=scheme, locale=language))
    works.api("POST", "/api/v1/tasks", {"model": "slow/z-image-turbo", "prompt": "a ship"})
    page.reload()
    page.wait_for_selector(".skeleton")
    page.wait_for_selector(".tile.here")
    keep(page, "studio-full", width, scheme, language)
    page.locator(".tile.here").last.scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelectorAll('.tile.here').length >= 4")
    keep(page, "studio-history", width, scheme, language)
    if width == 390:
        page.click("#grip")
        keep(page, "studio-sheet", width, scheme, language)
        page.click("#grip")
    page.locator(".tile.here button").last.click()
    page.wait_for_function("() => document.querySelector('#shown img')?.complete")
    keep(page, "studio-picture", width, scheme, language)


@pytest.mark.parametrize("width,scheme,language", variants())
def test_the_empty_studio(studio, width, scheme, language):
    page = studio(width=width, height=844 if width == 390 else 800, color_scheme=scheme, locale=language)
    page.wait_for_selector("#nothing:not([hidden])")
    keep(page, "studio-empty", width, scheme, language)


@pytest.mark.parametrize("width,scheme,language", variants())
def test_the_door_and_supervision(visit, width, scheme, language):
    height = 844 if width == 390 else 800
    options = {"width": width, "height": height, "color_scheme": scheme, "locale": language}
    keep(visit("/studio", **options), "door", width, scheme, language)
    page = visit("/admin/supervision", http_credentials=ADMIN, **options)
    page.wait_for_selector(".scripted")
    keep(page, "supervision-full", width, scheme, language)
    page.goto(page.url + "?q=nothing-like-that")
    keep(page, "supervision-empty", width, scheme, language)
