"""Strings of a closed list that know more than their value."""

from enum import StrEnum


class Described(StrEnum):
    """Members are written as their value and their attributes, in the order of the annotations."""

    def __new__(cls, value: str, first: object, *more: object) -> "Described":
        member = str.__new__(cls, value)
        member._value_ = value
        for name, attribute in zip(cls.__annotations__, (first, *more), strict=True):
            setattr(member, name, attribute)
        return member
