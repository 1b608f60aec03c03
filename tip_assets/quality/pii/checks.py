"""Check digits of numbers that carry one, and the shape of one that is as telling."""

import re

_LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
# Letters of a vehicle identification number as digits, and the weights of its places (49 CFR 565.15).
_VIN_VALUES = {letter: value for value, letters in enumerate(("", "AJ", "BKS", "CLT", "DMU", "ENV", "FW", "GPX", "HY",
                                                              "RZ")) for letter in letters}  # fmt: skip
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_ABA_WEIGHTS = (3, 7, 1) * 3

# Medicare beneficiary identifier: the letters S, L, O, I, B and Z do not occur (CMS, MBI format).
_MBI_LETTER = "[AC-HJKMNP-RT-Y]"
_MBI_ANY = "[AC-HJKMNP-RT-Y0-9]"
MEDICARE_ID = rf"[1-9]{_MBI_LETTER}{_MBI_ANY}\d-?{_MBI_LETTER}{_MBI_ANY}\d-?{_MBI_LETTER}{{2}}\d\d"
_MEDICARE_ID = re.compile(MEDICARE_ID, re.IGNORECASE)


def is_medicare_id(text: str) -> bool:
    """Whether the text has the shape of a Medicare beneficiary identifier, which carries no check digit."""
    return _MEDICARE_ID.fullmatch(text) is not None


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    total = sum(int(digit) for digit in digits[::-2]) + sum(_LUHN_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0


def is_card_number(text: str) -> bool:
    """Whether the digits are 13 to 19 and pass the Luhn check."""
    digits = "".join(char for char in text if char.isdigit())
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and passes_luhn(digits)


def is_imei(text: str) -> bool:
    """Whether 15 digits pass the Luhn check (3GPP TS 23.003) and begin as no 15-digit payment card does."""
    digits = "".join(char for char in text if char.isdigit())
    is_card = digits.startswith(("34", "37", "2131", "1800"))
    return len(digits) == 15 and len(set(digits)) > 1 and not is_card and passes_luhn(digits)


def is_iban(text: str) -> bool:
    """Whether the text passes the IBAN check: mod 97 is 1 (ISO 13616)."""
    code = text.replace(" ", "").upper()
    if not 15 <= len(code) <= 34:
        return False
    return int("".join(str(int(char, 36)) for char in code[4:] + code[:4])) % 97 == 1


def is_npi(digits: str) -> bool:
    """Whether ten digits are a national provider identifier: 1 or 2 first, Luhn with 80840 before (45 CFR 162.406)."""
    return len(digits) == 10 and digits.isdigit() and digits[0] in "12" and passes_luhn("80840" + digits)


def is_routing_number(digits: str) -> bool:
    """Whether nine digits are a bank's ABA routing number: weights 3, 7, 1, and a prefix that is in use."""
    if (
        len(digits) != 9
        or not digits.isdigit()
        or not (digits[:2] <= "12" or "21" <= digits[:2] <= "32" or "61" <= digits[:2] <= "72")
    ):
        return False
    return sum(int(digit) * weight for digit, weight in zip(digits, _ABA_WEIGHTS, strict=True)) % 10 == 0


def is_vin(text: str) -> bool:
    """Whether 17 characters carry the check digit that vehicles of North America have (49 CFR 565.15)."""
    code = text.upper()
    if len(code) != 17 or not all(char.isdigit() or char in _VIN_VALUES for char in code):
        return False
    values = (int(char) if char.isdigit() else _VIN_VALUES[char] for char in code)
    remainder = sum(value * weight for value, weight in zip(values, _VIN_WEIGHTS, strict=True)) % 11
    return code[8] == ("X" if remainder == 10 else str(remainder))


def is_dea_number(text: str) -> bool:
    """Whether two letters (or a letter and 9) and seven digits carry the check digit of a DEA registration."""
    digits = [int(char) for char in text[2:]] if len(text) == 9 and text[2:].isdigit() else []
    return (
        bool(digits)
        and (digits[0] + digits[2] + digits[4] + 2 * (digits[1] + digits[3] + digits[5])) % 10 == (digits[6])
    )
