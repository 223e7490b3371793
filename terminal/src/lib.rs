//! The guardian: card, session, and the child's view, which comes together here and only here.
#![forbid(unsafe_code)]
