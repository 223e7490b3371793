//! The plastic: a simulated Individual Number card.
