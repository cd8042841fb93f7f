//! Signatures of OpenPGP, by the program that has the key.

use std::{
    io::{self, Write as _},
    process::{Command, Output, Stdio},
};

use clap::Args;

use crate::Problem;

#[derive(Args)]
pub(super) struct Signing {
    /// Sign with this key of GnuPG: its fingerprint, or an address that only one key has.
    #[arg(long, value_name = "KEY")]
    sign_with: Option<String>,
    /// The program that signs.
    #[arg(long, value_name = "PROGRAM", default_value = "gpg", requires = "sign_with")]
    gpg: String,
}

/// A key that was found.
pub(super) struct Key<'a> {
    program: &'a str,
    /// In hexadecimal.
    pub(super) fingerprint: String,
}

impl Signing {
    /// The key that was named, if one was.
    pub(super) fn key(&self) -> Result<Option<Key<'_>>, Problem> {
        let Some(name) = &self.sign_with else {
            return Ok(None);
        };
        let arguments = ["--batch", "--with-colons", "--list-secret-keys", "--", name];
        let output = run(&self.gpg, &arguments, "")?;
        let listed = String::from_utf8_lossy(&output.stdout).into_owned();
        // The first line of fingerprints is that of the primary key.
        let keys = listed.lines().filter(|line| line.starts_with("sec:")).count();
        let fingerprint = listed
            .lines()
            .find_map(|line| line.strip_prefix("fpr:"))
            .and_then(|line| line.split(':').find(|field| !field.is_empty()));
        match (keys, fingerprint) {
            (1, Some(fingerprint)) => Ok(Some(Key {
                program: &self.gpg,
                fingerprint: fingerprint.to_owned(),
            })),
            (0, _) | (_, None) => Err(Problem::new(
                "SigningKey",
                format!("{} has no private key {name}", self.gpg),
                "`gpg --list-secret-keys` shows those that there are; `gpg --quick-generate-key` makes one",
            )),
            _ => Err(Problem::new(
                "SigningKey",
                format!("{} has several private keys {name}", self.gpg),
                "name one by its fingerprint",
            )),
        }
    }
}

impl Key<'_> {
    /// The text with its signature (RFC 9580 §7).
    pub(super) fn clear_signed(&self, text: &str) -> Result<String, Problem> {
        self.sign("--clearsign", text)
    }

    /// A signature apart, as text.
    pub(super) fn signature(&self, text: &str) -> Result<String, Problem> {
        self.sign("--detach-sign", text)
    }

    /// The public key, as text.
    pub(super) fn public(&self) -> Result<String, Problem> {
        self.text(&["--batch", "--armor", "--export", "--", &self.fingerprint], "")
    }

    fn sign(&self, how: &str, text: &str) -> Result<String, Problem> {
        let arguments = [
            "--batch",
            "--armor",
            "--digest-algo",
            "SHA512",
            "--local-user",
            &self.fingerprint,
            how,
        ];
        self.text(&arguments, text)
    }

    fn text(&self, arguments: &[&str], input: &str) -> Result<String, Problem> {
        let output = run(self.program, arguments, input)?;
        let text = String::from_utf8(output.stdout).unwrap_or_default();
        if output.status.success() && text.starts_with("-----BEGIN PGP ") {
            return Ok(text);
        }
        let reason = String::from_utf8_lossy(&output.stderr).into_owned();
        let reason = reason.lines().next().unwrap_or("it said nothing").to_owned();
        Err(Problem::new(
            "Signature",
            format!("{} did not sign: {reason}", self.program),
            "sign something with it yourself, to see what it asks for",
        ))
    }
}

/// Runs it to the end, with a text on its standard input.
fn run(program: &str, arguments: &[&str], input: &str) -> Result<Output, Problem> {
    let missing = |cause: io::Error| {
        Problem::new(
            "Program",
            format!("{program} cannot be run: {cause}"),
            "install GnuPG, or say with --gpg where it is",
        )
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(missing)?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that ends early says why itself. Texts are small: nobody waits for the other.
        let _ = stdin.write_all(input.as_bytes());
    }
    child.wait_with_output().map_err(missing)
}
