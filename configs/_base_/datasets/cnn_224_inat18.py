"""What CNNs are trained on at 224 px on iNaturalist 2018, beside cnn_224.py.

Source: the code of Kang et al. 2020 (arXiv 1910.09217): mean and std of this
data set, and no ColorJitter. Those of LADE, RIDE, TADE and ResLT do the same,
PaCo's and GPaCo's normalize likewise.
"""

# Times 255.
inat18_norm = dict(
    mean=[118.83, 120.105, 96.9], std=[49.725, 49.47, 48.96], to_rgb=True
)
train_pipeline_inat18 = [
    dict(type='LoadImageFromFile'),
    dict(type='RandomResizedCrop', scale=224),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
