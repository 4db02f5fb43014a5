"""A tour of every page, of an installation that has seen some life: how accessible they are, how
they look, and that what strangers sent is text on all of them.
"""
