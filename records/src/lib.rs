//! What a record means: categories, FHIR, Japanese dates.
#![forbid(unsafe_code)]
