"""How a program stands in memory: places in its whole numbers, for the engine that reads them and the code that packs.

A program is two flat arrays, ``ints`` and ``floats``. ``ints`` begins with a head of HEAD places, then one record of
EQUATION places for each equation; the rest of both arrays is reached through offsets that stand in these.
A missing part has the offset NONE.
"""

from __future__ import annotations

from bayes_sp.design.rows import ABSENT, MEASURED, MISSING, SEEN  # noqa: F401 - of a row in an equation
from bayes_sp.inference.pointwise.standardised import OF_COUNT, OF_PRECISION, OF_SD, OF_WEIGHT  # noqa: F401 - kernels take them from here

NONE = -1

# Head
SIZE = 0  # number of unconstrained parameters, P
NATURAL = 1  # number of natural parameters: P, then the shares of every simplex, then what is known
EQUATIONS = 2  # number of equations
ROWS = 3  # number of rows, R: a patient is one row, or one for each level that a missing value may have
SINGLE = 4  # number of rows that are a patient each; the others follow
SPLIT = 5  # ints: number of patients with several rows, then (first row, number of rows) of each
TRANSFORM = 6  # ints: transform of each parameter
DIST = 7  # ints: prior of each parameter
CONSTANTS = 8  # floats: three constants of each prior, (P, 3)
SIMPLEXES = 9  # ints: number of simplexes, then (first parameter, number of shares, first natural place) of each
ALPHAS = 10  # floats: Dirichlet constant of each simplex
LOG_CONSTANT = 11  # floats: what the log-density has beside what is computed, then the power of the likelihood
FRAMED = 12  # number of parameters, the first ones, on the sampler's own scale (origin + scale z)
MOST_AUX = 13  # largest number of aux of an equation
ANY_DEFERRED = 14  # 1 where an equation is deferred
KNOWN = 15  # number of known numbers among the natural parameters, the last ones
KNOWN_VALUES = 16  # floats: those numbers
UNITS = 17  # floats: unit of each parameter, for the transforms SOFT and TANH
SAMPLED = 18  # number of parameters that a sampler sees, the first ones; the others are integrated out, and 0 here
MEMBERS = 19  # number of variables with hidden values
LINKS = 20  # ints: records of LINK places
LINK_COUNT = 21
LINK_ROWS = 22  # number of rows with hidden values, or of those that stand for them where these are integrated out
LINK_RECORDS = 23  # floats: number of patients behind each of those; NONE where hidden values are kept
LINK_FIRST = 24  # the first of those rows, which follow each other
SEQUENCE = 25  # ints: record of normal mediators with correlated errors, or NONE
DERIVED = 26  # number of natural parameters after the others that follow from these, coefficients and SDs (`SEQUENCE`)
ROW_CONSTANTS = 27  # floats: what is added to the log-density of each row of a patient with several, or NONE
HEAD = 28

# Transforms. INCREASING: the element before plus exp(theta); SHARE: in a simplex; SOFT: unit log(1 + exp(theta / unit))
# TANH: tanh(theta / 2), a partial correlation, with the power of 1 - x^2 in its Jacobian for a unit
IDENTITY, LOG, INCREASING, SHARE, SOFT, TANH = range(6)

# Record of an equation
FAMILY = 0  # number of the family
FIRST = 1  # the rows before this one stand as a QR factor of a normal equation; 0 where none do
DEFERRED = 2  # 1 where its gradient waits for later equations or for the weights of split patients
COLUMNS = 3  # number of columns of the mean's predictor
X = 4  # floats: columns one after the other, (columns, rows)
BETA = 5  # natural place of the first coefficient
ZERO_COLUMNS = 6  # the same for the second predictor
ZERO_X = 7
ZERO_BETA = 8
AUX = 9  # number of parameters beside coefficients
AUX_PLACES = 10  # ints: their natural places
FIXED = 11  # number of known constants that follow the parameters in aux
FIXED_VALUES = 12  # floats
Y = 13  # floats: coded responses
STATE = 14  # ints: state of each row, or NONE where all are SEEN
OFFSET = 15  # floats: added to the mean's predictor
GROUPS = 16  # ints: group of each row
TAU = 17  # natural place of the SD of varying intercepts
GROUP_Z = 18  # natural place of the first standardised intercept
TERMS = 19  # ints: records of TERM places
TERM_COUNT = 20
TABLE = 21  # number of entries of the table of log Gamma ratios, 0 where the family needs none
HIDDEN = 22  # ints: rows whose value is a parameter
HIDDEN_COUNT = 23
MEMBER = 24  # number among the variables with hidden values, or NONE
EQUATION_ROWS = 25  # number of rows of this equation: R, or fewer that stand for those
FACTOR_RECORDS = 26  # floats: number of patients behind the QR factor
UNMEASURED = 27  # 1 where the record is of an unmeasured confounder, whose every row is hidden
INTEGRATED = 28  # 1 where `compiled_integral` has the equation's likelihood
FACTOR_ROWS = 29  # the factor: its rows, columns (as X) and responses
FACTOR_X = 30
FACTOR_Y = 31
EQUATION = 32

# Record of a term that cannot stand as a column of numbers
KIND = 0  # HIDDEN_PARENT or MONOTONIC
PART = 1  # 0 the mean's predictor, 1 the second one
COEFFICIENT = 2  # natural place
SOURCE = 3  # equation of the hidden parent, or natural place of the simplex's first share
MULTIPLIER = 4  # floats: what the value is multiplied with (an interaction), or NONE; MONOTONIC: number of shares
LEVELS = 5  # MONOTONIC: ints, level of each row
TERM = 6
HIDDEN_PARENT, MONOTONIC = range(2)

# Record of an equation that hidden values depend on: one of their own, or one whose response says where they lie. Its
# arrays are of the LINK_ROWS rows from LINK_FIRST
LINKED = 0  # the equation
ROW_Z = 1  # ints: natural place of the standardised value of each row, NONE where it is not hidden; or NONE
TARGET = 2  # floats: the response of each row on the scale of its predictor; or NONE where it says nothing
WEIGHT = 3  # floats: what the precision is multiplied with in each row, 0 where it says nothing
PRECISION = 4  # how the precision follows from the family's first parameter
IS_MEASURED = 5  # floats: 1 where the response is measured with error and its value hidden, else 0, of each row
OPEN = 6  # ints: records of OPEN_TERM places, the terms in the mean's predictor with hidden parents
OPEN_COUNT = 7
REACH = 8  # how many of the variables with hidden values, the first ones, its predictor depends on
LINK = 9

# Record of a term with a hidden parent
OPEN_COEFFICIENT = 0  # natural place
PARENT = 1  # number among the variables with hidden values
TIMES = 2  # floats: what the coefficient is multiplied with in each row, 0 where the parent is not hidden
OPEN_TERM = 3

# Record of K normal mediators with correlated errors: K first
SEQUENCE_PARTIALS = 1  # natural place of the first partial correlation
SEQUENCE_SIGMAS = 2  # natural places of K SDs; then K places in ints, of each mediator's record but the first's

# Record of a mediator given those before it: the natural place of its SD first. All places of coefficients are natural
GIVEN_FIRST = 1  # of its first coefficient
GIVEN_COUNT = 2  # number of coefficients
GIVEN_INTERCEPT = 3
GIVEN_CENTERS = 4  # floats: what is taken off each mediator before
GIVEN_SOURCES = 5  # ints: (coefficient, number of a mediator, coefficient of that one), three numbers each
GIVEN_SOURCE_COUNT = 6
GIVEN_SLOPES = 7  # of each mediator before
