//! Where a server is and whether it is spoken to by TLS, from one address. The address holds a password: nothing here
//! prints it.

use std::{path::Path, str::FromStr as _, sync::Arc, time::Duration};

use rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer, pki_types::pem::PemObject as _};
use tokio_postgres::{
    Config,
    config::{Host, SslMode, TargetSessionAttrs},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{
    Error,
    limits::{CONNECT_MILLIS, LOCK_WAIT_MILLIS, TRANSACTION_IDLE_MILLIS, WRITE_MILLIS_MAX},
};

/// A server, a database on it, and how it is reached.
#[derive(Clone)]
pub(crate) struct Target {
    pub(super) config: Config,
    pub(super) tls: Option<MakeRustlsConnect>,
}

/// The part of the address about TLS, which the driver does not know as others do.
#[derive(Default)]
struct Asked<'u> {
    mode: Option<&'u str>,
    root: Option<&'u str>,
}

impl Target {
    /// Reads `postgres://user:password@host:port/database?sslmode=…&sslrootcert=…`.
    pub(crate) fn parse(url: &str) -> Result<Self, Error> {
        let (plain, asked) = without_tls(url);
        let is_address = ["postgres://", "postgresql://"].iter().any(|scheme| plain.starts_with(scheme));
        // The cause may hold a part of the address.
        let config = Config::from_str(&plain).ok().filter(|_| is_address);
        let mut config = config.ok_or_else(|| {
            Error::Unavailable(
                "the address of the database is not understood; write \
                 postgres://user:password@host:5432/database?sslmode=verify-full"
                    .to_owned(),
            )
        })?;
        let encrypted = match asked.mode {
            Some("disable") => false,
            Some("require" | "verify-ca" | "verify-full") => true,
            None => !config.get_hosts().iter().all(is_here),
            Some(other) => {
                return Err(Error::Unavailable(format!(
                    "sslmode={other} is not understood; say verify-full, or disable where nobody listens on the way"
                )));
            }
        };
        let options = options(config.get_options());
        config
            .ssl_mode(if encrypted { SslMode::Require } else { SslMode::Disable })
            .application_name("countersign")
            .connect_timeout(Duration::from_millis(CONNECT_MILLIS))
            .tcp_user_timeout(Duration::from_millis(WRITE_MILLIS_MAX))
            .target_session_attrs(TargetSessionAttrs::Any)
            .options(options);
        let tls = if encrypted { Some(connector(asked.root)?) } else { None };
        Ok(Self { config, tls })
    }
}

/// What every session begins with, whatever the server's own configuration says.
fn options(given: Option<&str>) -> String {
    format!(
        "{} -c synchronous_commit=on -c lock_timeout={LOCK_WAIT_MILLIS} \
         -c idle_in_transaction_session_timeout={TRANSACTION_IDLE_MILLIS} -c standard_conforming_strings=on \
         -c default_transaction_isolation=read\\ committed -c client_encoding=UTF8",
        given.unwrap_or_default()
    )
}

/// Whether the way to this host stays on this machine.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
    }
}

fn without_tls(url: &str) -> (String, Asked<'_>) {
    let mut asked = Asked::default();
    let Some((place, query)) = url.split_once('?') else { return (url.to_owned(), asked) };
    let mut kept = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", mode)) => asked.mode = Some(mode),
            Some(("sslrootcert", path)) => asked.root = Some(path),
            _ => kept.push(pair),
        }
    }
    let plain = if kept.is_empty() { place.to_owned() } else { format!("{place}?{}", kept.join("&")) };
    (plain, asked)
}

/// The server's certificate is always held to its name: encryption towards nobody in particular protects nothing.
fn connector(root: Option<&str>) -> Result<MakeRustlsConnect, Error> {
    let mut roots = RootCertStore::empty();
    match root {
        Some(path) => {
            let unusable = |cause: &dyn std::fmt::Display| {
                Error::Unavailable(format!("sslrootcert={path} cannot be used: {cause}"))
            };
            let certificates =
                CertificateDer::pem_file_iter(Path::new(path)).map_err(|error| unusable(&error))?;
            for certificate in certificates {
                let certificate = certificate.map_err(|error| unusable(&error))?;
                roots.add(certificate).map_err(|error| unusable(&error))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Unavailable(format!("TLS cannot be used: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encryption_is_the_rule_beyond_this_machine() {
        for (url, encrypted) in [
            ("postgres://u:p@db.example.com/c", true),
            ("postgres://u:p@db.example.com/c?sslmode=disable", false),
            ("postgres://u:p@127.0.0.1:5433/c", false),
            ("postgres://u@localhost/c?sslmode=verify-full", true),
            ("postgres://u@localhost/c?sslmode=require&connect_timeout=3", true),
            ("postgresql:///c?host=/run/postgresql&user=u", false),
        ] {
            let target = Target::parse(url).unwrap();
            assert_eq!(target.tls.is_some(), encrypted, "{url}");
            assert_eq!(target.config.get_ssl_mode() == SslMode::Require, encrypted, "{url}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_without_its_password() {
        for url in ["postgres://u:hunter2@h/c?sslmode=prefer", "postgres://u:hunter2@h:x/c", "nonsense", ""] {
            let Err(Error::Unavailable(told)) = Target::parse(url) else { panic!("{url}") };
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
}
