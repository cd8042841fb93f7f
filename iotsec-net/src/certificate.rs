//! Whether a server is who it says: its certificates, under a policy.
