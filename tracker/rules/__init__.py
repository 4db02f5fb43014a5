"""Rules of the domain: pure functions and frozen shapes. They take `now`; they touch nothing."""
