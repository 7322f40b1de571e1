"""Pictures: plain arrays in, figures out."""
