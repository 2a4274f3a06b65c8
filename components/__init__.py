"""The page, one file per panel: `build` makes its components, `render` is pure."""
