//! Device passwords.
