//! Keys that stay in a PKCS #11 token: a hardware security module, a smart card, SoftHSM.

use std::{env, path::PathBuf};

use clap::Args;
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    mechanism::{
        Mechanism,
        eddsa::{EddsaParams, EddsaSignatureScheme},
    },
    object::{Attribute, AttributeType, KeyType as TokenKeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    slot::Slot,
    types::AuthPin,
};
use iotsec::core::crypto::{Ed25519PublicKey, KeyType, P256PublicKey, Sha256, Verify};
use pkcs8::der::{Decode, asn1::OctetStringRef};
use zeroize::Zeroizing;

use crate::{Problem, file};

/// Which key of which token.
#[derive(Args)]
pub(super) struct TokenKey {
    /// The PKCS #11 library of the token, such as /usr/lib/softhsm/libsofthsm2.so.
    #[arg(long, value_name = "LIBRARY", requires = "pkcs11_key")]
    pub(super) pkcs11_module: Option<PathBuf>,
    /// Label of the key pair.
    #[arg(long, value_name = "LABEL", requires = "pkcs11_module")]
    pub(super) pkcs11_key: Option<String>,
    /// Label of the token, where there are several.
    #[arg(long, value_name = "LABEL", requires = "pkcs11_module")]
    pkcs11_token: Option<String>,
    /// A file with the PIN; without it the PIN is in the environment variable IOTSEC_PKCS11_PIN.
    #[arg(long, value_name = "FILE", requires = "pkcs11_module")]
    pkcs11_pin_file: Option<PathBuf>,
}

/// A session with the key's token.
pub(super) struct Token {
    // The session is closed before the library is.
    session: Session,
    _library: Pkcs11,
    private: ObjectHandle,
    label: String,
    kind: KeyType,
}

impl Token {
    /// Opens the token and finds the key.
    pub(super) fn open(choice: &TokenKey) -> Result<Option<Self>, Problem> {
        let (Some(module), Some(label)) = (&choice.pkcs11_module, &choice.pkcs11_key) else {
            return Ok(None);
        };
        let library = Pkcs11::new(module).map_err(|cause| {
            failed("library cannot be loaded", &cause).with_remedy(format!(
                "check that {} is the PKCS #11 library of the token",
                module.display()
            ))
        })?;
        library
            .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
            .map_err(|cause| failed("library does not start", &cause))?;
        let slot = find_slot(&library, choice.pkcs11_token.as_deref())?;
        let session = library
            .open_ro_session(slot)
            .map_err(|cause| failed("no session", &cause))?;
        let info = library
            .get_token_info(slot)
            .map_err(|cause| failed("token not readable", &cause))?;
        if info.login_required() {
            session
                .login(UserType::User, Some(&pin(choice)?))
                .map_err(|cause| {
                    failed("login refused", &cause)
                        .with_remedy("check the PIN; tokens lock after a few wrong ones")
                })?;
        }
        let private = one(&session, ObjectClass::PRIVATE_KEY, label)?;
        let kind = kind_of(&session, private)?;
        Ok(Some(Self {
            session,
            _library: library,
            private,
            label: label.clone(),
            kind,
        }))
    }

    pub(super) const fn kind(&self) -> KeyType {
        self.kind
    }

    /// The public half, as the token has it under the same label.
    pub(super) fn public(&self) -> Result<Box<dyn Verify>, Problem> {
        let object = one(&self.session, ObjectClass::PUBLIC_KEY, &self.label)
            .map_err(|problem| problem.with_remedy("give the public key with --public"))?;
        let attributes = self
            .session
            .get_attributes(object, &[AttributeType::EcPoint])
            .map_err(|cause| failed("public key not readable", &cause))?;
        let Some(Attribute::EcPoint(point)) = attributes.into_iter().next() else {
            return Err(Problem::new(
                "Token",
                "token: the public key has no point",
                "give the public key with --public",
            ));
        };
        // An octet string by the standard; some tokens have the bare point.
        let bare = match <&OctetStringRef>::from_der(&point) {
            Ok(inner) => inner.as_bytes(),
            Err(_) => &point,
        };
        Ok(match self.kind {
            KeyType::P256 => Box::new(P256PublicKey::from_sec1(bare).map_err(Problem::make("public key"))?),
            _ => Box::new(Ed25519PublicKey::from_bytes(bare).map_err(Problem::make("public key"))?),
        })
    }

    /// Signs inside the token.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Problem> {
        let signature = match self.kind {
            // Every token has the bare mechanism; not every one hashes as well.
            KeyType::P256 => self
                .session
                .sign(&Mechanism::Ecdsa, self.private, &Sha256::of(&[message])),
            _ => {
                let scheme = EddsaParams::new(EddsaSignatureScheme::Ed25519);
                self.session
                    .sign(&Mechanism::Eddsa(scheme), self.private, message)
            }
        };
        signature.map_err(|cause| failed("does not sign", &cause))
    }
}

fn find_slot(library: &Pkcs11, label: Option<&str>) -> Result<Slot, Problem> {
    let slots = library
        .get_slots_with_initialized_token()
        .map_err(|cause| failed("slots not readable", &cause))?;
    let mut labels = Vec::new();
    let mut found = Vec::new();
    for slot in slots {
        let info = library
            .get_token_info(slot)
            .map_err(|cause| failed("token not readable", &cause))?;
        labels.push(format!("{:?}", info.label()));
        if label.is_none_or(|label| label == info.label()) {
            found.push(slot);
        }
    }
    match found[..] {
        [slot] => Ok(slot),
        [] if labels.is_empty() => Err(Problem::new(
            "Token",
            "token: the library has no initialized token",
            "connect the token, or initialize it with its maker's tool",
        )),
        _ => Err(Problem::new(
            "Token",
            format!(
                "token: {} of the tokens {} are meant",
                found.len(),
                labels.join(", ")
            ),
            "name one of them with --pkcs11-token",
        )),
    }
}

fn one(session: &Session, class: ObjectClass, label: &str) -> Result<ObjectHandle, Problem> {
    let template = [Attribute::Class(class), Attribute::Label(label.into())];
    let objects = session
        .find_objects(&template)
        .map_err(|cause| failed("objects not readable", &cause))?;
    match objects[..] {
        [object] => Ok(object),
        _ => Err(Problem::new(
            "Token",
            format!(
                "token: {} objects of class {class} are labelled {label:?}",
                objects.len()
            ),
            "give the label of one key pair (`pkcs11-tool --list-objects` shows them)",
        )),
    }
}

fn kind_of(session: &Session, key: ObjectHandle) -> Result<KeyType, Problem> {
    let attributes = session
        .get_attributes(key, &[AttributeType::KeyType])
        .map_err(|cause| failed("key not readable", &cause))?;
    match attributes.first() {
        Some(Attribute::KeyType(TokenKeyType::EC)) => Ok(KeyType::P256),
        Some(Attribute::KeyType(TokenKeyType::EC_EDWARDS)) => Ok(KeyType::Ed25519),
        _ => Err(Problem::new(
            "Token",
            "token: the key is of another kind",
            "use a key on P-256 or Ed25519",
        )),
    }
}

/// Never from the command line, which every user of the machine can read.
fn pin(choice: &TokenKey) -> Result<AuthPin, Problem> {
    let text = match &choice.pkcs11_pin_file {
        Some(path) => {
            let bytes = Zeroizing::new(file::read(path)?);
            std::str::from_utf8(&bytes)
                .ok()
                .map(|text| Zeroizing::new(text.to_owned()))
        }
        None => env::var(PIN).ok().map(Zeroizing::new),
    };
    match text {
        Some(text) => Ok(AuthPin::from(text.trim_end_matches(['\r', '\n']))),
        None => Err(Problem::new(
            "Pin",
            "token: the PIN is not given",
            format!("put it into a file for --pkcs11-pin-file, or into the environment variable {PIN}"),
        )),
    }
}

const PIN: &str = "IOTSEC_PKCS11_PIN";

fn failed(what: &str, cause: &cryptoki::error::Error) -> Problem {
    Problem::new(
        "Token",
        format!("token: {what}: {cause}"),
        "check the token with `pkcs11-tool --test`, or with its maker's tool",
    )
}
