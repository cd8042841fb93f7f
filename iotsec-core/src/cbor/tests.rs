use super::*;

fn kind(input: &[u8], limits: &Limits) -> Option<Kind> {
    check(input, limits).err().map(|error| error.kind)
}

#[test]
fn deterministic_encodings_pass() {
    for input in [
        &[0x00][..],
        &[0x17],
        &[0x18, 0x18],
        &[0x19, 0x01, 0x00],
        &[0x1B, 0, 0, 0, 1, 0, 0, 0, 0],
        &[0x20],
        &[0x40],
        &[0x60],
        &[0x80],
        &[0xA0],
        &[0x82, 0x80, 0xA0],
        &[0xA2, 0x01, 0x80, 0x02, 0xA0],
        &[0xA2, 0x20, 0x01, 0x61, b'a', 0x02],
        &[0xD8, 0x6B, 0xA0],
        &[0xF4],
        &[0xF5],
        &[0xF6],
    ] {
        assert_eq!(check(input, &Limits::SMALL), Ok(()), "{input:02x?}");
    }
}

#[test]
fn each_violation_has_its_own_error_and_offset() {
    let cases: &[(&[u8], Kind, u32)] = &[
        (&[], Kind::Truncated, 0),
        (&[0x18], Kind::Truncated, 0),
        (&[0x18, 0x17], Kind::NotShortest, 0),
        (&[0x19, 0x00, 0xFF], Kind::NotShortest, 0),
        (&[0x1A, 0, 0, 0xFF, 0xFF], Kind::NotShortest, 0),
        (&[0x1B, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF], Kind::NotShortest, 0),
        (&[0x1C], Kind::NotShortest, 0),
        (&[0x5F, 0x40, 0xFF], Kind::Indefinite, 0),
        (&[0x81, 0x9F, 0xFF], Kind::Indefinite, 1),
        (&[0xBF, 0xFF], Kind::Indefinite, 0),
        (&[0x42, 0x01], Kind::Truncated, 0),
        (
            &[0x5B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            Kind::Truncated,
            0,
        ),
        (
            &[0x9B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            Kind::Truncated,
            0,
        ),
        (
            &[0xBB, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            Kind::Truncated,
            0,
        ),
        (&[0x62, 0xC3, 0x28], Kind::Utf8, 0),
        (&[0xA2, 0x02, 0x00, 0x01, 0x00], Kind::Unsorted, 3),
        (&[0xA2, 0x01, 0x00, 0x01, 0x00], Kind::Duplicate, 3),
        (&[0xA2, 0x81, 0x01, 0x00, 0x81, 0x01, 0x00], Kind::Duplicate, 4),
        (&[0xF9, 0x3C, 0x00], Kind::Unsupported, 0),
        (&[0xF7], Kind::Unsupported, 0),
        (&[0xC2, 0x41, 0x01], Kind::Unsupported, 0),
        (&[0xC3, 0x41, 0x01], Kind::Unsupported, 0),
        (&[0xF8, 0x20], Kind::Unsupported, 0),
        (&[0x00, 0x00], Kind::Trailing, 1),
        (&[0x81, 0x81, 0x81, 0x81, 0x81, 0x00], Kind::Depth, 4),
    ];
    for (input, kind, offset) in cases {
        let error = check(input, &Limits::SMALL).unwrap_err();
        assert_eq!((error.kind, error.offset()), (*kind, *offset), "{input:02x?}");
    }
}

#[test]
fn limits_hold() {
    let limits = Limits {
        depth: 2,
        items: 4,
        bytes: 8,
    };
    assert_eq!(kind(&[0x83, 0, 0, 0], &limits), None);
    assert_eq!(kind(&[0x84, 0, 0, 0, 0], &limits), Some(Kind::Items));
    assert_eq!(kind(&[0x81, 0x81, 0x80], &limits), Some(Kind::Depth));
    assert_eq!(kind(&[0x48, 0, 0, 0, 0, 0, 0, 0, 0], &limits), Some(Kind::Bytes));
    // The stack has 16 frames, whatever the limit says.
    let deep = Limits {
        depth: u8::MAX,
        items: u16::MAX,
        bytes: 8192,
    };
    assert_eq!(kind(&[0x81; 4000], &deep), Some(Kind::Depth));
}

#[test]
fn a_sequence_has_any_number_of_items() {
    assert!(check_sequence(&[], &Limits::SMALL).is_ok());
    assert!(check_sequence(&[0x00, 0x80, 0xA0], &Limits::SMALL).is_ok());
    assert_eq!(
        check_sequence(&[0x00, 0x81], &Limits::SMALL).unwrap_err().kind,
        Kind::Truncated
    );
}

#[test]
fn integers_keep_their_value_at_every_width() {
    for value in [
        0,
        23,
        24,
        255,
        256,
        65535,
        65536,
        u64::from(u32::MAX),
        1 << 32,
        u64::MAX,
    ] {
        let mut buffer = [0; 9];
        let mut writer = Writer::new(&mut buffer);
        writer.uint(value).unwrap();
        let bytes = writer.finish().unwrap();
        assert_eq!(Reader::new(bytes, &Limits::SMALL).unwrap().uint(), Ok(value));
    }
    for value in [-1, -24, -25, -256, -257, i64::MIN, i64::MAX] {
        let mut buffer = [0; 9];
        let mut writer = Writer::new(&mut buffer);
        writer.int(value).unwrap();
        let bytes = writer.finish().unwrap();
        assert_eq!(Reader::new(bytes, &Limits::SMALL).unwrap().int(), Ok(value));
    }
    // -2^64 is CBOR but not an i64.
    let least = [0x3B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
    assert_eq!(
        Reader::new(&least, &Limits::SMALL)
            .unwrap()
            .int()
            .unwrap_err()
            .kind,
        Kind::Range
    );
}

#[test]
fn skip_returns_the_whole_item() {
    let input = [0x82, 0xA1, 0x01, 0x82, 0x41, 0xFF, 0xC1, 0x00, 0x61, b'z'];
    let mut reader = Reader::new(&input, &Limits::SMALL).unwrap();
    reader.array_len(2).unwrap();
    assert_eq!(reader.skip().unwrap(), &input[1..8]);
    assert_eq!(reader.text(), Ok("z"));
    assert!(reader.finish().is_ok());
}

#[test]
fn an_embedded_item_reports_offsets_in_the_whole() {
    let input = [0x82, 0x00, 0x42, 0x18, 0x01];
    let mut reader = Reader::new(&input, &Limits::SMALL).unwrap();
    reader.array().unwrap();
    reader.uint().unwrap();
    let error = reader.embedded(&Limits::SMALL).unwrap_err();
    assert_eq!((error.kind, error.offset()), (Kind::NotShortest, 3));
    // A method that fails does not move.
    assert_eq!(reader.bytes(), Ok(&[0x18, 0x01][..]));
}

#[test]
fn embedded_writes_the_length_it_turns_out_to_have() {
    for len in [0, 22, 23, 24, 255, 256, 300] {
        let content = std::vec![0x5A; len];
        let mut buffer = [0; 320];
        let mut writer = Writer::new(&mut buffer);
        writer
            .embedded::<CborError>(|inner| inner.bytes(&content).map(|_| ()))
            .unwrap();
        let bytes = writer.finish().unwrap();
        let mut reader = Reader::new(bytes, &Limits::SMALL).unwrap();
        assert_eq!(reader.embedded(&Limits::SMALL).unwrap().bytes(), Ok(&content[..]));
    }
}

#[test]
fn a_full_buffer_is_an_error_and_writes_nothing_past_it() {
    let mut buffer = [0xEE; 8];
    let (room, guard) = buffer.split_at_mut(4);
    let mut writer = Writer::new(room);
    assert_eq!(writer.bytes(&[1, 2, 3, 4]).unwrap_err().kind, Kind::BufferFull);
    assert_eq!(
        writer
            .embedded::<CborError>(|w| w.uint(1 << 20).map(|_| ()))
            .unwrap_err()
            .kind,
        Kind::BufferFull
    );
    writer.bytes(&[1, 2, 3]).unwrap();
    assert_eq!(guard, [0xEE; 4]);
}

#[test]
fn every_truncation_and_bit_flip_is_answered() {
    let mut buffer = [0; 64];
    let mut writer = Writer::new(&mut buffer);
    writer
        .map(2)
        .unwrap()
        .uint(1)
        .unwrap()
        .bytes(&[7; 20])
        .unwrap()
        .text("k")
        .unwrap();
    writer.array(2).unwrap().null().unwrap().bool(true).unwrap();
    let good = writer.finish().unwrap().to_vec();
    for len in 0..good.len() {
        assert_eq!(kind(&good[..len], &Limits::SMALL), Some(Kind::Truncated), "{len}");
    }
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        // Either refused, or accepted and readable to the end.
        if let Ok(mut reader) = Reader::new(&bad, &Limits::SMALL) {
            reader.skip().unwrap();
            reader.finish().unwrap();
        }
    }
}

#[test]
fn a_sequence_is_walked_item_by_item_within_the_limits_of_each() {
    let limits = Limits {
        depth: 2,
        items: 4,
        bytes: 4,
    };
    let input = [0x83, 1, 2, 3, 0x43, 7, 7, 7, 0xA0];
    let (first, rest) = split_first(&input, &limits).unwrap();
    let (second, rest) = split_first(rest, &limits).unwrap();
    let (third, rest) = split_first(rest, &limits).unwrap();
    assert_eq!(
        (first, second, third, rest),
        (&input[..4], &input[4..8], &input[8..], &[][..])
    );
    assert_eq!(
        split_first(&[0x44, 7, 7, 7, 7], &limits).unwrap_err().kind,
        Kind::Bytes
    );
    assert_eq!(
        split_first(&[0x43, 7], &limits).unwrap_err().kind,
        Kind::Truncated
    );
    assert_eq!(split_first(&[], &limits).unwrap_err().kind, Kind::Truncated);
}

#[test]
fn a_method_that_fails_does_not_move() {
    let input = [0x84, 0x19, 0x01, 0x00, 0xF6, 0x42, 0x01, 0x02, 0x80];
    let mut reader = Reader::new(&input, &Limits::SMALL).unwrap();
    assert_eq!(reader.array_len(3).unwrap_err().kind, Kind::Length);
    reader.array_len(4).unwrap();
    assert_eq!(reader.uint_as::<u8>().unwrap_err().kind, Kind::Range);
    assert_eq!(reader.uint_as::<u16>(), Ok(256));
    assert_eq!(reader.bool().unwrap_err().kind, Kind::Type);
    assert_eq!(reader.null(), Ok(()));
    assert_eq!(reader.array_of::<3>().unwrap_err().kind, Kind::Length);
    assert_eq!(reader.null().unwrap_err().kind, Kind::Type);
    assert_eq!(reader.array_of::<2>(), Ok(&[1, 2]));
    assert_eq!(reader.array(), Ok(0));
}
