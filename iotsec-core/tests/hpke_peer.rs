//! HPKE against another implementation (the crate `hpke`), in both directions and every suite.

use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable,
    aead::{Aead, AesGcm128, ChaCha20Poly1305},
    kdf::HkdfSha256,
    kem::{DhP256HkdfSha256, X25519HkdfSha256},
};
use iotsec_core::{
    crypto::{AgreementKey, hpke as ours},
    secret::Secret,
};
use iotsec_testkit::SimRng;
use rand_core::Rng;

fn agrees<K: AgreementKey, M: Kem, A: Aead>(suite: ours::Hpke<'_, K>) {
    let mut rng = SimRng::new(9180);
    for round in 0..24 {
        let mut bytes = |len: u64| {
            let mut bytes = vec![0; usize::try_from(len).unwrap()];
            rng.fill_bytes(&mut bytes);
            bytes
        };
        let secret = bytes(32);
        let (info, aad, plain) = (bytes(round % 5 * 31), bytes(round % 3 * 70), bytes(round * 13));
        let key = K::from_secret(&Secret::from_slice(&secret).unwrap()).unwrap();
        let theirs = M::PrivateKey::from_bytes(&secret).unwrap();
        let public = M::sk_to_pk(&theirs);
        assert_eq!(public.to_bytes().as_slice(), key.public_key());

        let mut out = vec![0; plain.len() + ours::Hpke::<K>::OVERHEAD];
        let sealed = suite
            .seal(key.public_key(), &info, &aad, &plain, &mut rng, &mut out)
            .unwrap();
        let (enc, text) = sealed.split_at(ours::Hpke::<K>::PUBLIC_LEN);
        let enc = M::EncappedKey::from_bytes(enc).unwrap();
        let opened =
            hpke::single_shot_open::<A, HkdfSha256, M>(&OpModeR::Base, &theirs, &enc, &info, text, &aad);
        assert_eq!(opened.unwrap(), plain);

        let (enc, text) = hpke::single_shot_seal_with_rng::<A, HkdfSha256, M>(
            &OpModeS::Base,
            &public,
            &info,
            &plain,
            &aad,
            &mut rng,
        )
        .unwrap();
        let sealed = [enc.to_bytes().as_slice(), &text].concat();
        let mut out = vec![0; plain.len()];
        assert_eq!(suite.open(&key, &info, &aad, &sealed, &mut out).unwrap(), plain);
    }
}

#[test]
fn two_implementations_read_each_other() {
    agrees::<_, X25519HkdfSha256, ChaCha20Poly1305>(ours::X25519_CHACHA20_POLY1305);
    agrees::<_, X25519HkdfSha256, AesGcm128>(ours::X25519_AES_128_GCM);
    agrees::<_, DhP256HkdfSha256, ChaCha20Poly1305>(ours::P256_CHACHA20_POLY1305);
    agrees::<_, DhP256HkdfSha256, AesGcm128>(ours::P256_AES_128_GCM);
}
