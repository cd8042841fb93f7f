//! From mangled names to paths that can be compared: without generics, hashes and the traits of implementations.

/// The paths under which a mangled name is looked for: the function, and for a closure also the one that it is in.
pub(super) fn paths(mangled: &str) -> Vec<String> {
    let demangled = format!("{:#}", rustc_demangle::demangle(mangled));
    let mut path = path(&demangled);
    let mut all = vec![path.clone()];
    while let Some((outer, last)) = path.rsplit_once("::") {
        if !last.starts_with('{') {
            break;
        }
        path = outer.to_owned();
        all.push(path.clone());
    }
    all
}

/// `<a::B<T> as c::D>::e` and `<a::B<T>>::e` (v0), `a::B<T>::e` and `f::<impl c::D for a::B<T>>::e` (legacy) are all
/// `a::B::e`.
fn path(demangled: &str) -> String {
    if let Some((of, method)) = implementation(demangled) {
        return format!("{}{}", path(self_type(of)), without_generics(method));
    }
    without_generics(demangled)
}

/// The type, and what follows, of a name that begins with an implementation or has one behind its module.
fn implementation(name: &str) -> Option<(&str, &str)> {
    let start = if name.starts_with('<') {
        0
    } else {
        name.find("<impl ")?
    };
    let rest = name.get(start..)?;
    let end = closing(rest)?;
    let inner = rest.get(1..end)?;
    Some((inner.strip_prefix("impl ").unwrap_or(inner), rest.get(end + 1..)?))
}

/// Of `a::B as c::D` and `c::D for a::B` the type that has it.
fn self_type(of: &str) -> &str {
    let of = top_level(of, " as ").map_or(of, |(of, _)| of);
    let of = top_level(of, " for ").map_or(of, |(_, of)| of);
    let of = of.trim_start_matches(['&', '*', ' ']);
    let of = of.strip_prefix("mut ").unwrap_or(of);
    of.strip_prefix("dyn ").unwrap_or(of)
}

/// Splits where a separator stands outside of all brackets.
fn top_level<'t>(text: &'t str, separator: &str) -> Option<(&'t str, &'t str)> {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        if depth == 0 && text.get(at..)?.starts_with(separator) {
            return Some((text.get(..at)?, text.get(at + separator.len()..)?));
        }
        depth = deeper(depth, before, character);
        before = character;
    }
    None
}

/// Where the bracket ends that a text begins with.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        depth = deeper(depth, before, character);
        before = character;
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// An arrow is no bracket.
fn deeper(depth: usize, before: char, character: char) -> usize {
    match character {
        '<' | '(' | '[' => depth.saturating_add(1),
        '>' if before == '-' => depth,
        '>' | ')' | ']' => depth.saturating_sub(1),
        _ => depth,
    }
}

fn without_generics(name: &str) -> String {
    let mut text = String::new();
    let mut depth = 0_usize;
    let mut before = ' ';
    for character in name.chars() {
        let now = deeper(depth, before, character);
        if depth == 0 && now == 0 {
            text.push(character);
        }
        depth = now;
        before = character;
    }
    // A turbofish leaves its colons.
    text.trim_end_matches("::").replace("::::", "::")
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn a_function_has_one_path_however_it_is_mangled() {
        for name in [
            "iotsec_store::store::Store<F,C>::mount",
            "<iotsec_store::store::Store<F, C>>::mount",
            "<iotsec_store::store::Store<F, fn(u8) -> Option<C>>>::mount::<4>",
            "<iotsec_store::store::Store<F> as iotsec_core::hal::Mount<<F as Flash>::Error>>::mount",
            "iotsec_store::store::mount::<impl iotsec_store::store::Store<F>>::mount",
            "iotsec_store::store::mount::<impl core::fmt::Debug for iotsec_store::store::Store<F>>::mount",
            "<&mut iotsec_store::store::Store<F> as core::fmt::Debug>::mount",
        ] {
            assert_eq!(path(name), "iotsec_store::store::Store::mount", "{name}");
        }
        assert_eq!(path("iotsec_core::cbor::check"), "iotsec_core::cbor::check");
        assert_eq!(
            path("iotsec_core::cbor::from_slice::<T, [u8; 4]>"),
            "iotsec_core::cbor::from_slice"
        );
        assert_eq!(path("iotsec_store_mount"), "iotsec_store_mount");
    }

    #[test]
    fn what_is_no_name_of_rust_is_left_or_shortened() {
        for name in ["", "<", ">", "<<>", "a<b", "_ZTV3foo", "->", "<impl "] {
            let _ = path(name);
        }
    }
}
