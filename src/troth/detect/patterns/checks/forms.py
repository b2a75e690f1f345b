"""Whether a value has the form of what it seems to be, where an expression alone cannot tell."""

from __future__ import annotations

import re
from typing import Final

from troth.detect.patterns.checks.sums import digits_of, is_luhn

_CARDS: Final = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11,16}|35\d{14}|6(?:011|4[4-9]\d|5\d\d)\d{12,15}|62\d{14,17}"
    r"|(?:1800|2131)\d{11}|(?:0604|50\d\d|5[6-9]\d\d|6\d{3})\d{8,15}"
)
"""Which numbers issuers give out: Visa, Mastercard, American Express, Diners, JCB, Discover, UnionPay, Maestro."""
_CALLING_CODES: Final = re.compile(
    r"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|21[1-8]|2[2-6]\d|29[0179]|35\d|37\d|38[0-35-79]"
    r"|42[013]|50\d|59\d|67[02-9]|68\d|69[0-2]|8(?:0[08]|5[02356]|7[08]|8[0-3678])|9(?:6[0-8]|7[0-79]|9[2-68])"
)
"""ITU-T E.164, list of assigned country codes."""
_DATES: Final = re.compile(
    r"(?:(?:1[89]|20)\d\d[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.](?:(?:1[89]|20)\d\d|\d\d))(?:[ T].*)?"
    r"|(?:1[89]|20)\d\d(?: ?- ?(?:1[89]|20)\d\d)?|\d\d?\.\d\d?(?: ?- ?\d\d?\.\d\d?)?"
)
_WORD: Final = re.compile("[a-z]{4}")
_OF_PASSWORDS: Final = re.compile(
    "(?:case|auto|read|one|non|self|two|multi|re|e|log|sign)-(?:(?:in)?sensitive|filled|only|time|empty|service|factor"
    "|step|set|mail(?:ed)?|in)[?!…]*"
)
"""What is said of passwords in two words with a hyphen."""
_TIMES: Final = re.compile(r"(?i)\d{1,2}(?:[:.]\d\d)?(?: ?[ap]m)?(?: ?- ?\d{1,2}(?:[:.]\d\d)?)? ?[ap]m")
_LONG_WORD: Final = re.compile("[a-z]{6}")
_ZIP_AND_FOUR: Final = re.compile(r"\d{5}-\d{4}")
_HOLDING_A_PLACE: Final = re.compile(
    r"\$?\{.*|<.*>?|\[.*\]|\(.*\)|[*•.xX_-]+|\$[A-Z_]+|%\w+%|(?:your|my|the|some|change)[_-]?.*"
    r"|~?/[\w.-]+/.*"
)
"""Stars, variables and their like; and a folder, which programs call PWD."""
_OF_MACHINES: Final = re.compile(
    r"root|admin(?:istrator)?|users?|shared|public|default|guest|nobody|invalid|system|service|daemon|apps?|node|git"
    r"|deploy(?:er)?|build(?:er)?|ci|runner|jenkins|circleci|travis|vagrant|docker|ubuntu|debian|centos|fedora|ec2-user"
    r"|azureuser|pi|postgres(?:ql)?|mysql|oracle|redis|nginx|www|www-data|apache|tomcat|hadoop|spark|jovyan|linuxbrew"
    r"|codespace|vscode|work|tests?|demo"
)
"""Accounts of machines, which have homes, too."""
_NO_NAME: Final = re.compile(
    r"an?|account|agent|all|already|and|are|as|at|before|can|did|does|e?mail|empty|error|fail(?:ed|ure)|for|found|from"
    r"|group|had|has|he|her|here|his|id|if|info?|input|invalid|is|it|just|log|login|me|message|missing|must|my|n/a|names?"
    r"|new|none?|not|null|of|on|optional|or|page|password|please|reports?|reported|required|says|set|she|states|taken|test"
    r"|th(?:at|e|eir|em|en|ey|is)|to|too|type|undefined|unknown|users?|usually|was|were|what|when|who|will|with|wrong"
    r"|your?|root|nobody|falsch|leer|nicht|unbekannt|incorrecto?|invalide|inconnu|obligatoire|obligatorio"
    r"|(?:attempt|field|form|option|page|screen|server|step|test|v|version)\d*"
)
"""Words that follow the word *user* or *login* in plain sentences and in messages of programs, which are nobody's."""
_NO_HANDLE: Final = re.compile(
    r"after|all|author|autowired|before\w*|bean|channel|charset|class\w*|click|component|container|dataclass|deprecated"
    r"|entity|everyone|example|extend|font.?face|g?mail|get|here|hotmail|id|import|include|inject|input|keyframes|layer"
    r"|media|mention|mixin|module|non.?null|nullable|outlook|override|page|param|patch|post|property|pytest|put"
    r"|requestmapping|returns?|route|see|service|setter|since|static\w*|supports|suppress\w*|tailwind|test|throws|todo"
    r"|types?|version|yahoo"
)
"""Words that programs, style sheets and comments write behind an @."""
_STANDARDS: Final = re.compile(
    r"(?:AES|ANSI|API|ASCII|BSI|COVID|CP|CVE|CWE|DIN|DSGVO|ECMA|ED|EN|ERR|ERROR|EU|FIPS|GDPR|GPT|HMAC|HTTPS?|IEC|IEEE|ISO"
    r"|KB|MD|NIST|ORA|PEP|RFC|RGPD|RSA|SHA|SOC|TCP|TLS|UDP|USB|UTF|WCAG)[-/]"
)
"""What stands before the numbers of standards, laws, errors and the like."""
_REFERENCE_MIN: Final = 4
_REFERENCE_MAX: Final = 60
"""Letters and digits of a reference. More are a dump of something, or a number that somebody worked out."""
_CURRENCIES: Final = frozenset({"AUD", "CAD", "CHF", "EUR", "GBP", "INR", "JPY", "USD", "ZAR"})


def card(value: str) -> bool:
    """A number that a card scheme gives out, with its check digit (ISO/IEC 7812-1)."""
    digits = digits_of(value)
    return _CARDS.fullmatch(digits) is not None and is_luhn([int(it) for it in digits]) and len(set(digits)) > 1


def phone(value: str) -> bool:
    """A number with the code of a country: one that is assigned, and as many digits as E.164 allows."""
    digits = _number(value).removeprefix("00").removeprefix("011")
    return 8 <= len(digits) <= 15 and _CALLING_CODES.match(digits) is not None


def phone_national(value: str) -> bool:
    """A number with the zero before it that most countries write, and no date."""
    is_other = _DATES.fullmatch(value) or _ZIP_AND_FOUR.fullmatch(value)
    return 9 <= len(_number(value)) <= 13 and not is_other


def phone_told(value: str) -> bool:
    """As many digits as a telephone number has where nobody says from where it is, and no date."""
    return 6 <= len(_number(value)) <= 14 and not _DATES.fullmatch(value)


def ipv4(value: str) -> bool:
    """Unlike a version number: a network, a well-known beginning, or six digits and more, and no zero in front."""
    address, _, prefix = value.partition("/")
    parts = address.split(".")
    return parts[0] != "0" and (prefix != "" or parts[0] in {"10", "127"} or sum(map(len, parts)) > 5)


def ipv6(value: str) -> bool:
    """RFC 4291, with a digit in it and not too short: `Foo::Bad` and `[1::2]` are of programs."""
    if len(value.partition("/")[0].replace(":", "")) < 4 and value != "::1":
        return False
    import ipaddress

    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return any(it.isdecimal() for it in value)


def mac(value: str) -> bool:
    """With a letter and a digit in it: groups of digits alone are other numbers."""
    return any(it.isalpha() for it in value) and any(it.isdecimal() for it in value)


_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58(value: str) -> bool:
    """Base58Check: the last four bytes are of the SHA-256, twice, of the others."""
    number = 0
    for sign in value[:40]:
        if sign not in _BASE58:
            return False
        number = number * 58 + _BASE58.index(sign)
    if number.bit_length() > 200:
        return False
    whole = number.to_bytes(25, "big")
    from hashlib import sha256

    return sha256(sha256(whole[:-4]).digest()).digest()[:4] == whole[-4:]


_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def bech32(value: str) -> bool:
    """BIP 173, and BIP 350 for later addresses."""
    kind, _, data = value.lower().partition("1")
    sums = 1
    for part in [*(ord(it) >> 5 for it in kind), 0, *(ord(it) & 31 for it in kind), *map(_BECH32.find, data)]:
        top = sums >> 25
        sums = (sums & 0x1FFFFFF) << 5 ^ part
        for bit, generator in enumerate(_GENERATORS):
            sums ^= generator if top >> bit & 1 else 0
    return sums in {1, 0x2BC830A3}


def reference(value: str) -> bool:
    """Four to sixty letters and digits, a digit among them; no date, no time, no sum, no word before a number."""
    word, _, rest = value.partition(" ")
    if rest and word.isalpha() and (word.islower() or len(word) > 4 or word in _CURRENCIES):
        return False
    has_digit = digits_of(value) != "" and not value.startswith("0x")
    is_short = _REFERENCE_MIN <= sum(map(str.isalnum, value)) <= _REFERENCE_MAX
    return has_digit and is_short and not (_DATES.fullmatch(value) or _TIMES.fullmatch(value))


def no_standard(value: str) -> bool:
    """Four digits or more, as models of things rarely have; not the number of a standard, a law or an error."""
    return len(digits_of(value)) >= _REFERENCE_MIN and len(value) <= _REFERENCE_MAX and _STANDARDS.match(value) is None


def document(value: str) -> bool:
    """Six letters and digits or more, two digits among them, and no word; no date."""
    signs = [it for it in value if it.isalnum()]
    digits = sum(map(str.isdecimal, signs))
    return len(signs) >= 6 and digits >= 2 and not _WORD.search(value) and not _DATES.fullmatch(value.replace(" ", "/"))


def username(value: str) -> bool:
    """Not a word that merely follows the word *user*."""
    return _NO_NAME.fullmatch(value.lower().strip("._-")) is None


def account(value: str) -> bool:
    """Of somebody: not one that systems and their services have for themselves."""
    return username(value) and _OF_MACHINES.fullmatch(value.lower()) is None


def handle(value: str) -> bool:
    """Not a word that programs and style sheets write behind an @."""
    return _NO_HANDLE.fullmatch(value.lower().strip("@._")) is None


def filled(value: str) -> bool:
    """Nothing that only holds the place of a value."""
    return not _HOLDING_A_PLACE.fullmatch(value)


def password(value: str) -> bool:
    """Five signs or more, no plain words with what ends a sentence, nothing that only holds a password's place."""
    words = value.strip("([?!…").split("/")
    plain = all(it.isalpha() and it[1:] == it[1:].lower() for it in words) or _OF_PASSWORDS.fullmatch(value.lower())
    return len(value) >= 5 and not plain and not _HOLDING_A_PLACE.fullmatch(value)


def secret_value(value: str) -> bool:
    """Four signs or more, a digit and a letter among them, and does not only hold the place of a secret."""
    mixed = len(value) >= 4 and any(it.isdecimal() for it in value) and any(it.isalpha() for it in value)
    return mixed and not _HOLDING_A_PLACE.fullmatch(value)


def drawn_by_lot(value: str) -> bool:
    """Capitals, small letters and digits as chance mixes them: no word of six letters, as a path has."""
    kinds = any(map(str.isupper, value)), any(map(str.islower, value)), any(map(str.isdecimal, value))
    return all(kinds) and not _LONG_WORD.search(value)


def _number(value: str) -> str:
    """The digits of a telephone number without its extension, which an x, ext or # begins."""
    for sign in "x#e":
        value = value.partition(sign)[0]
    return digits_of(value)
