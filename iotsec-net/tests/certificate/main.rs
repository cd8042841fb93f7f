//! The verifier of certificates, over chains that somebody else made.

mod anchor;
mod damage;
mod matrix;
mod policy;
mod rotation;
mod vector;
