//! The small Ed25519 backend answers exactly as the other one does, also where the standard leaves a choice.

use iotsec_core::crypto::{CryptoError, Ed25519PublicKey, Ed25519SmallPublicKey, Sha256, Verify};
use salty::{CompressedY, EdwardsPoint, Scalar, Sha512};

/// 2^252 + 27742317777372353535851937790883648493.
const ORDER: [u8; 32] = [
    0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];
/// A point of order eight.
const TORSION: [u8; 32] = [
    0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F, 0x2A,
    0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A,
];

fn bytes(label: &str, number: usize) -> [u8; 32] {
    Sha256::of(&[label.as_bytes(), &number.to_le_bytes()])
}

fn scalar(label: &str, number: usize) -> Scalar {
    let mut wide = [0; 64];
    wide[..32].copy_from_slice(&bytes(label, number));
    wide[32..].copy_from_slice(&bytes(label, number + 1_000_000));
    Scalar::from_u512_le(&wide)
}

/// Both backends' answer, which must be one.
fn answer(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> Result<(), CryptoError> {
    let small = Ed25519SmallPublicKey::from_bytes(key).and_then(|key| key.verify(message, signature));
    let other = Ed25519PublicKey::from_bytes(key).and_then(|key| key.verify(message, signature));
    assert_eq!(small, other, "{key:02x?} {message:02x?} {signature:02x?}");
    small
}

/// The multiples of [`TORSION`].
fn torsion() -> Vec<EdwardsPoint> {
    let torsion = CompressedY(TORSION).decompressed().unwrap();
    let mut points = vec![EdwardsPoint::neutral_element()];
    for at in 0..7 {
        points.push(&points[at] + &torsion);
    }
    assert!(&points[7] + &torsion == points[0]);
    points
}

/// What a signer makes whose key and R have a part of small order: (key, signature, challenge).
fn signed(
    a: &Scalar,
    r: &Scalar,
    of_key: &EdwardsPoint,
    of_r: &EdwardsPoint,
    message: &[u8],
) -> ([u8; 32], [u8; 64], Scalar) {
    let base = EdwardsPoint::basepoint();
    let key = (&(a * &base) + of_key).compressed().to_bytes();
    let encoded_r = (&(r * &base) + of_r).compressed().to_bytes();
    let hash = Sha512::new().updated(&encoded_r).updated(&key).updated(message);
    let challenge = Scalar::from_u512_le(&hash.finalize());
    let s = r + &(&challenge * a);
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&encoded_r);
    signature[32..].copy_from_slice(s.as_bytes());
    (key, signature, challenge)
}

#[test]
fn both_check_the_equation_without_the_cofactor() {
    let torsion = torsion();
    let (mut accepted, mut refused) = (0, 0);
    for number in 0..6 {
        let (a, r) = (scalar("a", number), scalar("r", number));
        for (i, of_key) in torsion.iter().enumerate() {
            for (j, of_r) in torsion.iter().enumerate() {
                let message = bytes("message", number * 64 + i * 8 + j);
                let (key, signature, challenge) = signed(&a, &r, of_key, of_r, &message);
                let k = usize::from(challenge.as_bytes()[0]);
                let holds = (j + k * i).is_multiple_of(8);
                assert_eq!(answer(&key, &message, &signature).is_ok(), holds);
                if holds {
                    accepted += 1;
                } else {
                    refused += 1;
                }
            }
        }
    }
    assert!(accepted > 30 && refused > 200, "{accepted} {refused}");
}

#[test]
fn both_refuse_points_of_small_order_although_the_equation_holds() {
    let (torsion, zero) = (torsion(), Scalar::from(0));
    let a = scalar("a", 0);
    for of_r in &torsion {
        for number in 0..16 {
            let message = bytes("small", number);
            // R of small order.
            let (key, signature, _) = signed(&a, &zero, &torsion[0], of_r, &message);
            assert_eq!(answer(&key, &message, &signature), Err(CryptoError::Signature));
            // A key of small order.
            let (key, signature, _) = signed(&zero, &a, of_r, &torsion[0], &message);
            assert_eq!(answer(&key, &message, &signature), Err(CryptoError::PublicKey));
        }
    }
}

#[test]
fn both_refuse_encodings_that_are_not_canonical() {
    // Every y from the prime to 2^255 - 1, with both signs.
    for low in 0xED..=0xFF {
        for sign in [0x7F, 0xFF] {
            let mut point = [0xFF; 32];
            (point[0], point[31]) = (low, sign);
            assert_eq!(Ed25519PublicKey::from_bytes(&point), Err(CryptoError::PublicKey));
            assert_eq!(
                Ed25519SmallPublicKey::from_bytes(&point).err(),
                Some(CryptoError::PublicKey)
            );
            let (key, mut signature, _) = signed(
                &scalar("a", 1),
                &scalar("r", 1),
                &torsion()[0],
                &torsion()[0],
                b"canonical",
            );
            signature[..32].copy_from_slice(&point);
            assert_eq!(
                answer(&key, b"canonical", &signature),
                Err(CryptoError::Signature)
            );
        }
    }
}

#[test]
fn both_refuse_s_unless_it_lies_below_the_order() {
    let neutral = torsion()[0];
    for number in 0..16 {
        let message = bytes("order", number);
        let (key, good, _) = signed(
            &scalar("a", number),
            &scalar("r", number),
            &neutral,
            &neutral,
            &message,
        );
        assert_eq!(answer(&key, &message, &good), Ok(()));
        let mut signature = good;
        for _ in 0..8 {
            let mut carry = 0;
            for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
                let sum = u16::from(*byte) + u16::from(order) + carry;
                *byte = sum.to_le_bytes()[0];
                carry = sum >> 8;
            }
            assert_eq!(answer(&key, &message, &signature), Err(CryptoError::Signature));
        }
        for bit in 0..4 {
            let mut signature = good;
            signature[63] ^= 0x10 << bit;
            assert_eq!(answer(&key, &message, &signature), Err(CryptoError::Signature));
        }
    }
}

#[test]
fn both_agree_on_mutations_and_on_random_bytes() {
    let neutral = torsion()[0];
    let mut keys = 0;
    for number in 0..1500 {
        let noise = bytes("noise", number);
        let small = Ed25519SmallPublicKey::from_bytes(&noise).map(|_| ());
        assert_eq!(
            small,
            Ed25519PublicKey::from_bytes(&noise).map(|_| ()),
            "{noise:02x?}"
        );
        keys += usize::from(small.is_ok());
    }
    assert!(
        (600..900).contains(&keys),
        "half of all numbers are points: {keys}"
    );
    for number in 0..40 {
        let message = bytes("mutated", number);
        let (key, signature, _) = signed(
            &scalar("a", number),
            &scalar("r", number),
            &neutral,
            &neutral,
            &message,
        );
        assert_eq!(answer(&key, &message, &signature), Ok(()));
        for change in bytes("bits", number) {
            let (place, bit) = (usize::from(change) % 64, change >> 5 & 7);
            let mut changed = signature;
            changed[place] ^= 1 << bit;
            assert_eq!(answer(&key, &message, &changed), Err(CryptoError::Signature));
            let mut other_key = key;
            other_key[place / 2] ^= 1 << bit;
            assert!(answer(&other_key, &message, &signature).is_err());
        }
    }
}
