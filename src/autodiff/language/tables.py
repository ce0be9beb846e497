"""The automaton of `grammar/autodiff.lark`, written by `python -m autodiff.language.grammar`: not to be edited.

WORDS     every terminal as a named group, in the order in which they are tried
KEYWORDS  words that WORDS takes for a NAME, and what they are
IGNORED   terminals that separate words and mean nothing
START     of each start symbol: the first state, and the one in which it is complete
RULES     origin, number of parts, method of `Builder` ("": the one part itself, "*": all parts in a list), and
          whether some of its parts are such lists
STATES    per state, what to do: at a terminal n > 0, shift it and go to n, or n < 0, reduce by rule ~n; after a
          reduction, the state for its origin
"""

# fmt: off
from __future__ import annotations

WORDS = (
    '(?P<NUMBER>0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|(?:[0-9]|\\.[0-9])[0-9._]*(?:[eE][-+]?[0-9][0-9._]*)?)'
    '|(?P<NAME>[^\\W\\d\u2070\xb9\xb2\xb3\u2074-\u2079\xbc-\xbe\u2150-\u215f][^\\W\u2070\xb9\xb2\xb3\u2074-\u2079\xbc-\xbe\u2150-\u215f]*(?:[\u0300-\u036f]+[^\\W\u2070\xb9\xb2\xb3\u2074-\u2079\xbc-\xbe\u2150-\u215f]*)*)'
    '|(?P<SUPERSCRIPT>\u207b?[\u2070\xb9\xb2\xb3\u2074\u2075\u2076\u2077\u2078\u2079]+)'
    '|(?P<BLANK>[^\\S\r\n]+)'
    '|(?P<COMMENT>#[^\r\n]*)'
    '|(?P<COMPARE>(?:<=|>=|==|!=|<|>|\u2264|\u2265|\u2260))'
    '|(?P<SEP>(?:\r\n|\r|\n|;))'
    '|(?P<POWER>(?:\\*\\*|\\^))'
    '|(?P<MULTIPLICATIVE>(?:\\*|/|@|\xb7|\xd7|\xf7))'
    '|(?P<ADDITIVE>(?:\\+|\\-|\u2212))'
    '|(?P<COMMA>,)'
    '|(?P<EQUAL>=)'
    '|(?P<LPAR>\\()'
    '|(?P<LSQB>\\[)'
    '|(?P<RPAR>\\))'
    '|(?P<RSQB>\\])'
)
KEYWORDS = {'and': 'AND', 'not': 'NOT', 'or': 'OR'}
IGNORED = frozenset(['BLANK', 'COMMENT'])
START = {'program': (1, 21), 'bindings': (2, 27)}
RULES: tuple[tuple[str, int, str, bool], ...] = (
    ('__bindings_star_1', 2, '*', False),
    ('__bindings_star_1', 3, '*', False),
    ('__comparison_plus_2', 2, '*', False),
    ('__comparison_plus_2', 3, '*', False),
    ('__items_star_3', 2, '*', False),
    ('__items_star_3', 3, '*', False),
    ('__program_star_0', 1, '*', False),
    ('__program_star_0', 2, '*', False),
    ('__program_star_0', 2, '*', False),
    ('__program_star_0', 3, '*', False),
    ('binding', 3, 'binding', False),
    ('bindings', 2, 'bindings', True),
    ('bindings', 1, 'bindings', False),
    ('comparison', 1, '', False),
    ('comparison', 2, 'chain', True),
    ('conjunction', 1, '', False),
    ('conjunction', 3, 'binary', False),
    ('expr', 1, '', False),
    ('expr', 3, 'binary', False),
    ('factor', 1, '', False),
    ('factor', 3, 'binary', False),
    ('factor', 2, 'superscript', False),
    ('follower', 1, 'name', False),
    ('follower', 3, 'bracket', False),
    ('follower', 4, 'call', False),
    ('follower', 6, 'call_power', False),
    ('follower', 5, 'call_power', False),
    ('follower', 4, 'index', False),
    ('items', 2, 'items', True),
    ('items', 1, 'items', False),
    ('items', 0, 'items', False),
    ('list', 3, 'array', False),
    ('list', 4, 'index', False),
    ('negation', 1, '', False),
    ('negation', 2, 'unary', False),
    ('operand', 1, 'number', False),
    ('operand', 1, '', False),
    ('operand', 1, '', False),
    ('power', 1, '', False),
    ('power', 3, 'binary', False),
    ('power', 2, 'superscript', False),
    ('product', 1, '', False),
    ('product', 3, 'binary', False),
    ('product', 2, 'juxtaposition', False),
    ('program', 2, 'program', True),
    ('program', 1, 'program', True),
    ('program', 1, 'program', False),
    ('program', 0, 'program', False),
    ('sign', 1, '', False),
    ('sign', 2, 'unary', False),
    ('statement', 1, 'expression', False),
    ('statement', 3, 'equation', False),
    ('sum', 1, '', False),
    ('sum', 3, 'binary', False),
)
STATES: tuple[dict[str, int], ...] = (
    {},
    {'$END': -48, 'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NOT': 8, 'NUMBER': 9, 'SEP': 10, '__program_star_0': 11, 'comparison': 12, 'conjunction': 13, 'expr': 14, 'follower': 15, 'list': 16, 'negation': 17, 'operand': 18, 'power': 19, 'product': 20, 'program': 21, 'sign': 22, 'statement': 23, 'sum': 24},
    {'NAME': 25, 'binding': 26, 'bindings': 27},
    {'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NUMBER': 9, 'follower': 15, 'list': 16, 'operand': 18, 'power': 19, 'sign': 28},
    {'LPAR': 29, 'POWER': 30, 'SUPERSCRIPT': 31},
    {'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NOT': 8, 'NUMBER': 9, 'comparison': 12, 'conjunction': 13, 'expr': 32, 'follower': 15, 'list': 16, 'negation': 17, 'operand': 18, 'power': 19, 'product': 20, 'sign': 22, 'sum': 24},
    {'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NOT': 8, 'NUMBER': 9, 'RSQB': -31, 'comparison': 12, 'conjunction': 13, 'expr': 33, 'follower': 15, 'items': 34, 'list': 16, 'negation': 17, 'operand': 18, 'power': 19, 'product': 20, 'sign': 22, 'sum': 24},
    {'$END': -23, 'ADDITIVE': -23, 'AND': -23, 'COMMA': -23, 'COMPARE': -23, 'EQUAL': -23, 'FUNC': -23, 'LPAR': -23, 'LSQB': -23, 'MULTIPLICATIVE': -23, 'NAME': -23, 'OR': -23, 'POWER': -23, 'RPAR': -23, 'RSQB': -23, 'SEP': -23, 'SUPERSCRIPT': -23},
    {'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NOT': 8, 'NUMBER': 9, 'comparison': 12, 'follower': 15, 'list': 16, 'negation': 35, 'operand': 18, 'power': 19, 'product': 20, 'sign': 22, 'sum': 24},
    {'$END': -36, 'ADDITIVE': -36, 'AND': -36, 'COMMA': -36, 'COMPARE': -36, 'EQUAL': -36, 'FUNC': -36, 'LPAR': -36, 'MULTIPLICATIVE': -36, 'NAME': -36, 'OR': -36, 'POWER': -36, 'RPAR': -36, 'RSQB': -36, 'SEP': -36, 'SUPERSCRIPT': -36},
    {'$END': -7, 'ADDITIVE': -7, 'FUNC': -7, 'LPAR': -7, 'LSQB': -7, 'NAME': -7, 'NOT': -7, 'NUMBER': -7, 'SEP': -7},
    {'$END': -46, 'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NOT': 8, 'NUMBER': 9, 'SEP': 36, 'comparison': 12, 'conjunction': 13, 'expr': 14, 'follower': 15, 'list': 16, 'negation': 17, 'operand': 18, 'power': 19, 'product': 20, 'sign': 22, 'statement': 37, 'sum': 24},
    {'$END': -34, 'AND': -34, 'COMMA': -34, 'EQUAL': -34, 'OR': -34, 'RPAR': -34, 'RSQB': -34, 'SEP': -34},
    {'$END': -18, 'AND': 38, 'COMMA': -18, 'EQUAL': -18, 'OR': -18, 'RPAR': -18, 'RSQB': -18, 'SEP': -18},
    {'$END': -51, 'EQUAL': 39, 'OR': 40, 'SEP': -51},
    {'$END': -38, 'ADDITIVE': -38, 'AND': -38, 'COMMA': -38, 'COMPARE': -38, 'EQUAL': -38, 'FUNC': -38, 'LPAR': -38, 'LSQB': 41, 'MULTIPLICATIVE': -38, 'NAME': -38, 'OR': -38, 'POWER': -38, 'RPAR': -38, 'RSQB': -38, 'SEP': -38, 'SUPERSCRIPT': -38},
    {'$END': -37, 'ADDITIVE': -37, 'AND': -37, 'COMMA': -37, 'COMPARE': -37, 'EQUAL': -37, 'FUNC': -37, 'LPAR': -37, 'LSQB': 42, 'MULTIPLICATIVE': -37, 'NAME': -37, 'OR': -37, 'POWER': -37, 'RPAR': -37, 'RSQB': -37, 'SEP': -37, 'SUPERSCRIPT': -37},
    {'$END': -16, 'AND': -16, 'COMMA': -16, 'EQUAL': -16, 'OR': -16, 'RPAR': -16, 'RSQB': -16, 'SEP': -16},
    {'$END': -39, 'ADDITIVE': -39, 'AND': -39, 'COMMA': -39, 'COMPARE': -39, 'EQUAL': -39, 'FUNC': -39, 'LPAR': -39, 'MULTIPLICATIVE': -39, 'NAME': -39, 'OR': -39, 'POWER': 43, 'RPAR': -39, 'RSQB': -39, 'SEP': -39, 'SUPERSCRIPT': 44},
    {'$END': -49, 'ADDITIVE': -49, 'AND': -49, 'COMMA': -49, 'COMPARE': -49, 'EQUAL': -49, 'FUNC': -49, 'LPAR': -49, 'MULTIPLICATIVE': -49, 'NAME': -49, 'OR': -49, 'RPAR': -49, 'RSQB': -49, 'SEP': -49},
    {'$END': -53, 'ADDITIVE': -53, 'AND': -53, 'COMMA': -53, 'COMPARE': -53, 'EQUAL': -53, 'FUNC': 4, 'LPAR': 5, 'MULTIPLICATIVE': 45, 'NAME': 7, 'OR': -53, 'RPAR': -53, 'RSQB': -53, 'SEP': -53, 'factor': 46, 'follower': 47},
    {},
    {'$END': -42, 'ADDITIVE': -42, 'AND': -42, 'COMMA': -42, 'COMPARE': -42, 'EQUAL': -42, 'FUNC': -42, 'LPAR': -42, 'MULTIPLICATIVE': -42, 'NAME': -42, 'OR': -42, 'RPAR': -42, 'RSQB': -42, 'SEP': -42},
    {'$END': -47, 'SEP': 48},
    {'$END': -14, 'ADDITIVE': 49, 'AND': -14, 'COMMA': -14, 'COMPARE': 50, 'EQUAL': -14, 'OR': -14, 'RPAR': -14, 'RSQB': -14, 'SEP': -14, '__comparison_plus_2': 51},
    {'EQUAL': 52},
    {'$END': -13, 'COMMA': 53, '__bindings_star_1': 54},
    {},
    {'$END': -50, 'ADDITIVE': -50, 'AND': -50, 'COMMA': -50, 'COMPARE': -50, 'EQUAL': -50, 'FUNC': -50, 'LPAR': -50, 'MULTIPLICATIVE': -50, 'NAME': -50, 'OR': -50, 'RPAR': -50, 'RSQB': -50, 'SEP': -50},
    {'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NOT': 8, 'NUMBER': 9, 'RPAR': -31, 'comparison': 12, 'conjunction': 13, 'expr': 33, 'follower': 15, 'items': 55, 'list': 16, 'negation': 17, 'operand': 18, 'power': 19, 'product': 20, 'sign': 22, 'sum': 24},
    {'NUMBER': 56},
    {'LPAR': 57},
    {'OR': 40, 'RPAR': 58},
    {'COMMA': 59, 'OR': 40, 'RPAR': -30, 'RSQB': -30, '__items_star_3': 60},
    {'RSQB': 61},
    {'$END': -35, 'AND': -35, 'COMMA': -35, 'EQUAL': -35, 'OR': -35, 'RPAR': -35, 'RSQB': -35, 'SEP': -35},
    {'$END': -9, 'ADDITIVE': -9, 'FUNC': -9, 'LPAR': -9, 'LSQB': -9, 'NAME': -9, 'NOT': -9, 'NUMBER': -9, 'SEP': -9},
    {'$END': -45, 'SEP': 62},
    {'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NOT': 8, 'NUMBER': 9, 'comparison': 12, 'follower': 15, 'list': 16, 'negation': 63, 'operand': 18, 'power': 19, 'product': 20, 'sign': 22, 'sum': 24},
    {'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NOT': 8, 'NUMBER': 9, 'comparison': 12, 'conjunction': 13, 'expr': 64, 'follower': 15, 'list': 16, 'negation': 17, 'operand': 18, 'power': 19, 'product': 20, 'sign': 22, 'sum': 24},
    {'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NOT': 8, 'NUMBER': 9, 'comparison': 12, 'conjunction': 65, 'follower': 15, 'list': 16, 'negation': 17, 'operand': 18, 'power': 19, 'product': 20, 'sign': 22, 'sum': 24},
    {'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NOT': 8, 'NUMBER': 9, 'RSQB': -31, 'comparison': 12, 'conjunction': 13, 'expr': 33, 'follower': 15, 'items': 66, 'list': 16, 'negation': 17, 'operand': 18, 'power': 19, 'product': 20, 'sign': 22, 'sum': 24},
    {'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NOT': 8, 'NUMBER': 9, 'RSQB': -31, 'comparison': 12, 'conjunction': 13, 'expr': 33, 'follower': 15, 'items': 67, 'list': 16, 'negation': 17, 'operand': 18, 'power': 19, 'product': 20, 'sign': 22, 'sum': 24},
    {'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NUMBER': 9, 'follower': 15, 'list': 16, 'operand': 18, 'power': 19, 'sign': 68},
    {'$END': -41, 'ADDITIVE': -41, 'AND': -41, 'COMMA': -41, 'COMPARE': -41, 'EQUAL': -41, 'FUNC': -41, 'LPAR': -41, 'MULTIPLICATIVE': -41, 'NAME': -41, 'OR': -41, 'RPAR': -41, 'RSQB': -41, 'SEP': -41},
    {'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NUMBER': 9, 'follower': 15, 'list': 16, 'operand': 18, 'power': 19, 'sign': 69},
    {'$END': -44, 'ADDITIVE': -44, 'AND': -44, 'COMMA': -44, 'COMPARE': -44, 'EQUAL': -44, 'FUNC': -44, 'LPAR': -44, 'MULTIPLICATIVE': -44, 'NAME': -44, 'OR': -44, 'RPAR': -44, 'RSQB': -44, 'SEP': -44},
    {'$END': -20, 'ADDITIVE': -20, 'AND': -20, 'COMMA': -20, 'COMPARE': -20, 'EQUAL': -20, 'FUNC': -20, 'LPAR': -20, 'LSQB': 41, 'MULTIPLICATIVE': -20, 'NAME': -20, 'OR': -20, 'POWER': 70, 'RPAR': -20, 'RSQB': -20, 'SEP': -20, 'SUPERSCRIPT': 71},
    {'$END': -8, 'ADDITIVE': -8, 'FUNC': -8, 'LPAR': -8, 'LSQB': -8, 'NAME': -8, 'NOT': -8, 'NUMBER': -8, 'SEP': -8},
    {'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NUMBER': 9, 'follower': 15, 'list': 16, 'operand': 18, 'power': 19, 'product': 72, 'sign': 22},
    {'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NUMBER': 9, 'follower': 15, 'list': 16, 'operand': 18, 'power': 19, 'product': 20, 'sign': 22, 'sum': 73},
    {'$END': -15, 'AND': -15, 'COMMA': -15, 'COMPARE': 74, 'EQUAL': -15, 'OR': -15, 'RPAR': -15, 'RSQB': -15, 'SEP': -15},
    {'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NOT': 8, 'NUMBER': 9, 'comparison': 12, 'conjunction': 13, 'expr': 75, 'follower': 15, 'list': 16, 'negation': 17, 'operand': 18, 'power': 19, 'product': 20, 'sign': 22, 'sum': 24},
    {'NAME': 25, 'binding': 76},
    {'$END': -12, 'COMMA': 77},
    {'RPAR': 78},
    {'LPAR': 79},
    {'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NOT': 8, 'NUMBER': 9, 'RPAR': -31, 'comparison': 12, 'conjunction': 13, 'expr': 33, 'follower': 15, 'items': 80, 'list': 16, 'negation': 17, 'operand': 18, 'power': 19, 'product': 20, 'sign': 22, 'sum': 24},
    {'$END': -24, 'ADDITIVE': -24, 'AND': -24, 'COMMA': -24, 'COMPARE': -24, 'EQUAL': -24, 'FUNC': -24, 'LPAR': -24, 'LSQB': -24, 'MULTIPLICATIVE': -24, 'NAME': -24, 'OR': -24, 'POWER': -24, 'RPAR': -24, 'RSQB': -24, 'SEP': -24, 'SUPERSCRIPT': -24},
    {'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NOT': 8, 'NUMBER': 9, 'comparison': 12, 'conjunction': 13, 'expr': 81, 'follower': 15, 'list': 16, 'negation': 17, 'operand': 18, 'power': 19, 'product': 20, 'sign': 22, 'sum': 24},
    {'COMMA': 82, 'RPAR': -29, 'RSQB': -29},
    {'$END': -32, 'ADDITIVE': -32, 'AND': -32, 'COMMA': -32, 'COMPARE': -32, 'EQUAL': -32, 'FUNC': -32, 'LPAR': -32, 'LSQB': -32, 'MULTIPLICATIVE': -32, 'NAME': -32, 'OR': -32, 'POWER': -32, 'RPAR': -32, 'RSQB': -32, 'SEP': -32, 'SUPERSCRIPT': -32},
    {'$END': -10, 'ADDITIVE': -10, 'FUNC': -10, 'LPAR': -10, 'LSQB': -10, 'NAME': -10, 'NOT': -10, 'NUMBER': -10, 'SEP': -10},
    {'$END': -17, 'AND': -17, 'COMMA': -17, 'EQUAL': -17, 'OR': -17, 'RPAR': -17, 'RSQB': -17, 'SEP': -17},
    {'$END': -52, 'OR': 40, 'SEP': -52},
    {'$END': -19, 'AND': 38, 'COMMA': -19, 'EQUAL': -19, 'OR': -19, 'RPAR': -19, 'RSQB': -19, 'SEP': -19},
    {'RSQB': 83},
    {'RSQB': 84},
    {'$END': -40, 'ADDITIVE': -40, 'AND': -40, 'COMMA': -40, 'COMPARE': -40, 'EQUAL': -40, 'FUNC': -40, 'LPAR': -40, 'MULTIPLICATIVE': -40, 'NAME': -40, 'OR': -40, 'RPAR': -40, 'RSQB': -40, 'SEP': -40},
    {'$END': -43, 'ADDITIVE': -43, 'AND': -43, 'COMMA': -43, 'COMPARE': -43, 'EQUAL': -43, 'FUNC': -43, 'LPAR': -43, 'MULTIPLICATIVE': -43, 'NAME': -43, 'OR': -43, 'RPAR': -43, 'RSQB': -43, 'SEP': -43},
    {'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NUMBER': 9, 'follower': 15, 'list': 16, 'operand': 18, 'power': 19, 'sign': 85},
    {'$END': -22, 'ADDITIVE': -22, 'AND': -22, 'COMMA': -22, 'COMPARE': -22, 'EQUAL': -22, 'FUNC': -22, 'LPAR': -22, 'MULTIPLICATIVE': -22, 'NAME': -22, 'OR': -22, 'RPAR': -22, 'RSQB': -22, 'SEP': -22},
    {'$END': -54, 'ADDITIVE': -54, 'AND': -54, 'COMMA': -54, 'COMPARE': -54, 'EQUAL': -54, 'FUNC': 4, 'LPAR': 5, 'MULTIPLICATIVE': 45, 'NAME': 7, 'OR': -54, 'RPAR': -54, 'RSQB': -54, 'SEP': -54, 'factor': 46, 'follower': 47},
    {'$END': -3, 'ADDITIVE': 49, 'AND': -3, 'COMMA': -3, 'COMPARE': -3, 'EQUAL': -3, 'OR': -3, 'RPAR': -3, 'RSQB': -3, 'SEP': -3},
    {'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NUMBER': 9, 'follower': 15, 'list': 16, 'operand': 18, 'power': 19, 'product': 20, 'sign': 22, 'sum': 86},
    {'$END': -11, 'COMMA': -11, 'OR': 40},
    {'$END': -1, 'COMMA': -1},
    {'NAME': 25, 'binding': 87},
    {'$END': -25, 'ADDITIVE': -25, 'AND': -25, 'COMMA': -25, 'COMPARE': -25, 'EQUAL': -25, 'FUNC': -25, 'LPAR': -25, 'LSQB': -25, 'MULTIPLICATIVE': -25, 'NAME': -25, 'OR': -25, 'POWER': -25, 'RPAR': -25, 'RSQB': -25, 'SEP': -25, 'SUPERSCRIPT': -25},
    {'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NOT': 8, 'NUMBER': 9, 'RPAR': -31, 'comparison': 12, 'conjunction': 13, 'expr': 33, 'follower': 15, 'items': 88, 'list': 16, 'negation': 17, 'operand': 18, 'power': 19, 'product': 20, 'sign': 22, 'sum': 24},
    {'RPAR': 89},
    {'COMMA': -5, 'OR': 40, 'RPAR': -5, 'RSQB': -5},
    {'ADDITIVE': 3, 'FUNC': 4, 'LPAR': 5, 'LSQB': 6, 'NAME': 7, 'NOT': 8, 'NUMBER': 9, 'comparison': 12, 'conjunction': 13, 'expr': 90, 'follower': 15, 'list': 16, 'negation': 17, 'operand': 18, 'power': 19, 'product': 20, 'sign': 22, 'sum': 24},
    {'$END': -28, 'ADDITIVE': -28, 'AND': -28, 'COMMA': -28, 'COMPARE': -28, 'EQUAL': -28, 'FUNC': -28, 'LPAR': -28, 'LSQB': -28, 'MULTIPLICATIVE': -28, 'NAME': -28, 'OR': -28, 'POWER': -28, 'RPAR': -28, 'RSQB': -28, 'SEP': -28, 'SUPERSCRIPT': -28},
    {'$END': -33, 'ADDITIVE': -33, 'AND': -33, 'COMMA': -33, 'COMPARE': -33, 'EQUAL': -33, 'FUNC': -33, 'LPAR': -33, 'LSQB': -33, 'MULTIPLICATIVE': -33, 'NAME': -33, 'OR': -33, 'POWER': -33, 'RPAR': -33, 'RSQB': -33, 'SEP': -33, 'SUPERSCRIPT': -33},
    {'$END': -21, 'ADDITIVE': -21, 'AND': -21, 'COMMA': -21, 'COMPARE': -21, 'EQUAL': -21, 'FUNC': -21, 'LPAR': -21, 'MULTIPLICATIVE': -21, 'NAME': -21, 'OR': -21, 'RPAR': -21, 'RSQB': -21, 'SEP': -21},
    {'$END': -4, 'ADDITIVE': 49, 'AND': -4, 'COMMA': -4, 'COMPARE': -4, 'EQUAL': -4, 'OR': -4, 'RPAR': -4, 'RSQB': -4, 'SEP': -4},
    {'$END': -2, 'COMMA': -2},
    {'RPAR': 91},
    {'$END': -27, 'ADDITIVE': -27, 'AND': -27, 'COMMA': -27, 'COMPARE': -27, 'EQUAL': -27, 'FUNC': -27, 'LPAR': -27, 'LSQB': -27, 'MULTIPLICATIVE': -27, 'NAME': -27, 'OR': -27, 'POWER': -27, 'RPAR': -27, 'RSQB': -27, 'SEP': -27, 'SUPERSCRIPT': -27},
    {'COMMA': -6, 'OR': 40, 'RPAR': -6, 'RSQB': -6},
    {'$END': -26, 'ADDITIVE': -26, 'AND': -26, 'COMMA': -26, 'COMPARE': -26, 'EQUAL': -26, 'FUNC': -26, 'LPAR': -26, 'LSQB': -26, 'MULTIPLICATIVE': -26, 'NAME': -26, 'OR': -26, 'POWER': -26, 'RPAR': -26, 'RSQB': -26, 'SEP': -26, 'SUPERSCRIPT': -26},
)
