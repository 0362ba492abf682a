"""Laws written in ASCII (event_library.taxonomy) as HTML with MathML, which browsers set without any script.

`h(t)=min(h0+Q*t/(pi*R^2), H); Q inflow` becomes a formula followed by its words. Whatever does not read as an equation
stays text: nothing is ever lost or guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "gam": "γ", "delta": "δ", "eps": "ε", "eta": "η", "theta": "θ", "th": "θ",
    "kappa": "κ", "lam": "λ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ",
    "sig": "σ", "tau": "τ", "phi": "φ", "psi": "ψ", "omega": "ω", "om": "ω", "Delta": "Δ", "Omega": "Ω",
}  # fmt: skip
WORDS = {"sin", "cos", "tan", "exp", "log", "ln", "min", "max", "clip", "sstep", "wrap", "atan2", "asin", "acos", "erf"}
RELATIONS = {"=": "=", "<=": "≤", ">=": "≥", "<": "<", ">": ">"}
BEGINNING = re.compile(r"(?<![\w*/^+(-])[A-Za-z]\w*'*(?:\([^()=]*\))?(?:[-+*/^][^=;,]*?)?\s*(?:=|<=|>=|<|>)")
TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|([A-Za-z]\w*'*)|(<=|>=|[-+*/^(),=<>|\[\]]))")


def law_html(law: str) -> str:
    """The law as inline HTML."""
    shown, at = "", 0  # what is set, and up to where
    candidate = BEGINNING.search(law)
    while candidate:
        formula, end = _equation(law, candidate.start())
        if formula:
            shown, at = f"{shown}{escape(law[at : candidate.start()])}<math>{formula}</math>", end
        candidate = BEGINNING.search(law, at if formula else candidate.start() + 1)
    return shown + escape(law[at:])


def _equation(text: str, at: int) -> tuple[str, int]:
    """MathML of the longest equation that begins at `at` ('' when there is none), and where it ends."""
    parser = _Parser(text, at)
    shown, end = "", at
    try:
        left = parser.sum()
        while (sign := parser.peek()) in RELATIONS:
            parser.take()
            left = f"{left}<mo>{escape(RELATIONS[sign])}</mo>{parser.sum()}"
            shown, end = left, parser.at
    except _NoFormula:
        pass
    return shown, end


class _NoFormula(Exception):
    """The text ahead is not a formula."""


@dataclass
class _Parser:
    """Recursive descent over sums, products, signs, powers and atoms; every method returns MathML."""

    text: str
    at: int = 0

    def _next(self) -> re.Match[str] | None:
        return TOKEN.match(self.text, self.at)

    def peek(self) -> str:
        """The token ahead, '' where there is none."""
        found = self._next()
        return found.group(found.lastindex or 0) if found else ""

    def take(self) -> str:
        """The token ahead, passed over."""
        if (found := self._next()) is None:
            raise _NoFormula
        self.at = found.end()
        return found.group(found.lastindex or 0)

    def sum(self) -> str:
        shown = ""
        if self.peek() in ("-", "+"):
            shown = f"<mo>{'−' if self.take() == '-' else '+'}</mo>"
        shown += self._product()
        while self.peek() in ("+", "-"):
            shown += f"<mo>{'−' if self.take() == '-' else '+'}</mo>{self._product()}"
        return shown

    def _product(self) -> str:
        shown = self._power()
        while (sign := self.peek()) in ("*", "/"):
            self.take()
            factor = self._power()
            if sign == "*":
                shown = f"{shown}<mo>·</mo>{factor}"
            else:
                shown = f"<mfrac><mrow>{_bare(shown)}</mrow><mrow>{_bare(factor)}</mrow></mfrac>"
        return shown

    def _power(self) -> str:
        shown = self._atom()
        while self.peek() == "^":
            self.take()
            exponent = ("<mo>−</mo>" if self.peek() == "-" and self.take() else "") + self._atom()
            shown = f"<msup><mrow>{shown}</mrow><mrow>{_bare(exponent)}</mrow></msup>"
        return shown

    def _atom(self) -> str:
        token = self.take()
        if token[0].isdigit():
            factor = self._power() if self.text[self.at : self.at + 1].isalpha() else ""  # 2g
            return _number(token) + factor
        if token == "(":
            return f"<mrow><mo>(</mo>{self._arguments(')')}<mo>)</mo></mrow>"
        if token == "|":
            inside = self.sum()
            self._expect("|")
            return f"<mrow><mo>|</mo>{inside}<mo>|</mo></mrow>"
        if not token[0].isalpha():
            raise _NoFormula
        return self._call(token) if self._touches("(") else _name(token)

    def _call(self, name: str) -> str:
        self.take()
        inside = self._arguments(")")
        if name == "sqrt":
            return f"<msqrt>{inside}</msqrt>"
        if name == "floor":
            return f"<mrow><mo>⌊</mo>{inside}<mo>⌋</mo></mrow>"
        return f"<mrow>{_name(name)}<mo>(</mo>{inside}<mo>)</mo></mrow>"

    def _touches(self, sign: str) -> bool:
        return self.text[self.at : self.at + 1] == sign

    def _arguments(self, end: str) -> str:
        shown = self.sum()
        while (sign := self.peek()) in (",", *RELATIONS):
            self.take()
            shown += f"<mo>{escape(RELATIONS.get(sign, sign))}</mo>{self.sum()}"
        self._expect(end)
        return shown

    def _expect(self, sign: str) -> None:
        if self.take() != sign:
            raise _NoFormula


def _bare(shown: str) -> str:
    """Without the parentheses that a fraction or an exponent makes needless."""
    inner = re.fullmatch(r"<mrow><mo>\(</mo>(.*)<mo>\)</mo></mrow>", shown)
    if inner is None or inner.group(1).count("<mrow><mo>(") != inner.group(1).count("<mo>)</mo></mrow>"):
        return shown
    return inner.group(1)


def _number(token: str) -> str:
    mantissa, _, exponent = token.lower().partition("e")
    if not exponent:
        return f"<mn>{mantissa}</mn>"
    return f"<mn>{mantissa}</mn><mo>·</mo><msup><mn>10</mn><mn>{int(exponent)}</mn></msup>"


def _name(token: str) -> str:
    """A symbol: Greek by name, `h0` with an index, `dh` as a differential, words upright."""
    primes = "′" * token.count("'")
    token = token.rstrip("'")
    if token in WORDS or "_" in token:
        shown = f"<mtext>{escape(token)}</mtext>"
    elif token in GREEK:
        shown = f"<mi>{GREEK[token]}</mi>"
    elif (found := re.fullmatch(r"([A-Za-z]+?)(\d+)", token)) and (found[1] in GREEK or len(found[1]) == 1):
        shown = f"<msub>{_name(found[1])}<mn>{found[2]}</mn></msub>"
    elif (found := re.fullmatch(r"d(2?)([A-Za-z]|th|tau|phi)(\d*)", token)) and token != "d":
        order = "<msup><mi>d</mi><mn>2</mn></msup>" if found[1] else "<mi>d</mi>"
        shown = f"<mrow>{order}{_name(found[2] + found[3])}</mrow>"
    elif len(token) in (2, 3) and token[1:].isalnum():
        shown = f"<msub><mi>{token[0]}</mi><mtext>{escape(token[1:])}</mtext></msub>"
    else:
        shown = f"<mi>{escape(token)}</mi>" if len(token) == 1 else f"<mtext>{escape(token)}</mtext>"
    return f"<msup>{shown}<mo>{primes}</mo></msup>" if primes else shown
