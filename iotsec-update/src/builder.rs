//! The encoder, into a slice, for hosts, tests and examples.
