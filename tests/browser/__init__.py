"""What a browser sees of Pintag."""
