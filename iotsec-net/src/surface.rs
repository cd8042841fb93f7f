//! The interfaces of a device, declared once.
