//! Artefacts over HTTPS, in ranges that resume.
