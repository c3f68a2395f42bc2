"""Lists of images and of names as users have them.

A new case is one line here; every reader of its kind runs through it.
"""

MARK = b'\xef\xbb\xbf'  # byte order mark

# Name -> bytes, and the images with their labels, or a part of the error.
IMAGE_LISTS = {
    'plain': (b'a.jpg 0\nb.jpg 1\n', [('a.jpg', 0), ('b.jpg', 1)]),
    'no line end': (b'a.jpg 0\nb.jpg 1', [('a.jpg', 0), ('b.jpg', 1)]),
    'windows': (b'a.jpg 0\r\nb.jpg 1\r\n', [('a.jpg', 0), ('b.jpg', 1)]),
    'old mac': (b'a.jpg 0\rb.jpg 1\r', [('a.jpg', 0), ('b.jpg', 1)]),
    'mark': (MARK + b'a.jpg 0\nb.jpg 1\n', [('a.jpg', 0), ('b.jpg', 1)]),
    'joined files with marks': (
        MARK + b'a.jpg 0\n' + MARK + b'b.jpg 1\n',
        [('a.jpg', 0), ('b.jpg', 1)],
    ),
    'tab': (b'a.jpg\t0\nb c.jpg\t1\n', [('a.jpg', 0), ('b c.jpg', 1)]),
    'many blanks': (
        b'  a.jpg   0\t\nb.jpg \t 1',
        [('a.jpg', 0), ('b.jpg', 1)],
    ),
    'blanks in paths': (b'my  dog 2.jpg 0\n', [('my  dog 2.jpg', 0)]),
    'blank lines': (
        b'\n\na.jpg 0\n \t\nb.jpg 1\n\n',
        [('a.jpg', 0), ('b.jpg', 1)],
    ),
    'comments': (
        b'# path label\na.jpg 0\n  # b.jpg 3\n#\n##\n',
        [('a.jpg', 0)],
    ),
    'number sign in a path': (
        b'#1/a.jpg 0\n./#2 5\n',
        [('#1/a.jpg', 0), ('#2', 5)],
    ),
    'path that reads as a comment': (b'./# 1/a.jpg 0\n', [('# 1/a.jpg', 0)]),
    'comment without a blank': (
        b'a.jpg 0\n#images 500\n',
        'line 2: write a comment',
    ),
    'other line ends in names': (
        'a\u2028b.jpg 0\nc\x85d 1\ne\x1cf.jpg 2\ng\x0ch.jpg 3\n'.encode(),
        [
            ('a\u2028b.jpg', 0),
            ('c\x85d', 1),
            ('e\x1cf.jpg', 2),
            ('g\x0ch.jpg', 3),
        ],
    ),
    'dots and slashes': (
        b'./a.jpg 0\nb//c.jpg 1\nd/./e.jpg 2\n././f/.g.jpg 3\n',
        [('a.jpg', 0), ('b/c.jpg', 1), ('d/e.jpg', 2), ('f/.g.jpg', 3)],
    ),
    'addresses': (b's3://b/a.jpg 0\n', [('s3://b/a.jpg', 0)]),
    'accents': ('é 猫.jpg 7\n'.encode(), [('é 猫.jpg', 7)]),
    'no-break space at an end': ('a.jpg\xa0 0\n'.encode(), [('a.jpg\xa0', 0)]),
    'utf-16': (
        'a.jpg 0\n'.encode('utf-16'),
        'is UTF-16 text, expected UTF-8; convert it: iconv -f UTF-16 ',
    ),
    'utf-16 without mark': (
        'a.jpg 0\n'.encode('utf-16-le'),
        'line 1: zero bytes, as in UTF-16LE',
    ),
    'utf-16 big-endian': (
        'a.jpg 0\n'.encode('utf-16-be'),
        'iconv -f UTF-16BE',
    ),
    'utf-32': ('a.jpg 0\n'.encode('utf-32'), 'is UTF-32 text'),
    'latin-1': (
        b'a.jpg 0\r\ncaf\xe9.jpg 1\n',
        'line 2: byte 0xe9 is not UTF-8, expected UTF-8; convert it: ',
    ),
    'empty': (b'', 'empty'),
    'comments only': (b'# nothing\n\n', 'empty'),
}

# Name -> bytes, and the names, or a part of the error.
NAME_LISTS = {
    'plain': (b'cat\ndog\n', ('cat', 'dog')),
    'windows, mark, no line end': (MARK + b'cat\r\ndog', ('cat', 'dog')),
    'old mac': (b'cat\rdog\r', ('cat', 'dog')),
    'blanks': (b' cat\t\n\tbig  dog \n', ('cat', 'big  dog')),
    'blank lines around': (b'\n\ncat\ndog\n\n \n', ('cat', 'dog')),
    'blank line between': (b'cat\n\ndog\n', 'line 2 has no class name'),
    'comments': (b'# pets\ncat\n# big\ndog\n', ('cat', 'dog')),
    'number sign in a name': (b'#1 dad mug\ncat\n', ('#1 dad mug', 'cat')),
    'other line ends in names': (
        'a\u2028b\nc\x85d\ne\x1cf\ng\x0ch\n'.encode(),
        ('a\u2028b', 'c\x85d', 'e\x1cf', 'g\x0ch'),
    ),
    'utf-16': ('cat\n'.encode('utf-16'), 'iconv -f UTF-16 -t UTF-8'),
    'latin-1': (b'cat\ncaf\xe9\n', 'line 2: byte 0xe9 is not UTF-8'),
    'empty': (b'', 'no class names'),
    'comments only': (b'# nothing\n', 'no class names'),
    'JSON': (b'["cat", "dog"]', 'this is JSON or Python'),
    'JSON, a name per line': (b'[\n "cat",\n "dog"\n]\n', 'this is JSON'),
    'JSON object': (b'{\n "0": "cat",\n "1": "dog"\n}\n', 'this is JSON'),
    'Python': (b"classes = [\n'cat',\n'dog',\n]\n", 'this is JSON or Pyt'),
    'quoted': (b'"cat",\n"big dog"\n', 'each name has quotation marks'),
    'YAML': (b'- cat\n- dog\n', 'each line begins with a list mark'),
    'numbered': (b'0 cat\n1 dog\n2 2 cv\n', 'the lines are numbered'),
    'numbered from 1, CSV': (b'1,cat\n2,dog\n', 'the lines are numbered'),
    'ids of WordNet': (
        b'n01440764 tench, Tinca tinca\nn01443537 goldfish\n',
        'each line begins with a WordNet id',
    ),
    'names with numbers': (b'0\n1\n', ('0', '1')),
    'names that begin with numbers': (
        b'1 dad mug\n4 door car\n',
        ('1 dad mug', '4 door car'),
    ),
    'folders named by ids': (b'n01440764\nn1\n', ('n01440764', 'n1')),
}
