"""Warnings about a retrieval that cannot help, with reasons and remedies."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from ltvl_mm.structures.dilution import FIT_TO_VAL, advise_threshold

# Zero-shot accuracy between chance (0) and perfect (1) below which CLIP does
# not know the classes. Ours, as the limits below: on an earlier world of drawn
# shapes, retrieval helped at 0.6 and harmed at 0.
MIN_KNOWLEDGE = 0.2
# A best image below this probability means that CLIP prefers other classes.
MIN_BEST = 0.5
MAX_UNCERTAIN_CLASSES = 100 / 3
MIN_PRECISION = 50.0
MAX_SINKING_CLASSES = 100 / 3
MAX_EMPTY_CLASSES = 100 / 3
# Below this, other names or prompts are unlikely to be the remedy.
_GUESSING = 0.05
# The fitted temperature is suggested if it differs by more than this factor.
_TEMPERATURE_FACTOR = 1.5


@dataclass(frozen=True)
class QualityNumbers:
    """Measurements that warnings are derived from, in percent by default.

    Attributes:
        num_classes: K.
        zero_shot: Accuracy on val, of few-shot classes if there are any,
            else of all.
        zero_shot_group: Name of these classes: ``'few-shot'`` or ``'all'``.
        unknown_names: Names of classes of whose val images none is right.
        uncertain_classes: Share of classes whose best image has a
            probability below MIN_BEST; None if nothing was retrieved.
        precision: Estimated share of retrieved images that show their class;
            None if unknown.
        precision_by: Basis of the precision, such as ``'the nearest val
            images'``; '' if unknown.
        precision_bias: Clause on how far such estimates were from the truth;
            '' if unknown.
        best_precision: The same of the ten best images a class.
        temperature: Temperature of the retrieval.
        fitted_temperature: Most likely on val.
        sinking_names: Names of classes of which the first images have a
            calibrated probability of at least 0.5, and the last a lower one.
        empty_names: Names of classes that images were asked for, and of which
            none was retrieved.
        low_yield: Reason why background names left few images; None if they
            did not.
        needs_fit: True if background names are in the softmax and the
            temperature of the retrieval is not fitted to val.
        options: Options of the retrieval, as manifests record them.
    """

    num_classes: int
    zero_shot: float
    zero_shot_group: str
    unknown_names: Sequence[str]
    uncertain_classes: float | None = None
    precision: float | None = None
    precision_by: str | None = ''
    precision_bias: str = ''
    best_precision: float | None = None
    temperature: float | None = None
    fitted_temperature: float | None = None
    sinking_names: Sequence[str] = ()
    empty_names: Sequence[str] = ()
    low_yield: str | None = None
    needs_fit: bool = False
    options: Mapping = field(default_factory=dict)


@dataclass(frozen=True)
class QualityWarning:
    """A reason for doubt, and what to do.

    Attributes:
        kind: ``'zero_shot'``, ``'scores'``, ``'precision'``, ``'budget'`` or
            ``'yield'``.
        reason: One sentence.
        remedies: Sentences, the most promising first.
    """

    kind: str
    reason: str
    remedies: tuple[str, ...]

    def to_json(self) -> dict:
        """Return the fields as a JSON-like value."""
        return asdict(self)


def find_warnings(numbers: QualityNumbers) -> list[QualityWarning]:
    """Return why a retrieval is unlikely to help; nothing if it is fine."""
    found = []
    chance = 100 / numbers.num_classes
    knowledge = (numbers.zero_shot - chance) / max(100 - chance, 1e-9)
    # One class is always recognized.
    if numbers.num_classes > 1 and knowledge < MIN_KNOWLEDGE:
        found.append(
            QualityWarning(
                'zero_shot',
                f'CLIP recognizes {numbers.zero_shot:.1f} % of the val images '
                f'of {numbers.zero_shot_group} classes, where '
                f'guessing gives {chance:.1f} %: it cannot retrieve what it '
                f'does not know',
                _teach(numbers, knowledge),
            )
        )
    uncertain = numbers.uncertain_classes
    if uncertain is not None and uncertain > MAX_UNCERTAIN_CLASSES:
        found.append(
            QualityWarning(
                'scores',
                f'in {uncertain:.0f} % of the classes, the best image has a '
                f'probability below {100 * MIN_BEST:.0f} %: CLIP prefers '
                f'other classes for it, or the web images show none of these',
                (
                    *(() if found else _calibrate(numbers)),
                    *_improve_names(numbers),
                    _leave_out_uncertain(numbers),
                    'Add web images of these classes.',
                ),
            )
        )
    precision = numbers.precision
    if precision is not None and precision < MIN_PRECISION:
        found.append(
            QualityWarning(
                'precision',
                f'about {precision:.0f} % of the retrieved images show their '
                f'class, judged by {numbers.precision_by}{_add_bias(numbers)}',
                (
                    *_take_fewer(numbers),
                    _leave_out_uncertain(numbers),
                    *_assign_once(numbers),
                    *_improve_names(numbers),
                ),
            )
        )
    sinking = list(numbers.sinking_names)
    share = 100 * len(sinking) / numbers.num_classes
    if share > MAX_SINKING_CLASSES:
        more = f' and {len(sinking) - 5} more' if len(sinking) > 5 else ''
        found.append(
            QualityWarning(
                'budget',
                f'in {share:.0f} % of the classes, the first images are '
                f'probable and the last are not (p below 0.5, calibrated on '
                f'val), so that the budget fills with images of other things: '
                f'{", ".join(map(repr, sinking[:5]))}{more}',
                # In the order of the accuracies that they were measured with.
                (
                    _leave_out_uncertain(numbers),
                    'Stop where precision falls: --budget auto --val STORE '
                    'LIST.',
                ),
            )
        )
    found += _find_low_yield(numbers)
    return _list_once(found)


def _find_low_yield(numbers: QualityNumbers) -> list[QualityWarning]:
    """Return a warning if few images, or images of few classes, are left."""
    names = list(numbers.empty_names)
    reasons = [] if numbers.low_yield is None else [numbers.low_yield]
    if 100 * len(names) / numbers.num_classes > MAX_EMPTY_CLASSES:
        more = f' and {len(names) - 5} more' if len(names) > 5 else ''
        reasons.append(
            f'{len(names)} of {numbers.num_classes} classes have no retrieved '
            f'image: {", ".join(map(repr, names[:5]))}{more}'
        )
    if not reasons:
        return []
    limit = numbers.options.get('min_probability')
    lower = f'Lower --min-probability (now {limit:g}).' if limit else None
    if numbers.low_yield is not None:
        lower = f'Fit the temperature to val: {FIT_TO_VAL}.'
    remedies = (
        *([lower] if lower else []),
        'Add web images of these classes.',
    )
    return [QualityWarning('yield', '; '.join(reasons), remedies)]


def _list_once(warnings: Sequence[QualityWarning]) -> list[QualityWarning]:
    """Return warnings without remedies that an earlier one has."""
    told: set[str] = set()
    found = []
    for warning in warnings:
        new = tuple(one for one in warning.remedies if one not in told)
        told.update(new)
        found.append(replace(warning, remedies=new))
    return found


def _teach(numbers: QualityNumbers, knowledge: float) -> tuple[str, ...]:
    """Return remedies; another CLIP first if this one merely guesses."""
    other = 'Use another CLIP: --clip ARCH:TAG_OR_FILE.'
    names = _improve_names(numbers)
    return (other, *names) if knowledge < _GUESSING else (*names, other)


def _improve_names(numbers: QualityNumbers) -> tuple[str, ...]:
    names = list(numbers.unknown_names)
    more = f' and {len(names) - 5} more' if len(names) > 5 else ''
    shown = ', '.join(map(repr, names[:5]))
    rename = (
        (
            f'Rename classes in class_names.txt as a caption would call '
            f'them; of these, no val image is recognized: {shown}{more}.',
        )
        if names
        else ()
    )
    return (
        *rename,
        f'Try other prompts: --templates {_list_other_templates(numbers)}a '
        f'file of sentences that say what the photos are, such as "a photo of '
        f'a {{}}, a fruit."',
    )


def _add_bias(numbers: QualityNumbers) -> str:
    bias = numbers.precision_bias
    return f' (an estimate; {bias})' if bias else ''


def _list_other_templates(numbers: QualityNumbers) -> str:
    """Return the named sets of templates that the retrieval did not use."""
    used = len(numbers.options.get('templates') or ())
    sizes = {'single': 1, 'openai_80': 80}
    return ''.join(
        f'{name}, or ' for name, size in sizes.items() if size != used
    )


def _leave_out_uncertain(numbers: QualityNumbers) -> str:
    used = numbers.options.get('min_probability') or 0.0
    return (
        f'Leave out uncertain images: '
        f'{advise_threshold(numbers.needs_fit, used)}.'
    )


def _assign_once(numbers: QualityNumbers) -> tuple[str, ...]:
    if numbers.options.get('assign') == 'argmax':
        return ()
    return ('Retrieve an image for its best class only: --assign argmax.',)


def _calibrate(numbers: QualityNumbers) -> tuple[str, ...]:
    used, fitted = numbers.temperature, numbers.fitted_temperature
    if used is None or fitted is None:
        return ()
    factor = max(used / fitted, fitted / used)
    if factor < _TEMPERATURE_FACTOR:
        return ()
    return (
        f'Fit the temperature to val: {FIT_TO_VAL} ({fitted:g} instead of '
        f'{used:g}).',
    )


def _take_fewer(numbers: QualityNumbers) -> tuple[str, ...]:
    best, all_images = numbers.best_precision, numbers.precision
    if best is None or all_images is None or best < all_images + 10:
        return ()
    return (
        f'Take fewer images a class (--budget): of the ten best, about '
        f'{best:.0f} % show it.',
    )
