"""The commands of `python -m smile_core`, one file each."""
