//! When to try again, so that a fleet does not storm its service.
