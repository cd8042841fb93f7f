use iotsec_core::{hal::Millis, input::MqttFilter};
use iotsec_net::{
    mqtt::{Event, Mqtt, MqttConfig, MqttError, Reason, Version},
    retry::Failure,
};
use zeroize::Zeroizing;

use crate::broker::{
    NOW, PINGREQ, PUBACK, PUBLISH, SUBSCRIBE, client, connect, feed, message, puback, publish, sent, topic,
};

fn config() -> MqttConfig {
    MqttConfig::new("device-1").unwrap()
}

/// Identifiers and DUP flags of what is sent.
fn publishes(mqtt: &mut Mqtt) -> Vec<(u16, u8, bool)> {
    sent(mqtt, NOW)
        .iter()
        .map(|packet| {
            let (id, _, payload, dup) = packet.published(true);
            (id, payload[0], dup)
        })
        .collect()
}

#[test]
fn a_connect_packet_is_the_one_of_the_specification() {
    let mut mqtt = Mqtt::new(
        config()
            .with_keep_alive(10)
            .unwrap()
            .with_password("user", Zeroizing::new(b"secret".to_vec()))
            .unwrap(),
    );
    mqtt.open(NOW).unwrap();
    let packets = sent(&mut mqtt, NOW);
    // MQTT 5 §3.1: name, version 5, user name + password + clean start, keep-alive 10; session expiry 0, receive
    // maximum 8, maximum packet size 16 KiB, no problem information; client identifier, user, password.
    let mut wanted =
        b"\x00\x04MQTT\x05\xC2\x00\x0A\x0F\x11\x00\x00\x00\x00\x21\x00\x08\x27\x00\x00\x40\x00\x17\x00"
            .to_vec();
    wanted.extend_from_slice(b"\x00\x08device-1\x00\x04user\x00\x06secret");
    assert_eq!((packets[0].first, &packets[0].body), (0x10, &wanted));

    let mut mqtt = Mqtt::new(config().with_version(Version::V311).with_session(1).unwrap());
    mqtt.open(NOW).unwrap();
    let packets = sent(&mut mqtt, NOW);
    assert_eq!(packets[0].body, b"\x00\x04MQTT\x04\x00\x00\x3C\x00\x08device-1");
}

#[test]
fn what_is_not_acknowledged_goes_out_again_in_order() {
    for resumed in [false, true] {
        let session = u32::from(resumed) * 60;
        let mut mqtt = Mqtt::new(config().with_session(session).unwrap());
        let first: Vec<_> = (1..=4).map(|number| publish(&mut mqtt, &[number])).collect();
        connect(&mut mqtt, false);
        assert_eq!(
            publishes(&mut mqtt),
            [(1, 1, false), (2, 2, false), (3, 3, false), (4, 4, false)]
        );
        assert_eq!(
            feed(&mut mqtt, &puback(2), NOW).unwrap(),
            [Event::Acknowledged(first[1])]
        );
        mqtt.close();
        publish(&mut mqtt, &[5]);

        connect(&mut mqtt, resumed);
        assert_eq!(
            publishes(&mut mqtt),
            [(1, 1, resumed), (3, 3, resumed), (4, 4, resumed), (5, 5, false)]
        );
        let mut bytes = puback(1);
        bytes.extend([puback(3), puback(4), puback(5)].concat());
        assert_eq!(feed(&mut mqtt, &bytes, NOW).unwrap().len(), 4);
        assert_eq!(mqtt.pending(), (0, 0));
    }
}

#[test]
fn the_server_says_how_many_may_be_on_the_way() {
    let mut mqtt = client();
    for number in 0..20 {
        publish(&mut mqtt, &[number]);
    }
    mqtt.open(NOW).unwrap();
    sent(&mut mqtt, NOW);
    // Receive maximum 3.
    feed(&mut mqtt, &[0x20, 6, 0, 0, 3, 0x21, 0, 3], NOW).unwrap();
    assert_eq!(publishes(&mut mqtt).len(), 3);
    assert_eq!(publishes(&mut mqtt).len(), 0);
    feed(&mut mqtt, &puback(1), NOW).unwrap();
    assert_eq!(publishes(&mut mqtt), [(4, 3, false)]);
}

#[test]
fn memory_is_bounded_and_says_so() {
    let mut mqtt = Mqtt::new(
        config()
            .with_outbox(3, 1024, 1)
            .unwrap()
            .with_packet(600)
            .unwrap(),
    );
    assert_eq!(mqtt.publish(topic("t"), &[0; 590]), Err(MqttError::TooLarge));
    mqtt.publish(topic("t"), &[0; 500]).unwrap();
    mqtt.publish(topic("t"), &[0; 500]).unwrap();
    assert_eq!(mqtt.publish(topic("t"), &[0; 500]), Err(MqttError::Full));
    mqtt.publish(topic("t"), &[0; 1]).unwrap();
    assert_eq!(mqtt.publish(topic("t"), &[]), Err(MqttError::Full));
    assert_eq!(mqtt.pending(), (3, 501 + 501 + 2));

    connect(&mut mqtt, false);
    sent(&mut mqtt, NOW);
    feed(&mut mqtt, &puback(1), NOW).unwrap();
    assert!(
        mqtt.publish(topic("t"), &[0; 400]).is_ok(),
        "an acknowledgement makes room"
    );
}

#[test]
fn a_message_that_the_server_cannot_take_is_told_and_the_next_goes_out() {
    let mut mqtt = client();
    let large = publish(&mut mqtt, &[1; 200]);
    publish(&mut mqtt, &[2]);
    mqtt.open(NOW).unwrap();
    sent(&mut mqtt, NOW);
    // Maximum packet size 100.
    feed(&mut mqtt, &[0x20, 8, 0, 0, 5, 0x27, 0, 0, 0, 100], NOW).unwrap();
    assert_eq!(publishes(&mut mqtt), [(2, 2, false)]);
    assert_eq!(
        mqtt.next(NOW).unwrap(),
        Some(Event::Rejected(large, Reason(0x95)))
    );
    assert_eq!(mqtt.pending().0, 1);
}

#[test]
fn a_refused_message_is_told_and_a_quota_keeps_it() {
    let mut mqtt = client();
    let refused = publish(&mut mqtt, &[1]);
    publish(&mut mqtt, &[2]);
    connect(&mut mqtt, false);
    publishes(&mut mqtt);
    let events = feed(&mut mqtt, &[0x40, 3, 0, 1, 0x87], NOW).unwrap();
    assert_eq!(events, [Event::Rejected(refused, Reason::NOT_AUTHORIZED)]);
    let error = feed(&mut mqtt, &[0x40, 3, 0, 2, 0x97], NOW).unwrap_err();
    assert_eq!(error, MqttError::Ended(Reason::QUOTA));
    assert_eq!(error.failure(), Failure::TooOften { after: None });
    assert_eq!(mqtt.pending().0, 1);
}

#[test]
fn reasons_say_what_to_wait_for() {
    use Failure::{Busy, Refused, TooOften, Unreachable};
    let (busy, too_often) = (Busy { after: None }, TooOften { after: None });
    for (code, failure) in [
        (0x80, Unreachable),
        (0x84, Refused),
        (0x85, Refused),
        (0x86, Refused),
        (0x87, Refused),
        (0x88, busy),
        (0x89, busy),
        (0x8A, Refused),
        (0x97, too_often),
        (0x9C, busy),
        (0x9D, Refused),
        (0x9F, too_often),
    ] {
        let mut mqtt = client();
        mqtt.open(NOW).unwrap();
        sent(&mut mqtt, NOW);
        let error = feed(&mut mqtt, &[0x20, 3, 0, code, 0], NOW).unwrap_err();
        assert_eq!(error, MqttError::Ended(Reason(code)));
        assert_eq!(error.failure(), failure, "{code:#x}");
    }
    // DISCONNECT, with and without a reason.
    for (packet, failure) in [
        (&[0xE0, 0][..], Unreachable),
        (&[0xE0, 1, 0x8B], busy),
        (&[0xE0, 1, 0x8E], too_often),
        (&[0xE0, 1, 0x96], too_often),
        (&[0xE0, 2, 0x87, 0], Refused),
    ] {
        let mut mqtt = client();
        connect(&mut mqtt, false);
        assert_eq!(
            feed(&mut mqtt, packet, NOW).unwrap_err().failure(),
            failure,
            "{packet:x?}"
        );
    }
    // The return codes of 3.1.1.
    for (code, failure) in [(1, Refused), (2, Refused), (3, busy), (4, Refused), (5, Refused)] {
        let mut mqtt = Mqtt::new(config().with_version(Version::V311));
        mqtt.open(NOW).unwrap();
        sent(&mut mqtt, NOW);
        assert_eq!(
            feed(&mut mqtt, &[0x20, 2, 0, code], NOW).unwrap_err().failure(),
            failure
        );
    }
}

#[test]
fn version_3_1_1_publishes_and_subscribes_too() {
    let mut mqtt = Mqtt::new(config().with_version(Version::V311));
    let delivery = publish(&mut mqtt, &[7]);
    mqtt.subscribe(MqttFilter::parse(b"c/#").unwrap()).unwrap();
    mqtt.open(NOW).unwrap();
    sent(&mut mqtt, NOW);
    feed(&mut mqtt, &[0x20, 2, 0, 0], NOW).unwrap();
    let packets = sent(&mut mqtt, NOW);
    assert_eq!(packets[0].body, b"\xFF\xFF\x00\x03c/#\x01");
    assert_eq!(packets[1].published(false), (1, "t".to_owned(), vec![7], false));
    let events = feed(&mut mqtt, &[0x90, 3, 0xFF, 0xFF, 0x80, 0x40, 2, 0, 1], NOW).unwrap();
    assert_eq!(
        events,
        [
            Event::Unsubscribed("c/#".to_owned(), Reason(0x80)),
            Event::Acknowledged(delivery)
        ]
    );
    let events = feed(&mut mqtt, b"\x30\x06\x00\x03c/1x", NOW).unwrap();
    let [Event::Message(message)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!((message.topic(), message.payload()), ("c/1", &b"x"[..]));
}

#[test]
fn subscriptions_come_back_unless_the_server_kept_them() {
    let mut mqtt = Mqtt::new(config().with_session(60).unwrap());
    mqtt.subscribe(MqttFilter::parse(b"c/+").unwrap()).unwrap();
    for (resumed, wanted) in [(false, 1), (true, 0), (false, 1)] {
        connect(&mut mqtt, resumed);
        let packets = sent(&mut mqtt, NOW);
        assert_eq!(
            packets.iter().filter(|packet| packet.kind() == SUBSCRIBE).count(),
            wanted
        );
        mqtt.close();
    }
    // One question at a time.
    connect(&mut mqtt, false);
    assert_eq!(sent(&mut mqtt, NOW).len(), 1);
    mqtt.subscribe(MqttFilter::parse(b"d").unwrap()).unwrap();
    assert_eq!(sent(&mut mqtt, NOW).len(), 0);
    let events = feed(&mut mqtt, &[0x90, 4, 0xFF, 0xFF, 0, 1], NOW).unwrap();
    assert_eq!(events, [Event::Subscribed("c/+".to_owned())]);
    assert_eq!(sent(&mut mqtt, NOW).len(), 1);
    feed(&mut mqtt, &[0x90, 5, 0xFF, 0xFF, 0, 1, 1], NOW).unwrap();
    assert_eq!(sent(&mut mqtt, NOW).len(), 0);
}

#[test]
fn a_message_is_acknowledged_when_the_application_says_so() {
    let mut mqtt = client();
    connect(&mut mqtt, false);
    let events = feed(&mut mqtt, &message(9, "c", b"on"), NOW).unwrap();
    let [Event::Message(received)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(sent(&mut mqtt, NOW).len(), 0);
    mqtt.acknowledge(received).unwrap();
    let packets = sent(&mut mqtt, NOW);
    assert_eq!((packets[0].kind(), &packets[0].body[..2]), (PUBACK, &[0, 9][..]));
    assert_eq!(mqtt.acknowledge(received), Err(MqttError::Receipt));
}

#[test]
fn silence_is_broken_by_a_ping_and_a_dead_server_is_noticed() {
    let seconds = Millis::from_secs;
    let mut mqtt = Mqtt::new(
        config()
            .with_keep_alive(60)
            .unwrap()
            .with_answer_within(20)
            .unwrap(),
    );
    mqtt.open(NOW).unwrap();
    assert_eq!(mqtt.next(seconds(19)), Ok(None));
    assert_eq!(mqtt.next(seconds(20)), Err(MqttError::Silent), "no CONNACK");

    connect(&mut mqtt, false);
    assert_eq!(sent(&mut mqtt, seconds(44)).len(), 0);
    assert_eq!(sent(&mut mqtt, seconds(45))[0].kind(), PINGREQ);
    assert_eq!(sent(&mut mqtt, seconds(46)).len(), 0, "one is enough");
    assert_eq!(feed(&mut mqtt, &[0xD0, 0], seconds(60)).unwrap(), []);
    assert_eq!(mqtt.next(seconds(89)), Ok(None));
    assert_eq!(sent(&mut mqtt, seconds(90))[0].kind(), PINGREQ);
    assert_eq!(mqtt.next(seconds(109)), Ok(None));
    assert_eq!(mqtt.next(seconds(110)), Err(MqttError::Silent));
    assert_eq!(MqttError::Silent.failure(), Failure::Unreachable);

    // A message that is never acknowledged.
    connect(&mut mqtt, false);
    publish(&mut mqtt, &[1]);
    assert_eq!(sent(&mut mqtt, seconds(5))[0].kind(), PUBLISH);
    assert_eq!(mqtt.next(seconds(25)), Err(MqttError::Silent));

    // Bytes that do not go.
    connect(&mut mqtt, false);
    let events = feed(&mut mqtt, &message(9, "c", b"on"), NOW).unwrap();
    let [Event::Message(received)] = &events[..] else {
        panic!("{events:?}")
    };
    mqtt.acknowledge(received).unwrap();
    assert!(!mqtt.to_send(seconds(45)).unwrap().is_empty());
    assert_eq!(mqtt.next(seconds(65)), Err(MqttError::Silent));
}

#[test]
fn the_server_may_shorten_the_keep_alive_and_not_lengthen_it() {
    for (server, at) in [(20_u8, 15), (200, 45), (0, 45)] {
        let mut mqtt = client();
        mqtt.open(NOW).unwrap();
        sent(&mut mqtt, NOW);
        feed(&mut mqtt, &[0x20, 6, 0, 0, 3, 0x13, 0, server], NOW).unwrap();
        assert_eq!(sent(&mut mqtt, Millis::from_secs(at - 1)).len(), 0);
        assert_eq!(sent(&mut mqtt, Millis::from_secs(at)).len(), 1);
    }
}

#[test]
fn secrets_are_in_no_debug_output_and_not_in_a_buffer_that_went() {
    let secret = b"hunter2-hunter2";
    let config = config()
        .with_password("owner-of-it", Zeroizing::new(secret.to_vec()))
        .unwrap();
    let mut mqtt = Mqtt::new(config.clone());
    mqtt.open(NOW).unwrap();
    sent(&mut mqtt, NOW);
    let bytes = format!("{secret:?}");
    for text in [format!("{config:?}"), format!("{mqtt:?}")] {
        for hidden in ["hunter2", "owner-of-it", &bytes[1..bytes.len() - 1]] {
            assert!(!text.contains(hidden), "{text}");
        }
    }
}

#[test]
fn configurations_have_bounds() {
    assert!(MqttConfig::new("").is_err() && MqttConfig::new("a b").is_err());
    assert!(MqttConfig::new(&"x".repeat(128)).is_ok() && MqttConfig::new(&"x".repeat(129)).is_err());
    assert!(config().with_keep_alive(4).is_err() && config().with_keep_alive(64_801).is_err());
    assert!(config().with_answer_within(0).is_err());
    assert!(config().with_session(30 * 86_400 + 1).is_err());
    assert!(config().with_outbox(0, 1024, 1).is_err() && config().with_outbox(1, 1023, 1).is_err());
    assert!(config().with_outbox(1, 1024, 0).is_err());
    assert!(config().with_packet(127).is_err());
    let mut mqtt = client();
    for _ in 0..8 {
        mqtt.subscribe(MqttFilter::parse(b"a").unwrap()).unwrap();
    }
    assert_eq!(
        mqtt.subscribe(MqttFilter::parse(b"a").unwrap()),
        Err(MqttError::Subscriptions)
    );
}
