"""The patients of the published study who did not come back: what the article says of them."""

from __future__ import annotations

from bayes_sp.records.nonresponders import Moment, NonResponders
from bayes_sp.records.published.article import published

_MALE, _FEMALE = 1, 2  # as in the reconstructed records


def published_nonresponders() -> NonResponders:
    """Return the referred patients who were not surveyed again: how many, and the moments that the article prints.

    Means and SDs of those who did not come back are printed where the article compares them with those who did, by
    t tests. Men and women are those at referral less those who came back; patients of unknown gender are left out of
    the mean.

    Returns
    -------
    NonResponders

    References
    ----------
    Kellezi et al. (2019). BMJ Open 9(11): e033137. https://doi.org/10.1136/bmjopen-2019-033137
    """
    study = published()
    referred, came_back = study.sample("baseline"), study.sample("follow_up")
    men, women = referred.male - came_back.male, referred.female - came_back.female
    compared = [
        Moment(test.variable, test.mean_nonresponders.value, test.sd_nonresponders.value) for test in study.t_tests
    ]
    gender = Moment("gender", (_MALE * men + _FEMALE * women) / (men + women))
    cited = study.citation
    source = f"{cited.authors[0].split(',')[0]} et al. {cited.year}, {study.t_tests[0].place}"
    return NonResponders(referred.n - came_back.n, source, moments=(*compared, gender))
