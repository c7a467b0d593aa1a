//! Files out of a recipe: every place filled in, written beside and moved into place, so that a gateway that reads while
//! this writes sees the old file or the new one.

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::{Recipe, values::Values};
use crate::failure::Failure;

/// Mode of files without secrets.
const READABLE: u32 = 0o644;
/// Mode of the credential's file.
const PRIVATE: u32 = 0o600;

/// What was written.
#[derive(Debug)]
pub struct Filled {
    /// The directory, whole.
    pub directory: PathBuf,
    /// Names of the files in it.
    pub files: Vec<&'static str>,
    /// The command that checks them.
    pub check: String,
    /// The command that starts the gateway.
    pub start: String,
}

impl Recipe {
    /// Fills the recipe in.
    pub fn fill(&self, values: &Values) -> Result<Filled, Failure> {
        let directory = prepare(&values.directory, self.folders)?;
        let whole = directory.to_str().filter(|text| is_plain(text)).ok_or_else(|| {
            Failure::usage(format!(
                "{} has a character with a meaning of its own in configurations; use letters, digits and . _ / -",
                directory.display()
            ))
        })?;
        let places = places(values, whole, self.credential.0);
        let mut files = Vec::new();
        for (name, text) in self.files {
            put(&directory, name, &filled(text, &places), READABLE)?;
            files.push(*name);
        }
        let (name, text) = self.credential;
        put(&directory, name, &text.replace("@VALUE@", values.credential.expose()), PRIVATE)?;
        files.push(name);
        let (check, start) = (filled(self.check, &places), filled(self.start, &places));
        Ok(Filled { directory, files, check, start })
    }
}

/// The names between at signs, and what stands there.
fn places(values: &Values, directory: &str, credential: &str) -> Vec<(String, String)> {
    let mut places = vec![
        ("@DIRECTORY@".to_owned(), directory.to_owned()),
        ("@GATEWAY@".to_owned(), values.gateway.clone()),
        ("@CREDENTIAL@".to_owned(), format!("{directory}/{credential}")),
        ("@ACCESS_LOG@".to_owned(), format!("{directory}/access.log")),
        ("@ERROR_LOG@".to_owned(), format!("{directory}/error.log")),
    ];
    let endpoints =
        [("LISTEN", &values.listen), ("DATA_PLANE", &values.data_plane), ("BACK_END", &values.back_end)];
    for (name, endpoint) in endpoints {
        places.push((format!("@{name}@"), endpoint.written()));
        places.push((format!("@{name}_HOST@"), endpoint.host.clone()));
        places.push((format!("@{name}_PORT@"), endpoint.port.to_string()));
    }
    places
}

fn filled(text: &str, places: &[(String, String)]) -> String {
    places.iter().fold(text.to_owned(), |text, (place, value)| text.replace(place, value))
}

/// Letters, digits and what paths are made of: nothing here means anything in a configuration language.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b'-'))
}

fn prepare(directory: &Path, folders: &[&str]) -> Result<PathBuf, Failure> {
    let made = fs::create_dir_all(directory).and_then(|()| {
        for folder in folders {
            fs::create_dir_all(directory.join(folder))?;
        }
        fs::canonicalize(directory)
    });
    made.map_err(|cause| cannot_write(directory, &cause))
}

fn put(directory: &Path, name: &str, text: &str, mode: u32) -> Result<(), Failure> {
    let path = directory.join(name);
    let written = NamedTempFile::new_in(directory).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
        file.persist(&path).map(drop).map_err(io::Error::from)
    });
    written.map_err(|cause| cannot_write(&path, &cause))
}

fn cannot_write(path: &Path, cause: &io::Error) -> Failure {
    Failure::unavailable(format!("cannot write {}: {cause}", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{
        super::{RECIPES, values::GatewayCredential},
        *,
    };

    fn values(directory: PathBuf) -> Values {
        Values {
            gateway: "edge".to_owned(),
            listen: "[::1]:8080".parse().unwrap(),
            data_plane: "127.0.0.1:8471".parse().unwrap(),
            back_end: "back-end.example:80".parse().unwrap(),
            directory,
            credential: GatewayCredential::parse("csgate_x").unwrap(),
        }
    }

    #[test]
    fn every_place_of_every_recipe_is_filled_in_and_the_credential_is_alone() {
        for recipe in &RECIPES {
            let directory = tempfile::tempdir().unwrap();
            let folder = directory.path().join("new");
            let filled = recipe.fill(&values(folder.clone())).unwrap();
            for name in &filled.files {
                let text = fs::read_to_string(folder.join(name)).unwrap();
                let mode = fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
                let left: Vec<&str> = text
                    .split('@')
                    .filter(|word| {
                        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
                    })
                    .collect();
                assert!(left.is_empty(), "{}/{name}: {left:?}", recipe.kind);
                let is_credential = *name == recipe.credential.0;
                assert_eq!(text.contains("csgate_x"), is_credential, "{}/{name}", recipe.kind);
                assert_eq!(mode, if is_credential { PRIVATE } else { READABLE }, "{}/{name}", recipe.kind);
            }
            assert!(!filled.start.contains('@') && !filled.check.contains('@'), "{filled:?}");
            assert!(filled.start.contains(filled.directory.to_str().unwrap()));
        }
    }

    #[test]
    fn a_directory_that_would_mean_something_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["a b", "a;b", "a$b", "a{b", "a\"b", "a\u{e9}"] {
            let refused = RECIPES[0].fill(&values(directory.path().join(name)));
            assert!(matches!(refused, Err(Failure::Usage(_))), "{name}");
        }
    }
}
