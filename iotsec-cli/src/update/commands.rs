//! Command sequences as people read them (draft-ietf-suit-manifest-37 §8.4).

use std::fmt::Write as _;

use iotsec::core::cbor::{CborError, Reader, Type};
use serde::Serialize;

use super::{
    diagnostic::{self, LIMITS},
    parameter::{self, Parameter},
};

/// Sequences inside one another that are shown. Devices follow fewer.
const MAX_DEPTH: usize = 8;

/// One command with its argument.
#[derive(Debug, Default, Serialize)]
pub(super) struct Command {
    command: String,
    code: i64,
    /// In diagnostic notation, where nothing below says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    argument: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<Parameter>,
    /// The alternatives of a try-each, or the sequence that is run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sequences: Vec<Vec<Command>>,
}

/// Reads the commands of the byte string at `reader` into `out`, as far as they can be read.
pub(super) fn read(reader: &mut Reader<'_>, out: &mut Vec<Command>) -> Result<(), CborError> {
    sequence(reader, MAX_DEPTH, out)
}

fn sequence(reader: &mut Reader<'_>, depth: usize, out: &mut Vec<Command>) -> Result<(), CborError> {
    let Some(depth) = depth.checked_sub(1) else {
        reader.skip()?;
        out.push(remark("nested too deeply to be shown"));
        return Ok(());
    };
    let mut inner = reader.embedded(&LIMITS)?;
    let items = inner.array()?;
    for _ in 0..items / 2 {
        let code = inner.int()?;
        let mut command = Command {
            command: name(code),
            code,
            ..Command::default()
        };
        let done = argument(&mut inner, &mut command, depth);
        out.push(command);
        done?;
    }
    if items % 2 != 0 {
        out.push(remark("a command without argument"));
    }
    Ok(())
}

fn argument(inner: &mut Reader<'_>, command: &mut Command, depth: usize) -> Result<(), CborError> {
    match command.code {
        OVERRIDE if inner.peek()? == Type::Map => {
            for _ in 0..inner.map()? {
                command.parameters.push(parameter::read(inner)?);
            }
        }
        RUN_SEQUENCE if inner.peek()? == Type::Bytes => {
            command.sequences.push(Vec::new());
            if let Some(commands) = command.sequences.last_mut() {
                sequence(inner, depth, commands)?;
            }
        }
        TRY_EACH if inner.peek()? == Type::Array => {
            for _ in 0..inner.array()? {
                let mut commands = Vec::new();
                let done = if inner.peek()? == Type::Bytes {
                    sequence(inner, depth, &mut commands)
                } else {
                    let shown = diagnostic::show(inner.skip()?);
                    commands.push(remark(&shown));
                    Ok(())
                };
                command.sequences.push(commands);
                done?;
            }
        }
        // Reporting policies say nothing to a reader.
        code if is_plain(code) && inner.peek()? == Type::Uint => {
            inner.skip()?;
        }
        _ => command.argument = Some(diagnostic::show(inner.skip()?)),
    }
    Ok(())
}

fn remark(text: &str) -> Command {
    Command {
        command: text.into(),
        ..Command::default()
    }
}

/// Appends the commands, one a line.
pub(super) fn show(commands: &[Command], indent: usize, out: &mut String) {
    for command in commands {
        let argument = command.argument.as_ref().map(|argument| format!(" {argument}"));
        let _ = writeln!(
            out,
            "{:indent$}{}{}",
            "",
            command.command,
            argument.unwrap_or_default()
        );
        for parameter in &command.parameters {
            parameter.show(indent + 2, out);
        }
        for (number, sequence) in (1..).zip(&command.sequences) {
            if command.code == TRY_EACH {
                let _ = writeln!(out, "{:indent$}  alternative {number}", "");
                show(sequence, indent + 4, out);
            } else {
                show(sequence, indent + 2, out);
            }
        }
    }
}

const TRY_EACH: i64 = 15;
const OVERRIDE: i64 = 20;
const RUN_SEQUENCE: i64 = 32;

/// Whether the argument is a reporting policy.
fn is_plain(code: i64) -> bool {
    matches!(code, 1..=6 | 14 | 18 | 21..=24)
}

fn name(code: i64) -> String {
    let name = match code {
        1 => "check vendor",
        2 => "check class",
        3 => "check image",
        4 => "check use-before",
        5 => "check component slot",
        6 => "check content",
        12 => "select component",
        14 => "abort",
        TRY_EACH => "try each",
        18 => "write",
        OVERRIDE => "set",
        21 => "fetch",
        22 => "copy",
        23 => "invoke",
        24 => "check device",
        RUN_SEQUENCE => "run",
        other => return format!("command {other}"),
    };
    name.to_owned()
}
