import cv2
import numpy as np
import pytest
import torch
from inferencer_files import list_images, write_inferencer_files
from mmengine.config import Config
from mmpretrain import ImageClassificationInferencer
from toy_configs import BALLAD, DEIT, ENSEMBLE, TOY, ZERO_SHOT

from ltvl_mm import LongTailInferencer, get_model
from ltvl_mm.clip.text_encoder import encode_classes
from ltvl_mm.clip.tokenization import tokenize_classes
from ltvl_mm.clip.towers import build_tokenizer

NAMES = ('red disc', 'owl', 'a long table')


@pytest.fixture(scope='module', autouse=True)
def files(toy_home, tmp_path_factory):
    yield from write_inferencer_files(toy_home, tmp_path_factory)


@pytest.fixture(scope='module')
def images(toy_root):
    return list_images(toy_root)


@pytest.fixture(scope='module')
def clip(files):
    return LongTailInferencer(ZERO_SHOT, files / 'clip.pth')


@pytest.fixture(scope='module')
def student(files):
    return LongTailInferencer(str(DEIT), files / 'student.pth', device='cpu')


def compute_scores(model, images, names, templates=('a photo of a {}.',)):
    """Return (N, K) scores of a CLIP classifier, the obvious way."""
    head = model.head
    tokens = tokenize_classes(names, templates, build_tokenizer('ltvl-toy'))
    texts = encode_classes(head.text, tokens)
    rows = []
    for image in images:
        pixels = cv2.imread(image)[..., ::-1].copy()  # RGB
        inputs = torch.from_numpy(pixels).permute(2, 0, 1).float()
        processor = model.data_preprocessor
        inputs = (inputs - processor.mean) / processor.std
        feats = model.extract_feat(inputs[None])[-1]
        feats = feats / feats.norm(dim=-1, keepdim=True)
        scale = head.logit_scale.exp().clamp(max=100)
        rows.append((scale * feats @ texts.t()).softmax(-1)[0])
    return torch.stack(rows).numpy()


@torch.no_grad()
@pytest.mark.parametrize('batch_size', [1, 2, 8])
def test_classes_named_at_the_call_are_scored_by_their_texts(
    clip, images, batch_size
):
    found = clip(images, batch_size=batch_size, class_names=NAMES)
    due = compute_scores(clip.model, images, NAMES)
    for row, scores in zip(found, due, strict=True):
        np.testing.assert_allclose(row['pred_scores'], scores, atol=1e-5)
        assert row['pred_label'] == scores.argmax()
        assert row['pred_class'] == NAMES[scores.argmax()]
        assert row['pred_score'] == pytest.approx(scores.max(), abs=1e-5)


@torch.no_grad()
def test_templates_and_a_file_of_names_may_be_given(clip, images, tmp_path):
    (tmp_path / 'names.txt').write_text('\n'.join(NAMES))
    templates = ['a {}', 'a drawing of a {}']
    found = clip(
        images[0],
        class_names=str(tmp_path / 'names.txt'),
        templates=templates,
    )
    due = compute_scores(clip.model, images[:1], NAMES, templates)
    np.testing.assert_allclose(found[0]['pred_scores'], due[0], atol=1e-5)
    with pytest.raises(ValueError, match='templates= needs class_names='):
        clip(images[0], templates=templates)


def test_other_classes_are_asked_for_once_only(clip, images, toy_root):
    names = (toy_root / 'class_names.txt').read_text().splitlines()
    before = clip(images)
    assert {row['pred_class'] for row in before} <= set(names)
    clip(images, class_names=['one class'])
    with pytest.raises(ValueError, match='cannot be read'):
        clip('gone.png', class_names=NAMES)
    with pytest.raises(ValueError, match='has no class name'):
        clip(images, class_names=['', 'owl'])
    after = clip(images)
    for one, other in zip(before, after, strict=True):
        assert np.array_equal(one['pred_scores'], other['pred_scores'])
        assert one['pred_class'] == other['pred_class']


def test_ballad_takes_classes_at_the_call_and_needs_no_phase_a(files, images):
    ballad = LongTailInferencer(BALLAD, files / 'ballad.pth')
    # BALLAD's checkpoint holds all: phase A is not needed any more.
    assert not (files / 'work_dirs/ballad_a').exists()
    with torch.no_grad():
        due = compute_scores(ballad.model, images, NAMES)
    found = ballad(images, class_names=NAMES)
    scores = np.stack([row['pred_scores'] for row in found])
    np.testing.assert_allclose(scores, due, atol=1e-5)
    assert len(ballad(images)[0]['pred_scores']) == 96


def test_an_ensemble_answers_and_of_texts_takes_classes(files, images):
    mixed = LongTailInferencer(ENSEMBLE)
    assert len(mixed(images, batch_size=3)) == 5
    with pytest.raises(ValueError, match=r"head of 'student' is a .*fixed"):
        mixed(images, class_names=NAMES)
    config = Config.fromfile(ENSEMBLE)
    clip = config.model.members.clip
    config.model.members = dict(one=clip, other=clip)
    config.model.weights = dict(one=0.25, other=0.75)
    config.model.scales = config.model.checkpoints = {}
    texts = LongTailInferencer(config)
    found = texts(images, class_names=NAMES)
    alone = LongTailInferencer(ZERO_SHOT)
    for row, due in zip(found, alone(images, class_names=NAMES), strict=True):
        np.testing.assert_allclose(
            row['pred_scores'], due['pred_scores'], atol=1e-5
        )
        assert row['pred_class'] == due['pred_class']


def test_a_student_says_what_the_host_says(student, images):
    host = ImageClassificationInferencer(student.model, pretrained=False)
    for ours, theirs in zip(
        student(images, batch_size=2), host(images), strict=True
    ):
        assert ours.keys() == theirs.keys() | {'pred_class'}
        np.testing.assert_allclose(
            ours['pred_scores'], theirs['pred_scores'], atol=1e-6
        )
        assert ours['pred_class'] == f'c{theirs["pred_label"]}'
    samples = student(images, return_datasamples=True)
    assert [int(sample.pred_label) for sample in samples] == [
        row['pred_label'] for row in student(images)
    ]


def test_experts_answer_with_their_mean(files, images):
    config = Config.fromfile(TOY / 'ride/ride_r18.py')
    torch.manual_seed(0)
    experts = LongTailInferencer(config, pretrained=False)
    scores = experts(images)[1]['pred_scores']
    assert scores.shape == (96,)
    assert scores.sum() == pytest.approx(1, abs=1e-5)


def test_a_student_has_fixed_classes(student, images):
    with pytest.raises(ValueError, match='zero-shot CLIP, BALLAD'):
        student(images, class_names=NAMES)


def test_features_are_those_before_the_classifier(
    student, clip, images, files
):
    found = student(images, batch_size=2, return_features=True)
    layer = student.model.head.layers.head
    for row in found:
        scores = layer(torch.from_numpy(row['features'])).softmax(-1)
        np.testing.assert_allclose(
            scores.detach(), row['pred_scores'], atol=1e-5
        )
    assert 'features' not in student(images)[0]
    sample = clip(images[0], return_features=True, return_datasamples=True)[0]
    assert sample.features.shape == (128,)
    mixed = LongTailInferencer(ENSEMBLE)
    with pytest.raises(ValueError, match=r'Ensemble.* several feature spaces'):
        mixed(images, return_features=True)


def test_names_that_do_not_fit_are_refused(files, images):
    wrong = LongTailInferencer(
        DEIT, files / 'student.pth', classes=['cat', 'dog']
    )
    with pytest.raises(ValueError, match=r'2 classes are named.*has 96'):
        wrong(images)
    with pytest.raises(ValueError, match='has 96'):  # before all are read
        wrong([images[0], 'missing.jpg'])


def test_what_cannot_infer_says_so(files, toy_folder):
    model = get_model(DEIT)
    del model._config
    with pytest.raises(ValueError, match=r'build it with ltvl_mm\.get_model'):
        LongTailInferencer(model)
    phase_a = toy_folder / 'work_dirs/ballad_a/epoch_5.pth'
    phase_a.parent.mkdir(parents=True)
    phase_a.symlink_to(files / 'clip.pth')
    with pytest.raises(ValueError, match='no pipeline that makes inputs'):
        LongTailInferencer(TOY / 'ballad/ballad_b_cached.py', pretrained=False)


def test_a_model_that_is_built_may_get_weights(files, images, student):
    model = get_model(DEIT)
    as_built = LongTailInferencer(model)(images)[0]['pred_scores']
    loaded = LongTailInferencer(model, files / 'student.pth')
    assert loaded.classes[3] == 'c3'
    scores = loaded(images)[0]['pred_scores']
    assert np.array_equal(scores, student(images)[0]['pred_scores'])
    assert not np.array_equal(scores, as_built)
