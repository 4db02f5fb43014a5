"""The browser matrix: whole visits in real browsers, each hit counted. docs/matrix.md."""
