"""Tables that can be shared in place of records: the same moments and scales, and no patient behind a row."""
