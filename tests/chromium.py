"""A headless Chromium, for what people meet in a browser."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

webdriver = pytest.importorskip('selenium.webdriver')
from selenium.common.exceptions import (  # noqa: E402
    StaleElementReferenceException,
)
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

CHROMIUM = shutil.which('chromium') or shutil.which('google-chrome')
DRIVER = shutil.which('chromedriver')
# CI installs them, and must not pass because they are gone.
if not (CHROMIUM and DRIVER) and 'LTVL_NEEDS_CHROMIUM' not in os.environ:
    pytest.skip('no chromium with chromedriver here', allow_module_level=True)

SWITCHES = (
    'headless=new',
    'no-sandbox',
    'disable-gpu',
    'disable-quic',
    'no-first-run',
    'disable-background-networking',
    'disable-component-update',
    'disable-sync',
)


@contextmanager
def open_browser(profile: Path) -> Iterator['webdriver.Chrome']:
    """Yield a browser that keeps the logs of its console and network.

    Args:
        profile: New folder of the browser's own.
    """
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for word in (*SWITCHES, f'user-data-dir={profile}'):
        options.add_argument(f'--{word}')
    logs = {'browser': 'ALL', 'performance': 'ALL'}
    options.set_capability('goog:loggingPrefs', logs)
    with webdriver.Chrome(
        options=options, service=webdriver.ChromeService(DRIVER)
    ) as driver:
        yield driver


def make_wait(browser: 'webdriver.Chrome', seconds: float = 60):
    """Return a wait, long enough for a machine that tests on all cores."""
    # A page may replace an element between finding it and asking about it.
    ignored = [StaleElementReferenceException]
    return WebDriverWait(browser, seconds, ignored_exceptions=ignored)


def find_all(selector):
    """Return a condition of a wait: the elements, once there are some."""
    return lambda browser: browser.find_elements('css selector', selector)


def find_shown(selector, words=None):
    """Return a condition of a wait: the element that is shown.

    Args:
        selector: CSS selector of the element.
        words: Text of the element; None for any.
    """

    def find(browser):
        for element in browser.find_elements('css selector', selector):
            if element.is_displayed() and words in (None, element.text):
                return element
        return None

    return find
