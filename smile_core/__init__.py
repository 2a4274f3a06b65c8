"""SMILE for instruction-based image editing: which words drive an edit."""
