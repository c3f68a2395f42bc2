"""The demo's functions, without gradio; the page itself where it is there."""

import io
import sys
import tarfile

import numpy as np
import pytest
import torch
from mmengine.utils import is_installed
from PIL import Image
from small_inputs import ROOT
from tools_in_process import fresh_modules
from toy_clip import write_toy_classifier
from toy_configs import DEIT, ZERO_SHOT

from ltvl_mm import LongTailInferencer, embed, get_model

EVIL = '<script>alert(1)</script> & "co"'
KNOWN = ['cat', 'missile', 'owl', 'missile']


@pytest.fixture(autouse=True, scope='module')
def project():
    with fresh_modules(ROOT / 'projects/gradio_demo'):
        yield


@pytest.fixture(scope='module')
def work(toy_home, tmp_path_factory):
    """Weights of a CLIP and of a student, and a store with an evil caption."""
    folder = tmp_path_factory.mktemp('demo')
    write_toy_classifier(folder / 'clip.pth')
    rng = np.random.default_rng(0)
    with tarfile.open(folder / 'web.tar', 'w') as tar:
        for number in range(8):
            data = io.BytesIO()
            pixels = rng.integers(0, 256, (32, 32, 3), np.uint8)
            Image.fromarray(pixels).save(data, 'PNG')
            contents = {'png': data.getvalue(), 'txt': EVIL.encode()}
            for suffix, content in contents.items():
                member = tarfile.TarInfo(f'{number}.{suffix}')
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    embed(
        folder / 'web.tar',
        folder / 'store',
        arch='ltvl-toy',
        pretrained=str(folder / 'clip.pth'),
        workers=0,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(toy_home)
        torch.manual_seed(0)
        state = get_model(DEIT).state_dict()
        classes = {'dataset_meta': {'classes': [f'c{k}' for k in range(96)]}}
        torch.save(
            {'state_dict': state, 'meta': classes}, folder / 'student.pth'
        )
        yield folder


@pytest.fixture
def args(work):
    from app import parse_args

    return parse_args(
        [
            *('--model', 'zero-shot', str(ZERO_SHOT)),
            str(work / 'clip.pth'),
            *('--model', 'student', str(DEIT)),
            str(work / 'student.pth'),
            *('--store', str(work / 'store')),
            *('--pretrained', str(work / 'clip.pth'), '--device', 'cpu'),
        ]
    )


@pytest.fixture
def comparison(args):
    from page import load_comparison

    return load_comparison(args)


@pytest.fixture
def memory(args):
    from page import load_search

    return load_search(args)


def test_store_of_another_preprocessing_is_searched(work, tmp_path):
    from memory_search import MemorySearch

    weights = str(work / 'clip.pth')
    embed(
        work / 'web.tar',
        tmp_path / 'store',
        arch='ltvl-toy',
        pretrained=weights,
        preprocess={'mean': [0.5] * 3, 'std': [0.5] * 3},
        workers=0,
    )
    search = MemorySearch(tmp_path / 'store', weights)
    assert 'mean 0.5 0.5 0.5' in search.store.encoder['preprocessing']
    assert len(search.search(['a cat'], count=3)['a cat']) == 3


def test_each_model_says_what_its_inferencer_says(comparison, work):
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (32, 32, 3), np.uint8)
    names = ['owl', 'c5', 'C7']
    zero_shot, student = comparison.compare(image, names)
    infer = LongTailInferencer(ZERO_SHOT, work / 'clip.pth')
    due = infer(image[..., ::-1].copy(), class_names=names)[0]['pred_scores']
    assert dict(zero_shot.scores) == pytest.approx(
        dict(zip(names, due, strict=True))
    )
    assert not zero_shot.note
    infer = LongTailInferencer(DEIT, work / 'student.pth')
    scores = infer(image[..., ::-1].copy())[0]['pred_scores']
    total = scores[5] + scores[7]
    assert dict(student.scores) == pytest.approx(
        {'c5': scores[5] / total, 'C7': scores[7] / total}
    )
    assert student.note == 'does not know owl'
    assert [share for _, share in student.scores] == sorted(
        (share for _, share in student.scores), reverse=True
    )


def test_without_names_each_model_has_its_own(comparison):
    image = np.zeros((32, 32, 3), np.uint8)
    answers = comparison.compare(image, [])
    assert [len(answer.scores) for answer in answers] == [5, 5]
    assert all(name.startswith('c') for name, _ in answers[1].scores)


def test_fixed_classes_share_what_they_have():
    from comparison import share_among

    scores = np.array([0.1, 0.2, 0.6, 0.1])
    assert share_among(['Missile', 'cat'], KNOWN, scores) == pytest.approx(
        {'Missile': 0.75, 'cat': 0.25}
    )
    assert share_among(['dog'], KNOWN, scores) == {}
    none = share_among(['cat'], KNOWN, np.array([0.0, 0, 1, 0]))
    assert np.isnan(none['cat'])


def test_one_class_is_searched_by_cosine_as_a_full_sort_does(memory):
    found = memory.search(['owl'], count=3)['owl']
    text = memory.clip.encode_class_names(['owl'], 'single').numpy()[0]
    rows = np.arange(len(memory.store))
    cosines = memory.store.read_rows(rows) @ text
    assert [one.cosine for one in found] == pytest.approx(
        sorted(cosines, reverse=True)[:3], abs=1e-4
    )
    assert all(one.share is None and one.picture for one in found)
    assert {one.caption for one in found} == {EVIL}


def test_among_other_classes_the_share_decides(memory):
    memory.among = ('cat', 'dog', 'owl')
    found = memory.search(['owl', 'bee'], count=8)
    assert list(found) == ['owl', 'bee']
    names = ['owl', 'bee', 'cat', 'dog']
    texts = memory.clip.encode_class_names(names, 'single').numpy()
    logits = memory.store.read_rows(np.arange(8)) @ texts.T / 0.01
    shares = np.exp(logits - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    for label, images in enumerate(found.values()):
        assert [one.share for one in images] == pytest.approx(
            sorted(shares[:, label], reverse=True), abs=0.02
        )


@pytest.mark.parametrize('names', [[], ['owl', 'owl']])
def test_classes_are_named_once_each(memory, names):
    with pytest.raises(ValueError, match='each once'):
        memory.search(names)


def test_an_image_that_is_gone_is_not_shown_and_says_why(memory, monkeypatch):
    import memory_search

    def fail(*_):
        raise ValueError('the web images have changed: <b>')

    monkeypatch.setattr(memory_search, 'read_image_bytes', fail)
    from page import search

    page = search(memory, 'owl', 2)
    assert page.count('the web images have changed: &lt;b&gt;') == 2
    assert '<img' not in page


def test_captions_names_and_files_are_text(comparison, memory, tmp_path):
    from page import compare, search

    page = search(memory, 'owl <i>', 4)
    assert page.count('<img src="data:image/jpeg;base64,') == 4
    assert 'owl &lt;i&gt;' in page
    assert '&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;co&quot;' in page
    file = tmp_path / 'a<u>.png'
    Image.new('RGB', (50, 40)).save(file)
    page += compare(comparison, [file, file], '<script>\nc1')
    assert 'a&lt;u&gt;.png #2' in page
    assert 'does not know &lt;script&gt;' in page
    for tag in ('<script', '<i>', '<u>'):
        assert tag not in page


def test_bad_files_are_named(comparison, tmp_path):
    from page import compare

    (tmp_path / 'bad.png').write_bytes(b'no image')
    with pytest.raises(ValueError, match=r'bad\.png: no known image format'):
        compare(comparison, [tmp_path / 'bad.png'], '')
    with pytest.raises(ValueError, match='drop an image first'):
        compare(comparison, None, 'owl')


def test_arguments_are_checked():
    from app import parse_args
    from page import split_lines

    for words in (['--model', 'name'], []):
        with pytest.raises(SystemExit):
            parse_args(words)
    assert split_lines(' owl \n\ncat\nowl') == ['owl', 'cat']


def test_without_gradio_it_says_what_to_install(monkeypatch):
    from page import build_page

    monkeypatch.setitem(sys.modules, 'gradio', None)
    with pytest.raises(ImportError, match=r"pip install -e '\.\[demo\]'"):
        build_page(None, None)


@pytest.mark.skipif(not is_installed('gradio'), reason='needs gradio')
def test_the_page_answers(comparison, memory, tmp_path):
    from gradio_client import Client, handle_file
    from page import build_page

    page = build_page(comparison, memory)
    page.launch(prevent_thread_lock=True, quiet=True)
    try:
        client = Client(page.local_url, verbose=False)
        Image.new('RGB', (50, 40)).save(tmp_path / 'a.png')
        files = [handle_file(tmp_path / 'a.png')]
        assert 'zero-shot' in client.predict(
            files, 'owl\ncat', api_name='/compare'
        )
        assert '&lt;script&gt;' in client.predict('owl', 3, api_name='/search')
    finally:
        page.close()


@pytest.mark.skipif(not is_installed('gradio'), reason='needs gradio')
def test_the_page_works_in_a_browser(comparison, memory, tmp_path):
    """Drop an image of any size, compare; search the store."""
    chromium = pytest.importorskip('chromium')
    from page import build_page

    page = build_page(comparison, memory)
    page.launch(prevent_thread_lock=True, quiet=True)
    Image.new('RGB', (120, 80), 'red').save(tmp_path / 'red photo.png')
    try:
        with chromium.open_browser(tmp_path / 'profile') as browser:
            browser.get(page.local_url)
            wait = chromium.make_wait(browser)
            # The page draws its parts one by one: each is waited for.
            drop = wait.until(chromium.find_all('input[type=file]'))[0]
            drop.send_keys(str(tmp_path / 'red photo.png'))
            wait.until(lambda b: 'red photo' in b.page_source)
            names = wait.until(chromium.find_shown('textarea'))
            names.send_keys('owl\n<b>cat</b>')
            wait.until(chromium.find_shown('button', 'Compare')).click()
            wait.until(lambda b: 'zero-shot' in b.page_source)
            assert '&lt;b&gt;cat&lt;/b&gt;' in browser.page_source
            wait.until(
                chromium.find_shown('button', 'Search the web images')
            ).click()
            search = wait.until(chromium.find_shown('button', 'Search'))
            wait.until(chromium.find_shown('textarea')).send_keys('owl')
            search.click()
            wait.until(lambda b: '&lt;script&gt;' in b.page_source)
            images = wait.until(chromium.find_all('.prose img'))
            assert len(images) >= 3
            browser.save_screenshot(str(tmp_path / 'page.png'))
    finally:
        page.close()
