//! Messages over MQTT.
