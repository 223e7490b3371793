//! Scenarios with the real processes, and the demo town.
