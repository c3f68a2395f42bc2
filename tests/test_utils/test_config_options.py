from ltvl_mm.utils.command_line import add_config_options, make_parser
from ltvl_mm.utils.config_options import format_config_options


def test_config_options_come_back_as_they_were():
    options = {
        'train_cfg.max_epochs': 2,
        'optimizer.lr': 0.025,
        'randomness': None,
        'auto_scale_lr.enable': True,
        'work_dir': 'runs/b',
        'views': [1, 2],
        'betas': (0.9, 0.999),
    }
    parser = make_parser('')
    add_config_options(parser)
    words = format_config_options(options)
    found = parser.parse_args(['--cfg-options', *words])
    assert found.cfg_options == options
