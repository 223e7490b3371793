//! What a record means: categories, FHIR, Japanese dates.
