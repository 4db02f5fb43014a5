"""How the cost of a hit grows: with the rate, with what is stored, with what is defined."""
