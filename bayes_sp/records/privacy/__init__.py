"""What tables and records tell of single patients: small counts, records that are near to others."""
