"""Stages that studies on the toy world share."""

from pathlib import Path

from ltvl_mm.utils.stages import (
    Stage,
    python_stage,
    score_stage,
    train_stage,
)


def list_world_stages(work: Path, seed: int) -> list[Stage]:
    """Make the toy world of a seed, and train and test its CLIP."""
    clip = work / 'clip/epoch_5.pth'
    return [
        python_stage(
            'make the toy world',
            'tools/dataset_converters/make_toy_world.py',
            work / 'world',
            f'--seed={seed}',
        ),
        train_stage('pre-train CLIP', 'clip', work, seed),
        score_stage('test CLIP zero-shot', 'clip_zero_shot', work, clip),
    ]


def list_retrieval_stages(work: Path) -> list[Stage]:
    """Embed the toy world's web images, and retrieve from it."""
    world, clip = work / 'world', work / 'clip/epoch_5.pth'
    weights = ('--arch', 'ltvl-toy', '--pretrained', str(clip))
    return [
        python_stage(
            'embed web images',
            'tools/embed_images.py',
            f'{world}/web',
            '-o',
            work / 'web',
            *weights,
        ),
        python_stage(
            'embed val and test images',
            'tools/embed_images.py',
            f'{world}/val.txt',
            f'{world}/test.txt',
            '-o',
            work / 'held_out',
            *weights,
        ),
        python_stage(
            'retrieve',
            'tools/retrieve.py',
            work / 'web',
            '-o',
            work / 'retrieved',
            f'--class-names={world}/class_names.txt',
            '--templates=single',
            '--temperature=0.05',
            '--budget=balance_to:100',
            f'--class-counts={world}/train.txt',
            *weights[2:],
            '--exclude',
            work / 'held_out',
        ),
    ]


def set_toy_environment(work: Path) -> dict[str, str]:
    """Point the toy configs to what the stages of a seed left in ``work``."""
    return {
        'LTVL_TOY_ROOT': str(work / 'world'),
        'LTVL_TOY_CLIP': str(work / 'clip/epoch_5.pth'),
        'LTVL_TOY_CLIP_VIT': str(work / 'clip_vit/epoch_8.pth'),
        'LTVL_TOY_MANIFEST': str(work / 'retrieved/manifest.parquet'),
        'LTVL_TOY_PHASE_A': str(work / 'ballad_a/epoch_5.pth'),
    }
