"""Fonts of class names in pictures."""

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image, ImageDraw, ImageFont
from small_inputs import write_manifest

from ltvl_mm.structures.manifest_file import load_manifest
from ltvl_mm.visualization import fonts
from ltvl_mm.visualization.class_accuracy import render_class_accuracy
from ltvl_mm.visualization.contact_sheet import draw_contact_sheet


def write_font(path, characters):
    """Write a font whose characters are triangles and .notdef a square."""
    names = {ord(c): f'u{ord(c):04X}' for c in characters}
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(['.notdef', *names.values()])
    builder.setupCharacterMap(names)
    square = [(0, 0), (0, 800), (800, 800), (800, 0)]
    glyphs = {}
    for name in builder.font.getGlyphOrder():
        pen = TTGlyphPen(None)
        corners = square if name == '.notdef' else square[:3]
        pen.moveTo(corners[0])
        for corner in corners[1:]:
            pen.lineTo(corner)
        pen.closePath()
        glyphs[name] = pen.glyph()
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (900, 0)))
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({'familyName': path.stem, 'styleName': 'Regular'})
    builder.setupOS2(sTypoAscender=900, usWinAscent=900)
    builder.setupPost()
    builder.save(path)
    return str(path)


@pytest.fixture
def install(monkeypatch, tmp_path):
    """Function that makes DejaVu Sans and some other fonts the only ones."""

    def run(*others):
        found = [str(path) for path in others]
        monkeypatch.setattr(
            fonts.font_manager, 'findSystemFonts', lambda: found
        )

    return run


@pytest.fixture
def logged(monkeypatch):
    """List of the sentences that are logged."""
    said = []
    monkeypatch.setattr(
        fonts, 'print_log', lambda text, *args, **kwargs: said.append(text)
    )
    return said


def draw_glyph(font, character):
    """Return the pixels of one character."""
    mask = font.getmask(character)
    return np.array(mask).reshape(mask.size[::-1])


@pytest.mark.parametrize('text', ['ünï', 'Жук', 'λ', 'crème brûlée'])
def test_latin_greek_and_cyrillic_have_glyphs_without_installed_fonts(
    install, text
):
    install()
    ((run, font),), missing = fonts.split_by_font(text, 13)
    assert (run, missing) == (text, '')
    square = draw_glyph(font, '\uffff')  # .notdef
    for character in text.replace(' ', ''):
        glyph = draw_glyph(font, character)
        assert glyph.any()
        assert not np.array_equal(glyph, square)


def test_each_run_of_a_text_gets_a_font_that_has_it(install, tmp_path):
    cat = write_font(tmp_path / 'Cat.ttf', '猫')
    install(cat)
    assert fonts.find_fonts('猫') == ([cat], '')
    runs, missing = fonts.split_by_font('ünï 猫 犬', 13)
    assert [text for text, _ in runs] == ['ünï ', '猫', ' 犬']
    assert [font.path for _, font in runs] == [
        fonts._DEFAULT,
        cat,
        fonts._DEFAULT,
    ]
    assert missing == '犬'
    triangle = draw_glyph(runs[1][1], '猫')
    assert triangle[-1, -2] < triangle[0, -2]  # no corner at the lower right


def test_files_that_are_no_fonts_are_left_out(install, tmp_path):
    (tmp_path / 'broken.ttf').write_bytes(b'hello')
    install(tmp_path / 'broken.ttf', tmp_path / 'gone.ttf')
    assert fonts.find_fonts('猫') == ([fonts._DEFAULT], '猫')


def test_the_contact_sheet_names_characters_without_a_font(
    install, logged, tmp_path
):
    install()
    path = write_manifest(tmp_path, ['ünï', '猫', 'cat 犬'], [0, 1, 2])
    manifest, sheet = load_manifest(path), tmp_path / 'sheet.png'
    draw_contact_sheet(sheet, manifest, tmp_path)
    (sentence,) = logged
    assert 'sheet.png: no installed font has the characters 犬 猫,' in sentence
    assert 'apt-get install fonts-noto-cjk' in sentence
    without = np.array(Image.open(sheet))
    install(write_font(tmp_path / 'Both.ttf', '猫犬'))
    draw_contact_sheet(sheet, manifest, tmp_path)
    assert len(logged) == 1
    rows = np.split(np.array(Image.open(sheet)), 3)
    same = [
        np.array_equal(row, other)
        for row, other in zip(rows, np.split(without, 3), strict=True)
    ]
    assert same == [True, False, False]


def test_ascii_names_keep_the_font_of_pillow(logged, tmp_path, monkeypatch):
    monkeypatch.setattr(fonts, 'find_fonts', None)  # is not called
    path = write_manifest(tmp_path, ['cat'], [0])
    draw_contact_sheet(tmp_path / 'a.png', load_manifest(path), tmp_path)
    picture = Image.open(tmp_path / 'a.png').convert('L')
    label = np.array(picture)[10:26, 6:60]
    due = Image.new('L', (54, 16), 'white')
    pillow_font = ImageFont.load_default(size=13)
    ImageDraw.Draw(due).text((0, 0), 'cat', fill=0, font=pillow_font)
    assert np.array_equal(label, np.array(due))


@pytest.mark.filterwarnings('error:Glyph')
def test_figures_fall_back_to_fonts_that_have_the_characters(
    install, logged, tmp_path
):
    install(write_font(tmp_path / 'Figure.ttf', '猫'))
    counts, values = np.array([1, 10, 100]), np.array([10.0, 20.0, 30.0])
    render_class_accuracy(counts, {'ünï': values, '猫 a': values}, 'title')
    assert logged == []


@pytest.mark.filterwarnings('ignore:Glyph')
def test_figures_name_characters_without_a_font(install, logged):
    install()
    counts, values = np.array([1, 10, 100]), np.array([10.0, 20.0, 30.0])
    render_class_accuracy(counts, {'model': values}, '猫')
    (sentence,) = logged
    assert sentence.startswith('猫: no installed font has the characters 猫,')
