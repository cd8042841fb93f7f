//! TLS that cannot be weakened.
