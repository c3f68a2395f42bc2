import sys

from toy_clip import write_toy_classifier


def test_the_file_is_written_checked_and_named(run_tool, tmp_path):
    checkpoint = write_toy_classifier(tmp_path / 'a.pth')
    output = run_tool(
        sys.executable,
        'tools/model_converters/to_open_clip.py',
        checkpoint,
        tmp_path / 'clip.pt',
        '--arch=ltvl-toy',
    )
    assert f"create_model('ltvl-toy', pretrained='{tmp_path}/clip.pt')" in (
        output
    )
    assert (tmp_path / 'clip.pt').exists()
