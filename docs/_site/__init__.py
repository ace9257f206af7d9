"""What the site has beside its pages: formulas as MathML, and tables made from the package."""
