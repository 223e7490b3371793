//! The plan, case by case and as a whole.
