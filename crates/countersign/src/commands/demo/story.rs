//! What a demonstration says once everything runs: where things are, who can sign in, and what to paste.

use super::{
    Arguments,
    children::Children,
    platform::{self, BRAND_TOKEN},
    record::{Credentials, Record},
};
use crate::{config::Config, output};

/// Prints it.
pub fn print(config: &Config, arguments: &Arguments, record: &Record, children: &Children) {
    let public_url = &config.public_url;
    output::line(format!("\nCountersign runs.\n\n  console and API    {public_url}"));
    output::line(format!("  API documentation  {public_url}/api/v1/docs"));
    output::line(format!("  data plane         http://{}", config.data_plane));
    output::line(format!("  health, metrics    http://{}/readyz  /metrics", config.health));
    if children.has_nginx() {
        output::line(format!("  the sample API     http://{} (through nginx)", arguments.listen_nginx));
    }
    output::line("\nPeople who can sign in:\n");
    for person in platform::people() {
        let password = record.passwords.get(person.email).map_or("(unknown)", String::as_str);
        output::line(format!("  {:34} {password:24} {}", person.email, person.is));
    }
    let Some(token) = record.tokens.get(BRAND_TOKEN) else { return };
    output::line(
        "\nPaste these into another terminal. The first is allowed; the second lacks a scope; the\nthird is the first again, right after its token was disabled:\n",
    );
    let lines = if children.has_nginx() {
        through_nginx(config, arguments, token)
    } else {
        direct(config, record, token)
    };
    for line in lines {
        output::line(format!("  {line}\n"));
    }
    output::line(format!("It works again after:\n\n  {} token enable {}\n", this_program(config), token.sid));
    output::line(
        "Ctrl-C stops all of it. What it made is kept in ./data and ./keys; remove both to begin anew.",
    );
}

fn through_nginx(config: &Config, arguments: &Arguments, token: &Credentials) -> [String; 3] {
    let Credentials { sid, secret } = token;
    let actions = format!("http://{}/Advertisers/{sid}/Actions", arguments.listen_nginx);
    let allowed = format!("curl -i -u {sid}:{secret} {actions}");
    [
        allowed.clone(),
        format!("curl -i -u {sid}:{secret} -X PUT {actions}"),
        format!("{} token disable {sid} && {allowed}", this_program(config)),
    ]
}

/// Without nginx the same three questions go to Countersign's own doors.
fn direct(config: &Config, record: &Record, token: &Credentials) -> [String; 3] {
    let Credentials { sid, secret } = token;
    let gateway = record.gateway.as_deref().unwrap_or_default();
    let ask = |method: &str| {
        let body = format!(
            r#"{{"authorization":"Bearer {secret}","method":"{method}","uri":"/Advertisers/{sid}/Actions","client_address":"192.0.2.7"}}"#
        );
        format!(
            "curl -i http://{}/v1/verify -H 'X-Countersign-Gateway: {gateway}' -H 'Content-Type: application/json' -d '{body}'",
            config.data_plane
        )
    };
    [ask("GET"), ask("PUT"), format!("{} token disable {sid} && {}", this_program(config), ask("GET"))]
}

/// This program as a command that reaches this installation.
fn this_program(config: &Config) -> String {
    let data_dir = std::fs::canonicalize(&config.data_dir).unwrap_or_else(|_| config.data_dir.clone());
    let program =
        std::env::current_exe().map_or_else(|_| "countersign".to_owned(), |path| path.display().to_string());
    format!("{program} --data-dir {}", data_dir.display())
}
