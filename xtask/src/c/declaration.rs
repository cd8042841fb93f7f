//! What `iotsec.h` declares, read from the header itself, so that checks over all functions meet new ones too.

use std::collections::BTreeSet;

use crate::tool::Failure;

/// A function of the header.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// The type of its result.
    pub(crate) result: String,
    pub(crate) name: String,
    pub(crate) parameters: Vec<Parameter>,
}

/// A parameter of a function.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// Its type as a cast takes it: `const uint8_t *`.
    pub(crate) kind: String,
    pub(crate) name: String,
}

impl Parameter {
    pub(crate) fn is_pointer(&self) -> bool {
        self.kind.contains('*')
    }

    /// The struct that it points to, if it does.
    pub(crate) fn structure(&self) -> Option<&str> {
        self.kind
            .strip_prefix("const ")
            .unwrap_or(&self.kind)
            .strip_prefix("struct ")?
            .strip_suffix(" *")
    }
}

impl Function {
    /// The places of pointers among the parameters.
    pub(crate) fn pointers(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.parameters.len()).filter(|index| self.parameters[*index].is_pointer())
    }

    /// Whether it fills a buffer by the convention `(bytes, size, &len)`.
    pub(crate) fn fills_a_buffer(&self) -> bool {
        self.parameters.windows(3).any(|three| {
            matches!(three[0].kind.as_str(), "uint8_t *" | "char *")
                && three[1].kind == "size_t"
                && three[2].kind == "size_t *"
        })
    }
}

/// The functions that the library exports, in the order of the header.
pub(crate) fn functions(header: &str) -> Result<Vec<Function>, Failure> {
    statements(header)
        .iter()
        .filter(|text| text.contains('(') && !text.contains('{'))
        .filter(|text| !text.starts_with("typedef ") && !text.starts_with("static "))
        .map(|text| function(text).ok_or_else(|| format!("cannot read {text}").into()))
        .collect()
}

/// The structs that begin with their size.
pub(crate) fn sized(header: &str) -> BTreeSet<String> {
    statements(header)
        .iter()
        .filter_map(|text| text.strip_prefix("typedef struct "))
        .filter_map(|text| text.split_once(" { uint32_t struct_size;"))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// The objects in the caller's storage: what a `_close` function takes.
pub(crate) fn objects(functions: &[Function]) -> Vec<&str> {
    functions
        .iter()
        .filter(|function| function.name.ends_with("_close"))
        .filter_map(|function| function.parameters.first()?.structure())
        .collect()
}

fn function(text: &str) -> Option<Function> {
    let (head, parameters) = text.strip_suffix(')')?.split_once('(')?;
    let (result, name) = typed(head)?;
    let parameters = match parameters {
        "void" => Vec::new(),
        _ => parameters
            .split(", ")
            .map(|text| typed(text).map(|(kind, name)| Parameter { kind, name }))
            .collect::<Option<_>>()?,
    };
    Some(Function {
        result,
        name,
        parameters,
    })
}

/// Takes `const uint8_t *bytes` apart.
fn typed(text: &str) -> Option<(String, String)> {
    let at = text.rfind([' ', '*'])? + 1;
    let (kind, name) = text.split_at(at);
    let identifier = |letter: char| letter == '_' || letter.is_ascii_alphanumeric();
    (!name.is_empty() && name.chars().all(identifier)).then(|| (kind.trim_end().to_owned(), name.to_owned()))
}

/// The declarations and definitions of the header, on one line each, without comments and preprocessor.
fn statements(header: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = 0u32;
    let mut now = String::new();
    for letter in code(header).chars() {
        match letter {
            '{' => open += 1,
            '}' => open = open.saturating_sub(1),
            _ => {}
        }
        // A function's body has no semicolon behind it.
        let body = letter == '}' && open == 0 && now.starts_with("static ");
        if letter == ';' && open == 0 || body {
            found.push(std::mem::take(&mut now));
        } else if !letter.is_whitespace() {
            now.push(letter);
        } else if !now.is_empty() && !now.ends_with(' ') {
            now.push(' ');
        }
    }
    found
}

fn code(header: &str) -> String {
    let mut text = String::new();
    let mut rest = header;
    while let Some((before, comment)) = rest.split_once("/*") {
        text.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    let mut kept = String::new();
    let mut for_cpp = false;
    let mut continued = false;
    for line in text.lines() {
        let directive = line.starts_with('#') || continued;
        continued = directive && line.ends_with('\\');
        if line.starts_with("#ifdef __cplusplus") {
            for_cpp = true;
        } else if line.starts_with("#endif") {
            for_cpp = false;
        } else if !directive && !for_cpp {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = r#"
#ifdef __cplusplus
extern "C" {
#endif // __cplusplus
/** Takes (nothing); gives a number. */
uint32_t first(void);
typedef struct box_t {
    /** Its size. */
    uint32_t struct_size;
    int32_t (*call)(void *ctx);
} box_t;
typedef struct plain_t { uint64_t opaque[2]; } plain_t;
const char *second(struct box_t *box,
                   const uint8_t *const *names,
                   char *bytes, size_t size, size_t *len);
int32_t plain_close(struct plain_t *plain);
#define MACRO(a) \
    third(a);
static inline int inner(void) { return first() == 1; }
#ifdef __cplusplus
}
#endif
"#;

    #[test]
    fn functions_are_read_with_their_parameters() {
        let found = functions(HEADER).unwrap();
        let names: Vec<&str> = found.iter().map(|function| function.name.as_str()).collect();
        assert_eq!(names, ["first", "second", "plain_close"]);
        assert_eq!(found[0].parameters, []);
        let second = &found[1];
        assert_eq!(second.result, "const char *");
        let kinds: Vec<&str> = second.parameters.iter().map(|one| one.kind.as_str()).collect();
        assert_eq!(
            kinds,
            [
                "struct box_t *",
                "const uint8_t *const *",
                "char *",
                "size_t",
                "size_t *"
            ]
        );
        assert_eq!(second.pointers().collect::<Vec<_>>(), [0, 1, 2, 4]);
        assert!(second.fills_a_buffer() && !found[2].fills_a_buffer());
        assert_eq!(second.parameters[0].structure(), Some("box_t"));
        assert_eq!(objects(&found), ["plain_t"]);
    }

    #[test]
    fn structs_that_begin_with_their_size_are_told_apart() {
        assert_eq!(sized(HEADER), BTreeSet::from(["box_t".to_owned()]));
    }

    #[test]
    fn a_callback_among_the_parameters_is_not_passed_over() {
        assert!(functions("int32_t odd(int32_t (*call)(void *ctx));\n").is_err());
    }

    #[test]
    fn every_function_of_the_header_is_found() {
        let header = include_str!("../../../iotsec-ffi/include/iotsec.h");
        let found = functions(header).unwrap();
        // A declaration begins at the start of a line, and its name ends at the parenthesis.
        let lines = header.lines().filter(|line| {
            line.starts_with(|first: char| first.is_ascii_lowercase())
                && !line.starts_with("static ")
                && !line.starts_with("typedef ")
        });
        let declared: Vec<&str> = lines
            .filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next())
            .collect();
        let found: Vec<&str> = found.iter().map(|function| function.name.as_str()).collect();
        assert_eq!(found, declared);
        assert!(sized(header).contains("iotsec_store_config_t"));
    }
}
