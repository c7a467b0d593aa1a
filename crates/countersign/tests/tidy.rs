//! Rules about the code itself, checked on every run. Each rule is one function and one sentence. It reads files and
//! the output of `cargo metadata`; it changes nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Lines of a file, its inline tests not counted.
const FILE_LINES_MAX: usize = 500;
/// Lines of ARCHITECTURE.md.
const ARCHITECTURE_LINES_MAX: usize = 120;

/// Names that say nothing about what a module holds.
const EMPTY_MODULE_NAMES: [&str; 8] =
    ["utils", "util", "common", "core", "helpers", "helper", "misc", "types"];

/// Words of other products and other layers that the word list of `ARCHITECTURE.md` replaces, as parts of Rust names.
const REPLACED_WORDS: [(&str, &str); 6] = [
    ("tenant", "account"),
    ("workspace_id", "account"),
    ("api_key", "token"),
    ("client_id", "sid"),
    ("_manager", "what it manages"),
    ("_service", "what it does"),
];

/// The whole graph of crates. A new arrow is a decision, so it is written here first.
const ARROWS: [(&str, &[&str]); 7] = [
    ("countersign-assertion", &[]),
    ("countersign-model", &[]),
    ("countersign-verify", &["countersign-model"]),
    ("countersign-store", &["countersign-model"]),
    ("countersign-revocation-model", &[]),
    (
        "countersign-server",
        &["countersign-assertion", "countersign-model", "countersign-store", "countersign-verify"],
    ),
    ("countersign", &["countersign-model", "countersign-server", "countersign-store"]),
];

/// A crate that only these crates may depend on, and why.
const OWNED_CRATES: [(&str, &[&str], &str); 5] = [
    ("rusqlite", &["countersign-store"], "only store names a database"),
    ("tokio-postgres", &["countersign-store"], "only store names a database"),
    ("axum", &["countersign-server"], "only server names a web framework"),
    ("clap", &["countersign"], "only the binary reads flags"),
    ("tokio", &["countersign", "countersign-server", "countersign-store"], "model and verify never wait"),
];

/// Words that must not stand below a directory, and why.
const LAYERS: [(&str, &str, &str); 7] = [
    ("countersign-server/src/ops", "axum", "use cases know no transport"),
    ("countersign-server/src/ops", "StatusCode", "use cases know no transport"),
    ("countersign-server/src/http", "app.store", "doors call ops or the verifier, never the store"),
    ("countersign-server/src/http", "Store::", "doors call ops or the verifier, never the store"),
    ("countersign-server/src", "env::var", "only the binary reads the environment"),
    ("countersign-store/src", "env::var", "only the binary reads the environment"),
    ("countersign-model/src", "std::fs", "model does no IO"),
];

/// What a statement of SQL starts with, inside a string.
const SQL: [&str; 6] =
    ["\"SELECT ", "\"INSERT INTO ", "\"DELETE FROM ", "\"UPDATE ", "\"CREATE TABLE ", "\"PRAGMA "];

/// Macros that leave work undone or write where nobody asked.
const UNFINISHED: [&str; 4] = ["todo!(", "unimplemented!(", "dbg!(", "#[ignore"];

struct Source {
    /// Below `crates/`.
    path: String,
    text: String,
}

impl Source {
    /// The text before the inline tests.
    fn code(&self) -> &str {
        self.text.split("\n#[cfg(test)]\nmod ").next().unwrap_or(&self.text)
    }

    /// Whether it never ships: tests, and modules that say in their first line that they are for tests.
    fn is_test(&self) -> bool {
        let elsewhere = ["/tests/", "/benches/", "/fuzz/"].iter().any(|part| self.path.contains(part));
        elsewhere
            || self
                .text
                .lines()
                .next()
                .is_some_and(|header| header.starts_with("//! For the crate's own tests"))
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn gather(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let build_output = path.file_name().is_some_and(|name| name == "target");
        if path.is_dir() && !build_output {
            gather(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<Source> {
    let crates = root().join("crates");
    let mut paths = Vec::new();
    gather(&crates, &mut paths);
    assert!(paths.len() > 50, "the rules look in the wrong place: {} files", paths.len());
    paths.sort();
    paths
        .into_iter()
        .map(|path| Source {
            text: fs::read_to_string(&path).unwrap(),
            path: path.strip_prefix(&crates).unwrap().display().to_string(),
        })
        .collect()
}

#[track_caller]
fn none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

/// Every line of every source for which `wrong` has something to say, this file excepted.
fn lines(wrong: impl Fn(&Source, &str) -> Option<String>) -> Vec<String> {
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| !source.path.ends_with("tests/tidy.rs")) {
        for (index, line) in source.text.lines().enumerate() {
            if let Some(what) = wrong(source, line) {
                problems.push(format!("crates/{}:{}: {what}", source.path, index + 1));
            }
        }
    }
    problems
}

fn manifest(name: &str) -> toml::Table {
    let path = root().join("crates").join(name).join("Cargo.toml");
    fs::read_to_string(path).unwrap().parse().unwrap()
}

fn depends_on(manifest: &toml::Table, dependency: &str) -> bool {
    manifest
        .get("dependencies")
        .and_then(toml::Value::as_table)
        .is_some_and(|all| all.contains_key(dependency))
}

#[test]
fn files_are_short() {
    none(
        &sources()
            .iter()
            .filter(|source| source.code().lines().count() > FILE_LINES_MAX)
            .map(|source| {
                format!("{}: {} lines, at most {FILE_LINES_MAX}", source.path, source.code().lines().count())
            })
            .collect::<Vec<_>>(),
    );
}

#[test]
fn files_say_what_they_are() {
    none(
        &sources()
            .iter()
            .filter(|source| !source.text.starts_with("//!"))
            .map(|source| format!("{}: the first line is not a //! header", source.path))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn modules_are_named_after_what_they_hold() {
    let empty = |path: &str| {
        Path::new(path).components().any(|part| {
            let name = part.as_os_str().to_str().unwrap().trim_end_matches(".rs");
            EMPTY_MODULE_NAMES.contains(&name)
        })
    };
    none(
        &sources()
            .iter()
            .filter(|source| empty(&source.path))
            .map(|source| source.path.clone())
            .collect::<Vec<_>>(),
    );
}

#[test]
fn the_words_of_the_word_list_are_used() {
    none(&lines(|source, line| {
        if source.is_test() {
            return None;
        }
        let code = line.split("//").next().unwrap_or_default();
        // What stands between quotes is somebody else's word.
        let code: String = code.split('"').step_by(2).collect();
        let declares = ["fn ", "struct ", "enum ", "mod ", "let ", "type ", "const "]
            .iter()
            .any(|word| code.contains(word));
        let (word, instead) = REPLACED_WORDS.iter().find(|(word, _)| code.contains(word))?;
        declares.then(|| format!("`{word}`: the word here is {instead}"))
    }));
}

#[test]
fn crates_depend_one_way() {
    let mut problems = Vec::new();
    for (name, allowed) in ARROWS {
        let manifest = manifest(name);
        for (other, _) in ARROWS {
            if depends_on(&manifest, other) && !allowed.contains(&other) {
                problems.push(format!("{name} depends on {other}; that arrow is not in ARROWS"));
            }
        }
        for (owned, owners, why) in OWNED_CRATES {
            if depends_on(&manifest, owned) && !owners.contains(&name) {
                problems.push(format!("{name} depends on {owned}: {why}"));
            }
        }
    }
    none(&problems);
}

#[test]
fn every_crate_has_its_arrows_and_the_lints() {
    let mut problems = Vec::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !ARROWS.iter().any(|(known, _)| *known == name) {
            problems.push(format!("crates/{name} is not in ARROWS"));
            continue;
        }
        let inherits = manifest(&name)
            .get("lints")
            .and_then(|lints| lints.get("workspace"))
            .and_then(toml::Value::as_bool);
        if inherits != Some(true) {
            problems.push(format!("crates/{name} does not inherit the lints of the workspace"));
        }
    }
    none(&problems);
}

#[test]
fn layers_hold() {
    none(&lines(|source, line| {
        let code = line.split("//").next().unwrap_or_default();
        let broken = LAYERS
            .iter()
            .find(|(directory, word, _)| source.path.starts_with(directory) && code.contains(word));
        broken.map(|(_, word, why)| format!("`{word}`: {why}"))
    }));
}

#[test]
fn only_the_store_names_sql() {
    none(&lines(|source, line| {
        let elsewhere = !source.path.starts_with("countersign-store/");
        let statement = SQL.iter().find(|statement| line.contains(*statement))?;
        elsewhere.then(|| format!("{statement}: only countersign-store writes SQL"))
    }));
}

/// The one file with unsafe code, and with its proof.
const UNSAFE: &str = "countersign-server/src/node/use_file/map.rs";

#[test]
fn nothing_is_unsafe_or_unfinished() {
    none(&lines(|source, line| {
        let code = line.split("//").next().unwrap_or_default();
        let word = UNFINISHED.iter().find(|word| code.contains(*word));
        let unsafe_code = (code.contains("unsafe {")
            || code.contains("unsafe fn")
            || code.contains("unsafe impl")
            || code.contains("unsafe_code"))
            && !source.path.ends_with(UNSAFE);
        word.map(|word| format!("`{word}`")).or_else(|| unsafe_code.then(|| "unsafe code".to_owned()))
    }));
}

/// T-19: files that compare what is secret, and what would compare it a byte at a time.
const COMPARING: [&str; 4] = [
    "countersign-model/src/digest.rs",
    "countersign-verify/src/lookup.rs",
    "countersign-verify/src/index/read.rs",
    "countersign-server/src/http/data_plane/caller.rs",
];
const BYTE_BY_BYTE: [&str; 6] =
    ["tag() ==", "== tag", "_bytes() ==", "bytes ==", "secret ==", "PartialEq, Eq)]\npub struct Digest"];

#[test]
fn secrets_are_compared_in_constant_time() {
    let sources = sources();
    for path in COMPARING {
        let source = sources.iter().find(|source| source.path == path);
        let code = source.map(Source::code).unwrap_or_default();
        assert!(!code.is_empty(), "{path} is gone; say in COMPARING where it went");
        for word in BYTE_BY_BYTE {
            assert!(
                !code.contains(word),
                "{path}: `{word}` stops at the first byte that differs; use `subtle`"
            );
        }
    }
    let digest = sources.iter().find(|source| source.path == COMPARING[0]).unwrap();
    assert!(digest.code().contains("self.0.ct_eq(&other.0)"), "digests are compared with `subtle`");
}

#[test]
fn there_are_no_macros_statics_or_async_trait_of_our_own() {
    none(&lines(|source, line| {
        if source.is_test() {
            return None;
        }
        let code = line.split("//").next().unwrap_or_default().trim_start();
        let own = code.starts_with("macro_rules!") || code.contains("async_trait");
        let global = ["static ", "pub static ", "pub(crate) static ", "thread_local!"]
            .iter()
            .any(|word| code.starts_with(word));
        // The allocator can be named in no other way.
        let is_allocator = code == "static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;";
        (own || global && !is_allocator).then(|| code.to_owned())
    }));
}

#[test]
fn tests_do_not_sleep_to_be_in_time() {
    none(&lines(|source, line| {
        let sleeps = line.contains("thread::sleep(") || line.contains("time::sleep(");
        (source.is_test() && sleeps && !line.contains("// poll"))
            .then(|| "a sleep in a test; wait for what is awaited".to_owned())
    }));
}

#[test]
fn the_map_is_short_and_names_every_crate() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut problems: Vec<String> = ARROWS
        .iter()
        .filter(|(name, _)| !map.contains(&format!("`{name}`")))
        .map(|(name, _)| format!("ARCHITECTURE.md does not name `{name}`"))
        .collect();
    if map.lines().count() > ARCHITECTURE_LINES_MAX {
        problems.push(format!(
            "ARCHITECTURE.md has {} lines, at most {ARCHITECTURE_LINES_MAX}",
            map.lines().count()
        ));
    }
    none(&problems);
}

#[test]
fn links_of_the_documents_lead_somewhere() {
    let mut problems = Vec::new();
    let mut documents =
        vec![root().join("README.md"), root().join("ARCHITECTURE.md"), root().join("docs/api-design.md")];
    for directory in ["docs/book", "docs/adr"] {
        let paths = fs::read_dir(root().join(directory)).unwrap().map(|entry| entry.unwrap().path());
        documents.extend(paths.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap();
            let elsewhere = target.contains("://") || target.starts_with('#');
            if !elsewhere && !document.parent().unwrap().join(file).exists() {
                problems.push(format!("{}: {target} is not there", document.display()));
            }
        }
    }
    none(&problems);
}

/// Whether a licence expression is met by the allowed ones: one of every `OR`, all of every `AND`.
fn allowed(expression: &str, licenses: &[&str]) -> bool {
    let flat = expression.replace('/', " OR ").replace(['(', ')'], " ");
    flat.split(" AND ").all(|part| part.split(" OR ").any(|license| licenses.contains(&license.trim())))
}

#[test]
fn dependencies_have_known_licences_and_come_from_one_place() {
    let rules: toml::Table = fs::read_to_string(root().join("deny.toml")).unwrap().parse().unwrap();
    let licenses: Vec<&str> =
        rules["licenses"]["allow"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let banned = rules["bans"]["deny"].as_array().unwrap();
    // For this platform only: what others would need was never fetched here.
    let about = Command::new("rustc").arg("-vV").output().unwrap();
    let about = String::from_utf8(about.stdout).unwrap();
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100, "cargo metadata lists the whole tree");
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let uses = |package: &Value, banned: &str| {
        let node = nodes.iter().find(|node| node["id"] == package["id"]).unwrap();
        let named = |other: &Value| packages.iter().any(|of| of["id"] == *other && of["name"] == banned);
        node["dependencies"].as_array().unwrap().iter().any(named)
    };
    let mut problems = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let license = package["license"].as_str().unwrap_or("none");
        if !allowed(license, &licenses) {
            problems.push(format!("{name}: licence {license} is not in deny.toml"));
        }
        for ban in banned.iter().filter(|ban| uses(package, ban["crate"].as_str().unwrap())) {
            let wrappers = ban.get("wrappers").and_then(toml::Value::as_array);
            if !wrappers.is_some_and(|wrappers| wrappers.iter().any(|wrapper| wrapper.as_str() == Some(name)))
            {
                problems.push(format!("{name} uses {}, which deny.toml bans", ban["crate"]));
            }
        }
        let source = package["source"].as_str().unwrap_or("");
        if !source.is_empty() && !source.contains("crates.io-index") {
            problems.push(format!("{name} does not come from crates.io"));
        }
    }
    none(&problems);
}
