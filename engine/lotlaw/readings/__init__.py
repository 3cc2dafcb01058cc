"""The readings of a formula: each module is an algebra (`lotlaw.formula.Algebra`)."""
