//! Letters from the running program to a real mail server, and what the program says of a mail server that will not do.

#[path = "../../../countersign-server/tests/it/mail/post_office.rs"]
mod post_office;

use http::Method;
use serde_json::{Value, json};

use self::post_office::PostOffice;
use crate::{
    client::Client,
    installation::{Installation, Server, errors, text},
    pages,
    platform::{CONTACT, brand_account, operating, platform_credential, token},
};

const PASSWORD: &str = "a password of a mail server";

/// The flags for this mail server.
fn flags(installation: &Installation, office: &PostOffice, tls: &str) -> Vec<String> {
    let password = installation.write("mail-password", &format!("{PASSWORD}\n"));
    let pairs = [
        ("--mail-server", format!("localhost:{}", office.port)),
        ("--mail-tls", tls.to_owned()),
        ("--mail-ca-file", office.authority().display().to_string()),
        ("--mail-user", "tokens".to_owned()),
        ("--mail-password-file", password.display().to_string()),
        ("--mail-from", "Example Tokens <tokens@example.com>".to_owned()),
    ];
    pairs.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]).collect()
}

fn serve(installation: &Installation, flags: &[String]) -> Server {
    installation.serve_with(&flags.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The next letter with this subject.
fn letter(office: &PostOffice, subject: &str) -> Value {
    loop {
        let letter = office.letter();
        if letter["subject"] == subject {
            return letter;
        }
    }
}

async fn name_developers(operator: &mut Client, token: &crate::platform::Token, emails: &[&str]) {
    let path = format!("/api/v1/accounts/{}/tokens/{}", token.account, token.id);
    let etag = operator.ask(Method::GET, &path, None).await.body["edit"].as_u64().unwrap();
    let mut editing = operator.again("if-match", format!("\"{etag}\"")).await;
    let body = json!({ "developer_emails": emails });
    let answer = editing.ask(Method::PATCH, &path, Some(&body)).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
}

#[tokio::test]
async fn letters_leave_the_running_program() {
    let installation = Installation::empty();
    let office = PostOffice::open(&["--tls", "starttls", "--auth", &format!("tokens:{PASSWORD}")]);
    let server = serve(&installation, &flags(&installation, &office, "starttls"));
    brand_account(&installation, &server).await;
    let made = token(&installation, "Reports");
    let told = letter(&office, "New access token “Reports”");
    assert_eq!(
        (&told["to"], &told["tls"], &told["user"]),
        (&json!([CONTACT]), &json!(true), &json!("tokens"))
    );
    assert!(!told.to_string().contains(&made.secret));

    let credential = platform_credential(&installation);
    let mut operator = operating(&server, &credential).await;
    name_developers(&mut operator, &made, &["dev@example.com"]).await;
    let question = letter(&office, "Do you want to hear about the API tokens of A brand?");
    assert_eq!(question["to"], json!(["dev@example.com"]));
    let words = question["text"].as_str().unwrap().to_owned();
    let link = words.split_whitespace().find(|word| word.contains("/confirm#")).unwrap();
    let code = json!({ "code": link.split_once('#').unwrap().1 });
    let mut browser = Client::connect(server.management).await.with("sec-fetch-site", "same-origin");
    let confirmed = browser.ask(Method::POST, "/api/v1/addresses/confirm", Some(&code)).await;
    assert_eq!(
        (confirmed.status, &confirmed.body["email"]),
        (200.try_into().unwrap(), &json!("dev@example.com"))
    );

    installation.json(&["token", "disable", &made.sid]);
    let mut told: Vec<Value> =
        (0..2).map(|_| letter(&office, "Access token “Reports” was disabled")["to"].take()).collect();
    told.sort_by_key(ToString::to_string);
    assert_eq!(told, [json!([CONTACT]), json!(["dev@example.com"])]);

    let shown = installation.json(&["config", "print"]).to_string();
    assert!(!shown.contains(PASSWORD));
    let (_, log) = server.terminate();
    assert!(!log.iter().any(|line| line.contains(PASSWORD)), "the log has the password");
}

#[tokio::test]
async fn a_mail_server_without_tls_is_told_of_and_gets_nothing() {
    let installation = Installation::empty();
    let office = PostOffice::open(&["--tls", "none"]);
    let mut flags = flags(&installation, &office, "starttls");
    let ca = flags.iter().position(|flag| flag == "--mail-ca-file").unwrap();
    flags.drain(ca..ca + 2);
    let server = serve(&installation, &flags);
    brand_account(&installation, &server).await;
    token(&installation, "Reports");
    let credential = platform_credential(&installation);
    let mut operator = operating(&server, &credential).await;
    office.wait_for("connection");
    let waiting = loop {
        let page = operator.ask(Method::GET, "/api/v1/deliveries?event=token.created", None).await;
        let row = page.body["items"][0].clone();
        if !row["reason"].is_null() {
            break row;
        }
        // Nothing was noted yet; the next connection is the next time it can have been.
        tokio::task::yield_now().await;
    };
    assert_eq!(waiting["state"], "waiting", "{waiting}");
    assert!(waiting["reason"].as_str().unwrap().contains("STARTTLS"), "{waiting}");

    let doctor = installation.command().args(&flags).arg("doctor").output().unwrap();
    assert_eq!(doctor.status.code(), Some(1));
    assert!(text(&doctor).contains("mail.tls"), "{}", text(&doctor));
    assert!(office.so_far().iter().all(|event| event["event"] == "connection"));
}

#[test]
fn the_book_sets_mail_up() {
    let installation = Installation::empty();
    let office = PostOffice::open(&["--tls", "starttls", "--auth", &format!("tokens:{PASSWORD}")]);
    let password = installation.write("mail-password", PASSWORD);
    let page = pages::page("mail.md");
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let settings = rest.split("```").next().unwrap();
    let file = installation.write("countersign.toml", settings);
    let mut ran = 0;
    for (command, shown) in pages::commands(&page) {
        let output = installation
            .command()
            .env("COUNTERSIGN__MAIL__SERVER", format!("localhost:{}", office.port))
            .env("COUNTERSIGN__MAIL__CA_FILE", office.authority())
            .env("COUNTERSIGN__MAIL__PASSWORD_FILE", &password)
            .arg("--config")
            .arg(&file)
            .args(pages::words(&command))
            .output()
            .unwrap();
        let printed = format!("{}{}", text(&output), errors(&output));
        assert!(output.status.success(), "{command}: {printed}");
        for line in shown {
            assert!(printed.contains(line.trim_end()), "{command} does not print {line:?}: {printed}");
        }
        ran += 1;
    }
    assert!(ran >= 3, "only {ran} commands were found");
    assert_eq!(office.letter()["to"], json!(["you@example.com"]));
}

#[test]
fn what_cannot_be_meant_together_is_refused() {
    let whole = "server = \"mail.example.com:587\"\nfrom = \"tokens@example.com\"\n";
    let files = [
        ("server = \"mail.example.com\"\nfrom = \"a@example.com\"".to_owned(), "a host and a port"),
        ("server = \"mail.example.com:0\"\nfrom = \"a@example.com\"".to_owned(), "a host and a port"),
        ("server = \"mail example:25\"\nfrom = \"a@example.com\"".to_owned(), "a host and a port"),
        ("server = \"mail.example.com:587\"".to_owned(), "letters need a sender"),
        ("server = \"mail.example.com:587\"\nfrom = \"nobody\"".to_owned(), "mail.from = \"nobody\""),
        (format!("{whole}reply_to = \"nobody\""), "mail.reply_to = \"nobody\""),
        (format!("{whole}tls = \"none\""), "another machine"),
        (format!("{whole}tls = \"maybe\""), "`starttls` or `tls` or `none`"),
        (format!("{whole}insecure = \"perhaps\""), "`no` or `yes`"),
        (format!("{whole}user = \"tokens\""), "mail.password_file"),
        (format!("{whole}password = \"{PASSWORD}\""), "mail.user"),
        (
            format!("{whole}user = \"tokens\"\npassword = \"{PASSWORD}\"\npassword_file = \"f\""),
            "beside mail.password",
        ),
        (format!("{whole}timeout_secs = 0"), "a number of seconds from 1 to 300"),
        (format!("{whole}pasword = \"{PASSWORD}\""), "unknown key `mail.pasword`"),
    ];
    let installation = Installation::empty();
    for (settings, told) in files {
        installation.write("c.toml", &format!("[mail]\n{settings}\n"));
        let output = installation.run(&["config", "check", "--config", "c.toml"]);
        assert_eq!(output.status.code(), Some(1), "{settings}");
        assert!(errors(&output).contains(told), "{settings}: {}", errors(&output));
        assert!(!errors(&output).contains(PASSWORD), "{settings}: {}", errors(&output));
    }
    for more in ["tls = \"none\"\ninsecure = \"yes\"", "user = \"tokens\"\npassword = \"p\"", ""] {
        installation.write("c.toml", &format!("[mail]\n{whole}{more}\n"));
        let output = installation.run(&["config", "check", "--config", "c.toml"]);
        assert!(output.status.success(), "{more}: {}", errors(&output));
    }
    installation.write("c.toml", &format!("[mail]\n{whole}user = \"tokens\"\npassword = \"{PASSWORD}\"\n"));
    let output = installation.run(&["config", "print", "-o", "json", "--config", "c.toml"]);
    assert!(text(&output).contains("[redacted]") && !text(&output).contains(PASSWORD));
}
