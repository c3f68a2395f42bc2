"""Methods of the study: their configs, and what is trained before them."""

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # what all studies share

from toy_stages import NO_RETRIEVAL, RECIPES

RESNET = 'ResNet-18'
CLIP_STUDENT = "CLIP's ResNet"
CLIP = 'CLIP'
VIT = "CLIP's ViT"


@dataclass(frozen=True)
class Method:
    """A row of the tables.

    Args:
        title: Name in tables.
        config: Name of the config below ``configs/toy``.
        student: Name of the model that is trained.
        first: Config of the stage before it; '' for none.
        options: Options that point the config to the first stage; ``{}``
            stands for its folder.
        recipes: Keys of ``RECIPES`` that it is trained with.
        soup: True if the first stage is many trainings on subsets, whose
            weights are averaged.
        rebalancing: True for a re-balancing method, which change loss,
            sampling, classifier or experts.
    """

    title: str
    config: str
    student: str = RESNET
    first: str = ''
    options: tuple[str, ...] = ()
    recipes: tuple[str, ...] = tuple(RECIPES)
    soup: bool = False
    rebalancing: bool = True


PLAIN = 'cross_entropy'
# LT-Soups: largest ratio of the images of two classes in the subsets of each
# round, subsets a round, and share of a new round in the merged weights.
SOUP_IMBALANCES = tuple(2**power for power in range(7))
SOUP_SUBSETS = 2
SOUP_SHARE = 0.7
_STAGE_1 = ('model.stage_1={}',)
_PHASE_A = ('model.backbone.pretrained={}', 'model.head.pretrained={}')
_FIRST = 'cross_entropy/cross_entropy_r18'
_OTHER = dict(rebalancing=False)
_ALONE = (NO_RETRIEVAL,)

METHODS = {
    PLAIN: Method('cross-entropy', _FIRST, **_OTHER),
    'class_balanced': Method(
        'class-balanced sampling', 'class_balanced/class_balanced_r18'
    ),
    'square_root': Method(
        'square-root sampling', 'square_root/square_root_r18'
    ),
    'progressive': Method(
        'progressively balanced sampling', 'progressive/progressive_r18'
    ),
    'balanced_softmax': Method(
        'balanced softmax', 'balanced_softmax/balanced_softmax_r18'
    ),
    'balanced_softmax_decoupled': Method(
        'balanced softmax, decoupled',
        'balanced_softmax/balanced_softmax_decoupled_r18',
        first=_FIRST,
        options=_STAGE_1,
    ),
    'lade': Method('LADE', 'lade/lade_r18'),
    'ldam_drw': Method('LDAM-DRW', 'ldam_drw/ldam_drw_r18'),
    'crt': Method('cRT', 'crt/crt_r18', first=_FIRST, options=_STAGE_1),
    'lws': Method('LWS', 'lws/lws_r18', first=_FIRST, options=_STAGE_1),
    'oltr': Method('OLTR', 'oltr/oltr_r18', first=_FIRST, options=_STAGE_1),
    'ride': Method('RIDE, 3 experts', 'ride/ride_r18'),
    'ride_from6': Method(
        'RIDE, 3 experts distilled from 6',
        'ride/ride_from6_r18',
        first='ride/ride6_r18',
        options=('model.teacher_checkpoint={}',),
    ),
    'ride_routed': Method(
        'RIDE, 3 experts routed',
        'ride/ride_routed_r18',
        first='ride/ride_r18',
        options=_STAGE_1,
    ),
    'tade': Method('TADE, 3 experts', 'tade/tade_r18'),
    'paco': Method('PaCo', 'paco/paco_r18'),
    'gpaco': Method('GPaCo', 'gpaco/gpaco_r18'),
    'reslt': Method('ResLT', 'reslt/reslt_r18'),
    'weighted': Method(
        'cross-entropy, images weighed by p_k',
        'cross_entropy/cross_entropy_weighted_r18',
        recipes=('plain',),  # its weights are a recipe of their own
        **_OTHER,
    ),
    'deit': Method(
        'DeiT', 'cross_entropy/cross_entropy_deit', 'DeiT', **_OTHER
    ),
    'container': Method(
        'CONTAINER',
        'cross_entropy/cross_entropy_container',
        'CONTAINER',
        **_OTHER,
    ),
    'rn_clip': Method(
        "cross-entropy, CLIP's weights",
        'cross_entropy/cross_entropy_rn_clip',
        CLIP_STUDENT,
        **_OTHER,
    ),
    'paco_rn_clip': Method(
        "PaCo, CLIP's weights",
        'paco/paco_rn_clip',
        CLIP_STUDENT,
        recipes=_ALONE,
    ),
    'lws_rn_clip': Method(
        "LWS, CLIP's weights",
        'lws/lws_rn_clip',
        CLIP_STUDENT,
        first='cross_entropy/cross_entropy_rn_clip',
        options=_STAGE_1,
        recipes=_ALONE,
    ),
    'ballad_v_only': Method(
        'BALLAD, phase A, image tower',
        'ballad/ballad_v_only',
        CLIP,
        recipes=_ALONE,
        **_OTHER,
    ),
    'ballad_l_only': Method(
        'BALLAD, phase A, text tower',
        'ballad/ballad_l_only',
        CLIP,
        recipes=_ALONE,
        **_OTHER,
    ),
    'ballad_a': Method('BALLAD, phase A', 'ballad/ballad_a', CLIP, **_OTHER),
    'ballad_joint': Method(
        'BALLAD, both phases jointly',
        'ballad/ballad_joint',
        CLIP,
        recipes=_ALONE,
        **_OTHER,
    ),
    'ballad': Method(
        'BALLAD, A then B',
        'ballad/ballad_b',
        CLIP,
        first='ballad/ballad_a',
        options=_PHASE_A,
        **_OTHER,
    ),
    'lift': Method(
        'LIFT: adapters in CLIP', 'lift/lift_rn_clip', CLIP, **_OTHER
    ),
    'lift_vit': Method(
        'LIFT: adapters in a ViT of CLIP', 'lift/lift_vit', VIT, **_OTHER
    ),
    'lift_lora': Method(
        'LIFT: LoRA in a ViT of CLIP', 'lift/lift_lora', VIT, **_OTHER
    ),
    'lift_vpt': Method(
        'LIFT: prompts in a ViT of CLIP', 'lift/lift_vpt', VIT, **_OTHER
    ),
    'lift_plus': Method(
        'LIFT+: adapters in a ViT of CLIP',
        'lift_plus/lift_plus_vit',
        VIT,
        **_OTHER,
    ),
    'lt_soups': Method(
        'LT-Soups of a ViT of CLIP',
        'lt_soups/lt_soups_vit',
        VIT,
        first='lt_soups/lt_soups_vit_1',
        options=(f'model.stage_1={{}}/round_{len(SOUP_IMBALANCES) - 1}.pth',),
        soup=True,
        **_OTHER,
    ),
}
# Mixed with the zero-shot CLIP.
ENSEMBLES = (PLAIN, 'deit', 'container')
# Made of the plain student: row -> file, and row in it.
POST_HOC = {
    'post-hoc logit adjustment': ('adjustment.json', 'logit adjustment'),
    'PC softmax': ('adjustment.json', 'PC softmax'),
    'tau-normalized': ('classifiers.json', 'tau-normalized'),
    'NCM': ('classifiers.json', 'NCM'),
}
ZERO_SHOT_TITLE = 'CLIP zero-shot'
# ResLT's other exponent, chosen on val as the plain student's tau is.
RESLT_GAMMA = 'ResLT, gamma chosen on val'


def name_ensemble(method: Method) -> str:
    """Return the row of a student that is mixed with CLIP."""
    return f'{method.title} + CLIP'
