"""The page of a report in a window of a browser."""

import numpy as np
from chromium import make_wait


def show(browser, page, *, width=1280, scheme='light', touch=False):
    """Load the file of a report in a window, and wait until it is drawn."""
    browser.execute_cdp_cmd(
        'Emulation.setTouchEmulationEnabled', dict(enabled=touch)
    )
    browser.execute_cdp_cmd(
        'Emulation.setDeviceMetricsOverride',
        dict(width=width, height=900, deviceScaleFactor=1, mobile=width < 600),
    )
    browser.execute_cdp_cmd(
        'Emulation.setEmulatedMedia',
        dict(features=[dict(name='prefers-color-scheme', value=scheme)]),
    )
    # A page that is there already would not be waited for.
    browser.get('about:blank')
    browser.get(page.as_uri())
    make_wait(browser).until(
        lambda browser: browser.execute_script(
            'return document.documentElement.dataset.drawn === "yes"'
        )
    )


def find_contrast(one, other):
    """Return the contrast ratio of WCAG of two hexadecimal colors."""
    lights = []
    for color in (one.strip(' #'), other.strip(' #')):
        whole = ''.join(2 * c for c in color) if len(color) == 3 else color
        parts = np.array([int(whole[i : i + 2], 16) for i in (0, 2, 4)]) / 255
        linear = np.where(
            parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4
        )
        lights.append(linear @ [0.2126, 0.7152, 0.0722])
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def list_cards(browser):
    """Return the titles of the cards that a gallery shows."""
    return browser.execute_script(
        'return [...document.querySelectorAll(".card")]'
        '.filter((card) => !card.hidden)'
        '.map((card) => card.querySelector("h3").textContent)'
    )
