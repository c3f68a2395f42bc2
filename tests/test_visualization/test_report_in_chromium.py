"""The report page as people meet it: in a browser, from the disk."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from study_folder import HOSTILE, NAMES, read_study, write_study

from ltvl_mm.visualization.report import (
    pick_training_images,
    read_retrieval,
    write_report,
)
from ltvl_mm.visualization.report.plot import COLORS

pytest.importorskip('selenium')
from chromium import make_wait, open_browser
from report_window import find_contrast, list_cards, show
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select


@pytest.fixture(scope='module')
def page(tmp_path_factory):
    folder = write_study(tmp_path_factory.mktemp('study'))
    write_report(
        folder / 'report.html',
        read_study(folder, seeds=[0]),
        retrieval=read_retrieval(folder / 'retrieved/manifest.parquet'),
        truth={f'k{number}': NAMES[0] for number in range(9)},
        training=pick_training_images(folder / 'train.txt', folder, 4),
    )
    return folder / 'report.html'


@pytest.fixture(scope='module')
def browser(tmp_path_factory):
    with open_browser(tmp_path_factory.mktemp('profile')) as driver:
        yield driver


@pytest.fixture
def opened(browser, page):
    show(browser, page)
    return browser


def test_it_loads_without_errors_and_without_network(opened):
    assert opened.get_log('browser') == []
    messages = [
        json.loads(entry['message'])['message']
        for entry in opened.get_log('performance')
    ]
    addresses = [
        message['params']['request']['url']
        for message in messages
        if message['method'] == 'Network.requestWillBeSent'
        # The browser's own pages are none of ours.
        and message['params']['documentURL'].startswith('file:')
    ]
    assert addresses
    assert all(a.startswith(('file:', 'data:')) for a in addresses), addresses
    assert opened.execute_script('return plots().length') >= 10


@pytest.mark.parametrize('width', [1280, 390])
@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_a_screenshot_is_not_blank_and_nothing_sticks_out(
    browser, page, width, scheme
):
    show(browser, page, width=width, scheme=scheme)
    for part in ('verdict', 'quality', 'accuracy', 'reliability', 'gallery'):
        browser.execute_script(
            'document.getElementById(arguments[0]).scrollIntoView()', part
        )
        picture = Image.open(io.BytesIO(browser.get_screenshot_as_png()))
        gray = np.asarray(picture.convert('L'), float)
        assert gray.std() > 10, part
        ground = np.median(gray)
        assert ground > 200 if scheme == 'light' else ground < 60
    wide = browser.execute_script(
        'return document.documentElement.scrollWidth'
    )
    assert wide <= width


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_words_stand_out_from_their_ground(browser, page, scheme):
    show(browser, page, scheme=scheme)

    def find(name):
        return browser.execute_script(
            'return getComputedStyle(document.documentElement)'
            '.getPropertyValue(arguments[0])',
            name,
        )

    # WCAG 2.2, AA: 1.4.3 for words, 1.4.11 for what figures draw.
    for ground in ('--ground', '--card'):
        for text in ('--text', '--quiet', '--link'):
            contrast = find_contrast(find(ground), find(text))
            assert contrast >= 4.5, (ground, text)
    for color in COLORS:
        assert find_contrast(find('--ground'), color) >= 3.3, color
    # Figures follow the page.
    said = browser.execute_script('return plots()[0].layout.font.color.trim()')
    assert said == ('#1b1e23' if scheme == 'light' else '#e6e8eb')


def test_captions_and_names_of_the_web_are_text(opened):
    assert opened.execute_script('return window.hit') is None
    assert f'toad {HOSTILE}' in list_cards(opened)
    item = opened.find_element('css selector', '#cards li[role]')
    assert item.get_attribute('title').startswith(HOSTILE)
    assert HOSTILE in opened.find_element('id', 'copies').text
    # In figures as well, where plotly knows some markup.
    worst = opened.find_element('id', 'confusion').text
    assert HOSTILE in worst


def test_the_gallery_is_filtered_by_class_and_by_group(opened):
    assert list_cards(opened)[:3] == ['cat', 'dog', 'owl']
    name = opened.find_element('id', 'filter-name')
    name.send_keys('O')
    assert list_cards(opened) == ['dog', 'owl', f'toad {HOSTILE}']
    opened.find_element('css selector', '#filter-group').send_keys('few')
    assert list_cards(opened) == ['owl', f'toad {HOSTILE}']
    assert opened.find_element('id', 'shown').text == '2 of 4 classes'
    name.send_keys('xyz')
    assert list_cards(opened) == []


def test_the_gallery_is_sorted(opened):
    select = Select(opened.find_element('id', 'order'))
    toad = f'toad {HOSTILE}'
    for value, order in (
        ('images', [toad, 'owl', 'dog', 'cat']),
        ('yield', ['cat', 'dog', 'owl', toad]),
        ('score', [toad, 'owl', 'dog', 'cat']),
        ('label', ['cat', 'dog', 'owl', toad]),
    ):
        select.select_by_value(value)
        assert list_cards(opened) == order


def test_it_is_used_from_the_keyboard(opened):
    opened.find_element('tag name', 'body').send_keys(Keys.TAB)
    first = opened.switch_to.active_element
    assert first.text == 'Skip to the verdict'
    seen = set()
    # Links, tables, and two buttons in the toolbar of each figure.
    for _ in range(70):
        opened.switch_to.active_element.send_keys(Keys.TAB)
        active = opened.switch_to.active_element
        seen.add(active.get_attribute('id') or active.tag_name)
    assert {'filter-name', 'filter-group', 'order', 'select', 'li'} <= seen


def test_arrows_choose_an_image_whose_caption_is_shown(opened):
    toads = opened.find_elements('css selector', '.card')[3]
    first, second, *_ = toads.find_elements('css selector', 'li[role]')
    line = toads.find_element('css selector', '.caption')
    assert line.text == first.get_attribute('title')
    opened.execute_script('arguments[0].focus()', first)
    first.send_keys(Keys.ARROW_RIGHT)
    assert opened.switch_to.active_element == second
    assert line.text == second.get_attribute('title') != ''
    # One stop of the tab key per class.
    stops = toads.find_elements('css selector', 'li[tabindex="0"]')
    assert stops == [second]
    first.click()
    assert line.text == first.get_attribute('title')


@pytest.mark.parametrize('touch', [True, False])
def test_a_finger_scrolls_the_page_and_a_mouse_zooms(browser, page, touch):
    show(browser, page, width=390, touch=touch)
    modes = browser.execute_script(
        'return plots().map((plot) => plot._fullLayout.dragmode)'
    )
    assert set(modes) == ({False} if touch else {'zoom'})


def test_a_chart_shows_the_method_that_is_chosen(opened):
    def list_shown():
        return opened.execute_script(
            'return [...document.querySelectorAll("#reliability .variant")]'
            '.map((figure) => figure.getBoundingClientRect().height > 100)'
        )

    assert list_shown() == [False, True]
    opened.find_element('css selector', '#reliability select').send_keys(
        'plain'
    )
    assert list_shown() == [True, False]
    # It was drawn while it was hidden, and had no width.
    make_wait(opened).until(
        lambda browser: browser.execute_script(
            'return document.querySelector("#plot-reliability-0 .main-svg")'
            '.getBoundingClientRect().width > 900'
        )
    )


@pytest.mark.parametrize('width', [1280, 390])
def test_the_toolbar_stands_beside_the_legend(browser, page, width):
    show(browser, page, width=width)
    overlaps = browser.execute_script(
        'return plots().filter((plot) => {'
        'const bar = plot.querySelector(".modebar").getBoundingClientRect();'
        'return [...plot.querySelectorAll(".legend, .plotbg, .bg")].some('
        '(part) => { const box = part.getBoundingClientRect();'
        'return box.width && box.right > bar.left + 1 && box.left < bar.right'
        ' && box.top < bar.bottom && box.bottom > bar.top; }); })'
        '.map((plot) => plot.id)'
    )
    assert overlaps == []


def test_no_table_is_cut_off_on_a_phone(browser, page):
    show(browser, page, width=390)
    browser.execute_script(
        'document.querySelectorAll("details").forEach((d) => d.open = true)'
    )
    cut = browser.execute_script(
        'return [...document.querySelectorAll(".wide")].filter('
        '(part) => part.scrollWidth > part.clientWidth + 1)'
        '.map((part) => part.getAttribute("aria-label"))'
    )
    assert cut == []
    # A cell names its column, whose heading is not above it.
    label = browser.execute_script(
        'return getComputedStyle(document.querySelector("#results td"),'
        ' "::before").content'
    )
    assert label == '"seeds"'


def test_frequent_classes_are_on_the_left(opened):
    ranges = opened.execute_script(
        'return ["#plot-accuracy-0", "#plot-arrows-0"].map((name) =>'
        'document.querySelector(name)._fullLayout.xaxis.range)'
    )
    assert all(left > right for left, right in ranges)


def test_the_table_of_classes_is_sorted_by_a_column(opened):
    opened.execute_script(
        'document.querySelector("#classes details").open = true'
    )

    def list_names():
        return opened.execute_script(
            'return [...document.querySelectorAll("#classes tbody th")]'
            '.map((cell) => cell.textContent.slice(0, 4))'
        )

    assert list_names() == ['cat', 'dog', 'owl', 'toad']
    buttons = opened.find_elements('css selector', '#classes .sort')
    assert [button.text for button in buttons[4:]] == ['plain', 'tackle']
    buttons[4].click()
    assert list_names() == ['toad', 'owl', 'dog', 'cat']
    buttons[4].click()
    assert list_names() == ['cat', 'dog', 'owl', 'toad']


def test_training_images_stand_beside_retrieved_ones(opened):
    boxes = opened.execute_script(
        'const card = document.querySelector(".card");'
        'return [".training img", "li[role] img"].map((name) => {'
        'const box = card.querySelector(name).getBoundingClientRect();'
        'return [box.top, box.right, box.left]; })'
    )
    (top, right, _), (other, _, left) = boxes
    assert abs(top - other) < 5
    assert right < left


def test_what_screen_readers_need_is_there(opened):
    nameless = opened.execute_script(
        'return [...document.querySelectorAll('
        '"img:not([alt]), input, select, [role=region]")]'
        '.filter((part) => part.tagName === "IMG" || !(part.labels?.length'
        ' || part.getAttribute("aria-label"))).length'
    )
    assert nameless == 0
    assert opened.execute_script('return document.documentElement.lang')
    figures = opened.find_elements('css selector', 'figure.variant')
    captions = opened.find_elements('css selector', 'figure > figcaption')
    assert len(figures) == len(captions) >= 8
