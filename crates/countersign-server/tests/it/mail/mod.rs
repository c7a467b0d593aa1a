//! Letters to a real mail server: what arrives, and what becomes of those it does not take.

pub mod post_office;
mod told;

use std::{fs, path::PathBuf, sync::Arc};

use countersign_model::{event::Event, name::EmailAddress, time::Timestamp};
use countersign_server::{
    mail::{Letter, MailSettings, Mailer, Password, Reached, Sender, TlsMode, letters},
    outcome::SendOutcome,
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use self::post_office::PostOffice;

const NOW: &str = "2026-11-22T09:00:00Z";

fn settings(office: &PostOffice, tls: TlsMode) -> MailSettings {
    MailSettings {
        host: "localhost".to_owned(),
        port: office.port,
        tls,
        user: None,
        password: Password::None,
        from: Sender::parse("Example Tokens <tokens@example.com>").unwrap(),
        reply_to: None,
        ca_file: (tls != TlsMode::None).then(|| office.authority()),
        hello: "tokens.example.com".to_owned(),
        timeout_secs: 20,
    }
}

fn letter(to: &str) -> Letter {
    Letter {
        id: "dlv_1".to_owned(),
        to: EmailAddress::parse(to).unwrap(),
        subject: "Access token “Reports” was reset".to_owned(),
        text: "The text.\n.\nA line after a dot.\n".to_owned(),
        html: "<p>The page.</p>".to_owned(),
        unsubscribe: None,
    }
}

async fn send(settings: MailSettings, letter: &Letter) -> SendOutcome {
    Mailer::from_settings(settings).send(letter, Timestamp::parse_rfc3339(NOW).unwrap()).await
}

#[track_caller]
fn later(outcome: &SendOutcome, told: &str) {
    let SendOutcome::Later { reason, .. } = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains(told), "{reason:?} does not say {told:?}");
}

#[tokio::test]
async fn every_way_to_protect_the_connection_carries_a_letter() {
    for (option, tls) in
        [("none", TlsMode::None), ("starttls", TlsMode::StartTls), ("tls", TlsMode::Implicit)]
    {
        let office = PostOffice::open(&["--tls", option, "--auth", "tokens:p\u{e4}ssword"]);
        let secret = office.authority().with_file_name("password");
        fs::write(&secret, "p\u{e4}ssword\n").unwrap();
        let settings = MailSettings {
            user: Some("tokens".to_owned()),
            password: Password::File(secret),
            ..settings(&office, tls)
        };
        let reached = Mailer::from_settings(settings.clone()).look().await.unwrap();
        assert_eq!(reached, Reached { encrypted: tls != TlsMode::None, signed_in: true }, "{option}");
        let outcome = send(settings, &letter("ada@example.com")).await;
        assert_eq!(outcome, SendOutcome::Sent { code: Some(250) }, "{option}");
        let arrived = office.letter();
        assert_eq!(arrived["tls"], tls != TlsMode::None, "{option}");
        assert_eq!(arrived["user"], "tokens", "{option}");
        assert_eq!(arrived["from"], "tokens@example.com");
        assert_eq!(arrived["to"], json!(["ada@example.com"]));
        assert_eq!(arrived["subject"], "Access token “Reports” was reset");
        assert_eq!(arrived["text"].as_str().unwrap().replace("\r\n", "\n"), letter("a@b.cc").text);
    }
}

#[tokio::test]
async fn letters_are_read_by_another_program_as_they_were_written() {
    let office = PostOffice::open(&[]);
    let links = letters::Links {
        console: "https://tokens.example.com/accounts/acc_1/tokens/tok_1".to_owned(),
        once: None,
        unsubscribe: None,
    };
    let facts = json!({
        "token": "报表 & <b>αβγ</b> 🔑", "sid": "BR0123", "account": "某品牌\r\nBcc: everybody@example.com",
        "actor": "ada@example.com", "at": NOW,
    });
    for language in ["en", "zh-CN"] {
        let parts = letters::compose(Event::TokenDisabled, language, &facts, &links).unwrap();
        let sent = Letter {
            subject: parts.subject.clone(),
            text: parts.text.clone(),
            html: parts.html.clone(),
            unsubscribe: Some("https://tokens.example.com/unsubscribe#code".to_owned()),
            ..letter("ada@example.com")
        };
        let outcome = send(settings(&office, TlsMode::None), &sent).await;
        assert_eq!(outcome, SendOutcome::Sent { code: Some(250) });
        let arrived = office.letter();
        let read = |part: &str| arrived[part].as_str().unwrap().replace("\r\n", "\n");
        assert_eq!(read("subject"), parts.subject, "{language}");
        assert_eq!(read("text"), parts.text, "{language}");
        assert_eq!(read("html"), parts.html, "{language}");
        let head = read("raw_head");
        assert!(head.is_ascii() && !head.to_ascii_lowercase().contains("\nbcc:"), "{head}");
        let header = |name: &str| {
            let all = arrived["headers"].as_array().unwrap();
            let found: Vec<_> =
                all.iter().filter(|pair| pair[0] == name).map(|pair| pair[1].clone()).collect();
            assert!(found.len() <= 1, "{name}: {found:?}");
            found.into_iter().next().unwrap_or(Value::Null)
        };
        assert_eq!(header("Message-ID"), "<dlv_1@example.com>");
        assert_eq!(header("Date"), "Sun, 22 Nov 2026 09:00:00 +0000");
        assert_eq!(header("Auto-Submitted"), "auto-generated");
        assert_eq!(header("List-Unsubscribe"), "<https://tokens.example.com/unsubscribe#code>");
        assert_eq!(header("To"), "ada@example.com");
    }
}

#[tokio::test]
async fn a_server_without_starttls_gets_nothing() {
    let office = PostOffice::open(&["--tls", "none", "--auth", "tokens:secret"]);
    let settings = MailSettings {
        user: Some("tokens".to_owned()),
        password: Password::Given(Arc::new(Zeroizing::new("secret".to_owned()))),
        ca_file: None,
        ..settings(&office, TlsMode::StartTls)
    };
    later(&send(settings.clone(), &letter("ada@example.com")).await, "STARTTLS is not supported");
    assert!(Mailer::from_settings(settings).look().await.is_err());
    let seen = office.so_far();
    assert!(seen.iter().all(|event| event["event"] == "connection"), "{seen:?}");
}

#[tokio::test]
async fn what_was_said_in_the_clear_is_not_taken_for_the_servers_word() {
    let office = PostOffice::open(&["--tls", "starttls", "--inject"]);
    later(&send(settings(&office, TlsMode::StartTls), &letter("ada@example.com")).await, "mail.tls");
    assert!(!office.so_far().iter().any(|event| event["event"] == "mail"));
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for_or_of_another_name_is_refused() {
    let office = PostOffice::open(&["--tls", "tls"]);
    let strangers = PostOffice::open(&["--tls", "tls"]);
    let trusting = settings(&office, TlsMode::Implicit);
    let cases: [(&str, MailSettings); 4] = [
        ("no authority", MailSettings { ca_file: None, ..trusting.clone() }),
        ("another authority", MailSettings { ca_file: Some(strangers.authority()), ..trusting.clone() }),
        ("another name", MailSettings { host: "127.0.0.1".to_owned(), ..trusting.clone() }),
        ("no file", MailSettings { ca_file: Some(PathBuf::from("/nowhere/ca.pem")), ..trusting.clone() }),
    ];
    for (what, settings) in cases {
        let outcome = send(settings, &letter("ada@example.com")).await;
        let SendOutcome::Later { reason, .. } = outcome else { panic!("{what}: {outcome:?}") };
        assert!(reason.contains("certificate") || reason.contains("mail.ca_file"), "{what}: {reason}");
    }
    assert!(!office.so_far().iter().any(|event| event["event"] == "mail"));
    assert_eq!(send(trusting, &letter("ada@example.com")).await, SendOutcome::Sent { code: Some(250) });
}

#[tokio::test]
async fn what_the_server_says_of_the_recipient_counts_and_nothing_else_does() {
    let of = |office: &PostOffice| settings(office, TlsMode::None);
    let office = PostOffice::open(&["--later", "1", "--refuse", "gone@example.com"]);
    let first = send(of(&office), &letter("ada@example.com")).await;
    assert!(matches!(&first, SendOutcome::Later { code: Some(450), .. }), "{first:?}");
    assert_eq!(send(of(&office), &letter("ada@example.com")).await, SendOutcome::Sent { code: Some(250) });
    let refused = send(of(&office), &letter("gone@example.com")).await;
    let SendOutcome::Refused { code: Some(550), reason } = refused else { panic!("{refused:?}") };
    assert_eq!(reason, "the address was refused: 550 5.1.1 nobody has this address");

    for (option, code, told) in [
        ("--relay-denied", 554, "does not take letters to others from us"),
        ("--refuse-sender", 553, "mail.from"),
        ("--refuse-content", 554, "refuses the letter"),
    ] {
        let office = PostOffice::open(&[option]);
        let outcome = send(of(&office), &letter("ada@example.com")).await;
        later(&outcome, told);
        assert!(matches!(outcome, SendOutcome::Later { code: Some(said), .. } if said == code), "{option}");
    }

    let office = PostOffice::open(&["--auth", "tokens:right"]);
    later(&send(of(&office), &letter("ada@example.com")).await, "530");
    let wrong = MailSettings {
        user: Some("tokens".to_owned()),
        password: Password::Given(Arc::new(Zeroizing::new("wrong-one".to_owned()))),
        ..of(&office)
    };
    let outcome = send(wrong.clone(), &letter("ada@example.com")).await;
    later(&outcome, "mail.user");
    assert!(!format!("{outcome:?} {wrong:?}").contains("wrong-one"));
    let lost = MailSettings { password: Password::File(PathBuf::from("/nowhere/password")), ..wrong };
    later(&send(lost, &letter("ada@example.com")).await, "mail.password_file");
}

#[tokio::test]
async fn a_server_that_hangs_or_hangs_up_costs_time_and_no_more() {
    let office = PostOffice::open(&["--drop", "1"]);
    let of = |office: &PostOffice| settings(office, TlsMode::None);
    assert!(matches!(send(of(&office), &letter("a@example.com")).await, SendOutcome::Later { .. }));
    assert_eq!(send(of(&office), &letter("a@example.com")).await, SendOutcome::Sent { code: Some(250) });

    let office = PostOffice::open(&["--silent"]);
    let hurried = MailSettings { timeout_secs: 1, ..of(&office) };
    later(&send(hurried, &letter("a@example.com")).await, "no answer within 1 seconds");

    let (listener, port) = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    };
    let mute = MailSettings { port, timeout_secs: 1, ..of(&office) };
    later(&send(mute.clone(), &letter("a@example.com")).await, "cannot be reached");
    let implicit = MailSettings { tls: TlsMode::Implicit, ..mute.clone() };
    later(&send(implicit, &letter("a@example.com")).await, "no answer within 1 seconds");
    drop(listener);
    later(&send(mute, &letter("a@example.com")).await, "cannot be reached");
}

#[tokio::test]
async fn addresses_in_other_scripts_need_a_server_that_knows_them() {
    let knows = PostOffice::open(&["--utf8"]);
    let outcome = send(settings(&knows, TlsMode::None), &letter("小明@example.com")).await;
    assert_eq!(outcome, SendOutcome::Sent { code: Some(250) });
    assert_eq!(knows.letter()["to"], json!(["小明@example.com"]));
    let does_not = PostOffice::open(&[]);
    later(&send(settings(&does_not, TlsMode::None), &letter("小明@example.com")).await, "SMTPUTF8");
}
