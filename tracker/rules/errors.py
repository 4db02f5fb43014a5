"""What can be wrong with a hit's data or with a definition: a closed list of codes."""

import msgspec

from tracker.rules.described import Described


class ErrorCode(Described):
    """What is wrong with a field of a hit or of a definition; `.meaning` says it in a sentence."""

    meaning: str

    REQUIRED = "required", "A value that must be there is left out, null or empty."
    WRONG_TYPE = "wrong_type", "The value is none of the spellings of the type."
    TOO_LONG = "too_long", "The text has more characters than allowed."
    NUL = "nul", "The text holds the character NUL (\\u0000), which cannot be stored."
    OUT_OF_RANGE = "out_of_range", "The number or the instant is beyond what can be stored."
    TOO_MANY_DIGITS = "too_many_digits", "The decimal, written out, has more than 38 digits."
    UNKNOWN_FIELD = "unknown_field", "There is no field or property of this name."
    NOT_AN_OBJECT = "not_an_object", "The whole is not a JSON object."
    MALFORMED = "malformed", "The whole, or this value, is not valid JSON in UTF-8."
    TOO_DEEP = "too_deep", "The JSON is nested too deep to be read."
    BAD_FORMAT = "bad_format", "The text is not of the required form."
    BAD_SIGNATURE = "bad_signature", "It was not signed with the section's signing secret."
    EXPIRED = "expired", "The signature was good only until a time before the receipt."
    # The rest is for definitions only.
    CONTROL_CHARACTER = "control_character", "The text holds a character that cannot be shown."
    DUPLICATE = "duplicate", "Two fields have the same key or the same id."
    TOO_MANY = "too_many", "There are more than 100 fields."
    SOURCE = "source", "The field `source` is missing, or is not a required text."
    UNKNOWN_ID = "unknown_id", "No field of the version before has this id."


class FieldError(msgspec.Struct, frozen=True):
    """One thing that is wrong: `field` is a key or a path ("" for the whole), `code` the kind."""

    field: str
    code: ErrorCode
    message: str
