//! MQTT: the protocol alone, against servers that are wrong or hostile, and over connections that break.

mod broker;
mod hostile;
mod outage;
mod protocol;
