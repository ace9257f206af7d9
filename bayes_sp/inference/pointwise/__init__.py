"""What each patient's records say, given draws."""
