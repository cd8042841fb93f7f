//! Artefacts over HTTPS, in ranges that resume: update manifests, images, trust bundles, as any object store or
//! content delivery network has them; and short reports back.
//!
//! | type | what it does |
//! |---|---|
//! | [`Request`] | writes the head of a request into a slice |
//! | [`Response`] | reads an answer, whatever pieces it comes in, within limits |
//! | [`Download`] | holds an artefact's download to the size that was signed, and goes on where it ended |
//! | [`Head`] | status, length, part, tag, when to come again |
//! | `Client` | all of it over a blocking connection; feature `std` |
//!
//! Nothing but `Client` does I/O or allocates, so the same code runs over any TLS stack of a microcontroller.
//! HTTP/1.1 (RFC 9110, RFC 9112) of which a device needs a small part: one request at a time, no encodings, no
//! trailers, no cookies, no redirects that are followed by themselves, since they lead to hosts that no interface table
//! knows. A head that leaves two readings is refused. Lengths stand in the answer or it ends with the connection, which
//! TLS tells from a cut.

#[cfg(feature = "std")]
mod client;
mod date;
mod download;
mod error;
mod head;
mod request;
mod response;
#[cfg(test)]
mod tests;

#[cfg(feature = "std")]
pub use client::Client;
pub use download::Download;
pub use error::HttpsError;
pub use head::{ContentRange, EntityTag, Head, RetryAfter};
pub use request::Request;
pub use response::{Event, Response};
