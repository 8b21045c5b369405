"""Pictures of every page for people to look at: widths, light and dark, languages, empty and full."""

import os
import pathlib

import pytest

from conftest import ADMIN

FOLDER = pathlib.Path(os.environ["SCREENSHOTS"])
PROMPTS = [
    ("A lighthouse on a cliff at dusk, warm light in its window, oil painting", 1024, 576, 3),
    ("水墨山水，远山如黛，一叶扁舟", 768, 1024, 2),
    ("A fox asleep in a library, rain on the window, soft morning light", 1024, 1024, 4),
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


@pytest.mark.parametrize("width,scheme,language", variants())
def test_the_studio(studio, gateway, width, scheme, language):
    height = 844 if width == 390 else 800
    page = studio(width=width, height=height, color_scheme=scheme, locale=language)
    keep(page, "studio-empty", width, scheme, language)
    for prompt, wide, high, count in PROMPTS:
        body = {"prompt": prompt, "width": wide, "height": high, "num_images": count, "model": "demo/demo-image"}
        gateway.api("POST", "/api/v1/tasks", body)
    gateway.api("POST", "/api/v1/tasks", {"model": "strict/sim-policy", "prompt": "forbidden"})
    page.reload()
    page.wait_for_function("document.querySelectorAll('.tile.here').length >= 4")
    page.wait_for_selector(".fault:not([hidden])")
    gateway.api("POST", "/api/v1/tasks", {"model": "slow/z-image-turbo", "prompt": "a ship", "num_images": 2})
    page.reload()
    page.wait_for_selector(".skeleton")
    page.wait_for_selector(".tile.here")
    keep(page, "studio-full", width, scheme, language)
    if width == 390:
        page.click("#grip")
        keep(page, "studio-sheet", width, scheme, language)
        page.click("#grip")
    page.click(".tile.here button")
    page.wait_for_function("document.querySelector('#shown img')?.complete")
    keep(page, "studio-picture", width, scheme, language)


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
