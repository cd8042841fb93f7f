use std::{
    cell::RefCell,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    vec::Vec,
};

use iotsec_core::crypto::{CryptoError, SIGNATURE_LEN, Sign};

use super::{Identity, SignWith, TlsError};

type Signature = Result<[u8; SIGNATURE_LEN], CryptoError>;

/// The way to whoever has the key.
struct Lent {
    ask: SyncSender<Vec<u8>>,
    answer: Receiver<Signature>,
}

std::thread_local! {
    static LENT: RefCell<Option<Lent>> = const { RefCell::new(None) };
}

impl Identity {
    /// As [`new`](Self::new), with a key that is only borrowed and may not leave its thread, as one behind a handle of a
    /// store. It is not kept: each handshake is made inside of [`lend`], and fails outside.
    ///
    /// # Errors
    /// [`TlsError::IdentityKey`].
    pub fn lent(chain: &[&[u8]], key: &dyn Sign) -> Result<Self, TlsError> {
        let lent = SignWith::new(key.key_type(), key.public_key(), |message, signature| {
            *signature = LENT.with_borrow(|lent| {
                let lent = lent.as_ref().ok_or(CryptoError::Driver)?;
                lent.ask.send(message.to_vec()).map_err(|_| CryptoError::Driver)?;
                lent.answer.recv().map_err(|_| CryptoError::Driver)?
            })?;
            Ok(())
        });
        Self::new(chain, Arc::new(lent))
    }
}

/// Makes a connection in another thread, while this one signs with `key` when it is asked to, and returns what came out.
/// The key is that of [`Identity::lent`]; with another one, the server refuses.
///
/// ```
/// use iotsec_core::{crypto::{CryptoError, Ed25519SigningKey, Sign}, secret::Secret};
/// use iotsec_net::tls::{self, TlsError};
///
/// let key = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
/// // Instead of this: || tls::connect(grant, &client, now)
/// let answer: Result<u8, TlsError> = tls::lend(&key, || Ok(7));
/// assert_eq!(answer, Ok(7));
/// ```
///
/// # Errors
/// Those of `work`; [`TlsError::Io`] when there is no other thread.
pub fn lend<T: Send>(
    key: &dyn Sign,
    work: impl FnOnce() -> Result<T, TlsError> + Send,
) -> Result<T, TlsError> {
    let (ask, asked) = sync_channel::<Vec<u8>>(1);
    let (reply, answer) = sync_channel::<Signature>(1);
    thread::scope(|scope| {
        let worker = thread::Builder::new().spawn_scoped(scope, move || {
            LENT.set(Some(Lent { ask, answer }));
            let done = work();
            // So that the other thread stops waiting.
            LENT.set(None);
            done
        });
        let worker = worker.map_err(|_| TlsError::Io)?;
        while let Ok(message) = asked.recv() {
            let mut signature = [0; SIGNATURE_LEN];
            let made = key.sign(&message, &mut signature).map(|()| signature);
            if reply.send(made).is_err() {
                break;
            }
        }
        worker.join().map_err(|_| TlsError::Unexpected)?
    })
}
