"""An invented survey, item by item, to try everything on."""
