"""Translate the backend's messages, which are English, by their templates in i18n/backend_LANGUAGE.json.

A file has a translation for each template: "{path} has {count} bands." `tools.translations` finds the templates in the
backend's code, so that no call there carries more than its text. A message without a template stays English.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from string import Formatter

from .language import current_language

FOLDER = Path(__file__).resolve().parents[1] / "i18n"
DRAFT = "?? "  # begins a translation that somebody has to check
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_BEFORE = re.compile(r"^\{\w+\} (?=[\w{'])")
_AFTER = re.compile(r"(?<=[.!?])(?: \{\w+\})+$")
_PHRASE = re.compile(r"[^\W\d_][^\d(),;:]*[^\W\d_]")  # in a list such as "10 Tree cover, 50 Built-up (3)"
FEW_LITERAL = 12  # with fewer of them, no value may be English prose
_PROSE = re.compile(r"(?:^|\s)(?:an?|the|your|its|another|[a-z]{2,} [a-z]{2,})(?:\s|$)")
PLURAL = "plural"  # name of a placeholder that stands for an ending only
LEAST_LITERAL = 4  # letters that a template needs outside its placeholders


def backend_text(text: str) -> str:
    """Return a message, a hint or a class name of the backend in the user's language, as far as it is translated."""
    catalogue = _catalogue(current_language())
    return catalogue.translated(text) if catalogue is not None else text


class Catalogue:
    """Find the template that a text was made from, and fill its translation with the same values."""

    def __init__(self, entries: Mapping[str, str]) -> None:
        """Take translations by template; empty ones and drafts are left out."""
        self._plain: dict[str, str] = {}
        self._forms: list[tuple[str, str, str]] = []  # longest literal part, template, translation
        self._patterns: dict[str, re.Pattern[str]] = {}
        for template, translation in entries.items():
            if translation and not translation.startswith(DRAFT):
                self._add(template, translation)
                # Sentences that are put in before or after may be missing, or are found by themselves.
                for pattern in (_BEFORE, _AFTER):
                    cut = pattern.search(template), pattern.search(translation)
                    if cut[0] and cut[1] and cut[0][0] == cut[1][0] and pattern.sub("", template) not in entries:
                        self._add(pattern.sub("", template), pattern.sub("", translation))
        self._forms.sort(key=lambda form: -len("".join(literal for literal, *_ in Formatter().parse(form[1]))))

    def _add(self, template: str, translation: str) -> None:
        parts = list(Formatter().parse(template))
        literals = [literal for literal, *_ in parts]
        if not any(field is not None for _, field, *_ in parts):
            self._plain["".join(literals)] = translation.format()
        elif _letters(template) >= LEAST_LITERAL:
            self._forms.append((max(literals, key=len), template, translation))

    def translated(self, text: str) -> str:
        """Return `text` translated: as a whole, else sentence by sentence, else clause by clause."""
        whole = self._whole(text)
        if whole is not None and not whole[1]:
            return whole[0]
        parts, complete = self._sentences(text)
        return whole[0] if whole is not None and not complete else parts

    def _whole(self, text: str) -> tuple[str, bool] | None:
        """Return the translation of `text` as one template, and whether a value of it holds the end of a sentence.

        The first letter may be of the other case: texts are put into others.
        """
        first = text[:1]
        other = first.swapcase() + text[1:]
        # "the map has no data." is that sentence rather than a value before "has no data."
        found = self._match(text) if text in self._plain or other not in self._plain else None
        if found is None and first.isalpha():
            found = self._match(other)
            if found is not None:
                begin = found[0][:1]
                found = ((begin.lower() if first.islower() else begin.upper()) + found[0][1:], found[1])
        return found

    def _match(self, text: str) -> tuple[str, bool] | None:
        if text in self._plain:
            return self._plain[text], False
        for literal, template, translation in self._forms:
            match = self._pattern(template).fullmatch(text) if literal in text else None
            if match is None:
                continue
            values = match.groupdict()
            filled = {name: self._value(value) for name, value in values.items()}
            # "Give {path}." is not the template of "Give a raster of heights."
            unknown = any(filled[name] == value and _PROSE.search(value) for name, value in values.items())
            if not unknown or _letters(template) >= FEW_LITERAL:
                return translation.format(**filled), any(map(_SENTENCE_END.search, values.values()))
        return None

    def _pattern(self, template: str) -> re.Pattern[str]:
        if template not in self._patterns:
            seen: set[str] = set()
            pattern = ""
            for literal, field, *_ in Formatter().parse(template):
                pattern += re.escape(literal)
                if field is not None:
                    form = "(?:e?s)?" if field == PLURAL else ".*?"
                    pattern += f"(?P={field})" if field in seen else f"(?P<{field}>{form})"
                    seen.add(field)
            self._patterns[template] = re.compile(pattern, re.DOTALL)
        return self._patterns[template]

    def _value(self, value: str) -> str:
        """Return an inserted value translated, if it is a text of the backend, or a list of such."""
        if not any(map(str.isalpha, value)):
            return value
        text = value.strip()
        # " and 3 more" is a text with its space; "1 a into 2 b; 3 c into 4 d" is two, and not one with a long value.
        known = self._whole(value) if text != value else None
        known = known or (self._clauses(value) if "; " in value else None)
        if known is not None:
            return known[0]
        done = self.translated(text)
        if done == text:
            done = _PHRASE.sub(lambda found: self._plain.get(found[0], found[0]), text)
        return value.replace(text, done, 1)

    def _sentences(self, text: str) -> tuple[str, bool]:
        """Return `text` with its sentences translated, and whether all of them were found."""
        ends = [match.span() for match in _SENTENCE_END.finditer(text)] + [(len(text), len(text))]
        done, begin, complete = "", 0, True
        while begin < len(text):
            left = [span for span in ends if span[0] > begin]
            # Some templates have several sentences.
            found = (self._whole(text[begin:end]) or self._clauses(text[begin:end]) for end, _ in left)
            number, part = next(((i, part[0]) for i, part in enumerate(found) if part), (0, text[begin : left[0][0]]))
            complete = complete and part != text[begin : left[number][0]]
            done += part + text[slice(*left[number])]
            begin = left[number][1]
        return done, complete

    def _clauses(self, text: str) -> tuple[str, bool] | None:
        """Return "a; b." translated clause by clause; None if one is unknown."""
        stop = "." if text.endswith(".") else ""
        clauses = text[: len(text) - len(stop)].split("; ")
        found = [self._whole(clause) for clause in clauses]
        if (len(clauses) < 2 and not stop) or None in found:
            return None
        return "; ".join(clause[0] for clause in found if clause is not None) + stop, False


def _letters(template: str) -> int:
    """Return the number of letters outside the placeholders."""
    return sum(map(str.isalpha, "".join(literal for literal, *_ in Formatter().parse(template))))


_loaded: dict[tuple[Path, str], Catalogue | None] = {}


def _catalogue(name: str) -> Catalogue | None:
    """Return the catalogue of a language such as es_MX, or of es; None without one."""
    key = (FOLDER, name)
    if key not in _loaded:
        _loaded[key] = None
        for stem in dict.fromkeys((name, name.partition("_")[0])):
            path = FOLDER / f"backend_{stem}.json"
            if path.is_file():
                _loaded[key] = Catalogue(json.loads(path.read_text(encoding="utf-8")))
                break
    return _loaded[key]
