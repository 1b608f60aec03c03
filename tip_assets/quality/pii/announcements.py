"""Words that announce a personal number, and what a number so announced is.

The patterns are in the syntax that `re` and Hyperscan share. The first that fits wins where two are equally near,
so what is announced most precisely comes first.
"""

from typing import NamedTuple


class Announcement(NamedTuple):
    """Words that announce a number, how long it is in digits and letters, and what it then is."""

    type: str
    words: str
    shortest: int
    longest: int
    letters_may_lead: bool = False


ANNOUNCEMENTS = (
    Announcement("SSN", r"social security(?: number)?|socials?|ssn|tax id(?: number)?|itin", 4, 9),
    Announcement("CREDIT_DEBIT_CVV", r"cvv2?|cvc|security code|three[- ]digit(?: code)?|code on the back", 3, 4),
    Announcement("CREDIT_DEBIT_EXPIRY", r"expir\w{1,5}|exp(?: date)?|good (?:thru|through|until)", 3, 6),
    Announcement("BANK_ROUTING", r"routing(?: number)?|aba(?: number)?|transit number", 9, 9),
    Announcement("PIN", r"pin(?: number| code)?|passcode|verification code|one[- ]time code", 4, 8),
    Announcement("CREDIT_DEBIT_NUMBER", r"card(?: number)?|visa|mastercard|amex|american express", 4, 19),
    Announcement("NPI", r"npi(?: number)?|(?:national )?provider (?:identifier|number|id)", 10, 10),
    Announcement("MEDICARE_ID", r"mbi|medicare (?:number|id|beneficiary(?: identifier| number| id)?)", 10, 11, True),
    Announcement("MEDICAL_RECORD_NUMBER", r"mrn|medical record(?: number)?|patient (?:id|number)|chart number", 5, 14,
                 True),
    Announcement("MEMBER_ID", r"member(?:ship)?(?: id| number)?|subscriber(?: id| number)?|policy(?: number| id)?"
                 r"|group number|beneficiary|insurance (?:id|number|card)|medicaid (?:number|id)|loyalty number"
                 r"|rewards number|frequent flyer", 5, 16, True),
    Announcement("CLAIM_NUMBER", r"claim(?: number| id)?", 5, 16, True),
    Announcement("LICENSE_PLATE", r"licen[sc]e plate|plate number|plates?|tag number", 4, 8, True),
    Announcement("VEHICLE_IDENTIFICATION_NUMBER", r"vin(?: number)?|vehicle identification number", 11, 17, True),
    Announcement("PASSPORT_NUMBER", r"passport(?: number)?", 6, 9, True),
    Announcement("DRIVER_ID", r"driver'?s? licen[sc]e(?: number)?|driving licen[sc]e|state id", 6, 14, True),
    Announcement("LICENSE_NUMBER", r"licen[sc]e(?: number)?|dea(?: number)?|certificate(?: number)?|permit number", 5,
                 14, True),
    Announcement("DEVICE_ID", r"serial(?: number)?|imei|meid|iccid|sim(?: card)? number|device id|mac address"
                 r"|equipment id|asset tag", 6, 22, True),
    Announcement("ACCOUNT_NUMBER", r"account(?: number| id)?|acct|customer (?:id|number)|loan number|iban", 5, 34,
                 True),
    Announcement("REFERENCE_NUMBER", r"(?:order|case|ticket|reference|confirmation|tracking|invoice|prescription"
                 r"|referral|authorization|rx)(?: number| id| code)?"
                 r"|(?:booking|reservation|request) (?:number|id|code)",
                 5, 24, True),
    Announcement("ADDRESS", r"zip(?: ?code)?|postal code", 5, 9),
    Announcement("PHONE", r"phone|cell|mobile|call(?:ing)? (?:you |me )?(?:back )?(?:at|from|on)|call ?back number"
                 r"|reach (?:you|me)|best number|fax|text (?:you|me) at|number (?:on file|to reach)|telephone"
                 r"|extension|pager", 7, 11),
)  # fmt: skip
