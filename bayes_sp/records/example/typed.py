"""What can be typed of the example survey: the examples in the help of commands, which run one after the other."""

TRIAL = "--data trial/survey.csv --codebook trial/codebook.toml"
DRAFT = (
    "draft trial/survey.csv --codebook trial/codebook.toml --exposure group_change --mediators loneliness_t1 "
    "--outcome visits_t1 --covariates age"
)
MODERATED = f'{DRAFT} --moderators "age: group_change -> loneliness_t1"'
