//! Methods, paths, queries and versions: what is decided about is what the back end sees, byte for byte.

use super::{Case, People};

/// Spellings of paths, `S` for the SID: one operation is allowed, nothing else is.
const SPELLINGS: &[&str] = &[
    "/Advertisers/S/Actions/",
    "/Advertisers/S/Actions//",
    "/Advertisers/S/Actions/x",
    "/Advertisers/S/actions",
    "/Advertisers/S/ACTIONS",
    "/advertisers/S/Actions",
    "/aDVERTISERS/S/Actions",
    "/Advertisers/S/Acti%6fns",
    "/Advertisers/S/Acti%6Fns",
    "/%41dvertisers/S/Actions",
    "/Advertisers/S/Actions?",
    "/Advertisers/S/Actions??",
    "/Advertisers/S/Actions?a=b&a=c",
    "/Advertisers/S/Actions?next=/x/..//y",
    "/Advertisers/S/Actions?q=%2e%2e%2f%00",
    "/Advertisers/S/Actions?q=a%20b+c",
    "/Advertisers/S/Actions?q=1,2,3",
    "/Advertisers/S/Actions?q=%E5%80%89",
    "/Advertisers/S/Actions?%5B%5D=1",
    "/Advertisers/S/Actions.json",
    "/Advertisers/S/Actions%20",
    "/Advertisers/S/Actions%2520",
    "/Advertisers/S/Actions:x",
    "/Advertisers/S/Actions@x",
    "/Advertisers/S/Actions!$&'()*+,=",
    "//whoami",
    "/x/../whoami?",
    "/whoami/",
    "/WHOAMI",
    "//Advertisers/S/Actions",
    "///Advertisers/S/Actions",
    "/./Advertisers/S/Actions",
    "/../Advertisers/S/Actions",
    "/Advertisers//S/Actions",
    "/Advertisers/S//Actions",
    "/Advertisers/S/x/%2e%2e/Actions",
    "/Advertisers/S/x/%2E./Actions",
    "/Advertisers/S/x/.%2e/Actions",
    "/Advertisers/S/./Actions",
    "/Advertisers/S/x/../Actions",
    "/Advertisers/S/Ads/../Actions",
    "/Advertisers/S/Ads/..;/Actions",
    "/Advertisers/S/Ads;/../Actions",
    "/Advertisers/S/Actions/../Ads",
    "/Advertisers/S/Actions/..%2fAds",
    "/Advertisers/S/Actions%2f..%2fAds",
    "/Advertisers/S/Actions/%2e%2e/Ads",
    "/Advertisers/S/Actions/%252e%252e/Ads",
    "/Advertisers/S/%2e/Actions",
    "/Advertisers/S/Actions;x=1",
    "/Advertisers/S;x/Actions",
    "/Advertisers;a/S/Actions",
    "/Advertisers/S%2fActions",
    "/Advertisers/S%2FActions",
    "/Advertisers%2fS/Actions",
    "/Advertisers/S%5cActions",
    "/Advertisers/S/Actions%00",
    "/Advertisers/S/Actions%0a",
    "/Advertisers/S/Actions%0d%0aX-Countersign-Sid:%20x",
    "/Advertisers/S/Actions%ff",
    "/Advertisers/S/Actions%c0%af",
    "/Advertisers/S/Actions%E5%80%89",
    "/countersign-ask",
    "/countersign_ask",
    "/v1/verify",
    "/v1/forward-auth/edge",
];

/// What is no path in origin form at all.
const NO_PATHS: &[&str] = &[
    "/Advertisers/S\\Actions",
    "/Advertisers/S/Actions%zz",
    "/Advertisers/S/Actions%",
    "/Advertisers/S/Actions#x",
    "/Advertisers/S/Actions?a#x",
    "/Advertisers/S/Actions?a b",
    "/Advertisers/S/Actions?a\tb",
    "/Advertisers/S/Actions?a\0b",
    "/Advertisers/S/Actions\u{80}",
    "/Advertisers/S/Acti\u{7f}ons",
    "/Advertisers/S/倉庫",
    "Advertisers/S/Actions",
    "*",
    "",
    "?",
    "/Advertisers/S/Actions HTTP/1.1",
    "/Advertisers/S/Actions HTTP/1.1\r\nX: y",
];

pub fn cases(people: &People) -> Vec<Case> {
    let mut cases = paths(people);
    cases.extend(methods(people));
    cases.extend(versions(people));
    cases
}

fn paths(people: &People) -> Vec<Case> {
    let (sid, good) = (people.reader.sid.as_str(), people.reader.basic());
    let mut targets = vec![people.allowed(), people.denied(), "/".to_owned(), String::from("/Advertisers")];
    for path in SPELLINGS {
        targets.push(path.replacen("/S", &format!("/{sid}"), 1));
    }
    let mut cases: Vec<Case> = targets
        .iter()
        .flat_map(|target| {
            let line = format!("GET {target}");
            [
                Case::new("a path", &line, Some(&good)).or_refused_if_odd(),
                Case::new("a path", &line, None).or_refused_if_odd(),
            ]
        })
        .collect();
    for target in NO_PATHS {
        let target = target.replacen("/S", &format!("/{sid}"), 1);
        let mut case = Case::new("no path", &format!("GET {target}"), Some(&good)).refused();
        // A line in the middle of the request line makes one request of two lines.
        if target.contains("\r\n") {
            let means = Case::new("", &format!("GET {}", people.allowed()), Some(&good)).means;
            case.means = means;
            case = case.or_refused();
        }
        cases.push(case);
    }
    // An absolute target names the same path; who takes it must ask about that path, and nobody has to take it.
    for target in [people.allowed(), people.denied()] {
        let mut case = Case::new("absolute", &format!("GET {target}"), Some(&good)).or_refused();
        for front in ["http://api.example", "https://api.example", "ftp://api.example", "http://"] {
            case.target = format!("{front}{target}");
            // Whoever tells the form of a target by the version must not believe the version.
            for version in ["HTTP/1.1", "HTTP/1.0", "HTTP/1.2", "HTTP/1.9", "HTTP/2.0", "HTTP/3.0"] {
                case.version = version;
                cases.push(case.clone());
            }
        }
    }
    let user = format!("http://{sid}:{}@api.example{}", people.reader.secret, people.allowed());
    cases.push(Case::new("a user part", &format!("GET {user}"), None).refused());
    cases
}

impl Case {
    /// The same; some gateways refuse by themselves what is no plain path.
    fn or_refused_if_odd(self) -> Self {
        let path = self.target.split('?').next().unwrap_or_default();
        let is_odd = path.contains("//")
            || path.contains("/.")
            || path.contains('%')
            || path.contains(';')
            || path == "/countersign-ask";
        if is_odd { self.or_refused() } else { self }
    }
}

/// Methods, and ways to mean another one.
fn methods(people: &People) -> Vec<Case> {
    let (reader, writer) = (people.reader.basic(), people.writer.basic());
    let deals = format!("/Advertisers/{}/Deals", people.writer.sid);
    let mut cases = Vec::new();
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let mut lines = Vec::new();
        if !matches!(method, "GET" | "HEAD") {
            lines.push("Content-Length: 0".to_owned());
        }
        for (target, credential) in [
            (people.allowed(), &reader),
            (deals.clone(), &writer),
            (format!("{deals}/7"), &writer),
            (format!("{deals}/7?_method=DELETE"), &writer),
            (format!("{deals}/7?_method=PUT"), &writer),
        ] {
            let mut case = Case::new("a method", &format!("{method} {target}"), Some(credential));
            case.lines.extend(lines.clone());
            cases.push(case);
        }
    }
    for query in ["_method=DELETE&_method=PUT", "_METHOD=DELETE", "_method=delete", "%5fmethod=DELETE"] {
        let mut case = Case::new("two methods", &format!("POST {deals}/7?{query}"), Some(&writer));
        case.lines.push("Content-Length: 0".to_owned());
        cases.push(case);
    }
    for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-Method"] {
        let mut case = Case::new("an override", &format!("POST {deals}"), Some(&writer));
        case.lines.push("Content-Length: 0".to_owned());
        cases.push(case.with(&format!("{name}: spoofed")).or_refused());
    }
    for method in
        ["get", "Get", "BREW", "TRACE", "TRACK", "CONNECT", "PRI", "DEBUG", "PROPFIND", "GET,POST", ""]
    {
        let line = format!("{method} {}", people.allowed());
        let case = Case::new("no method of ours", &line, Some(&reader));
        cases.push(case.refused());
    }
    for version in
        ["HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/3", "HTTP/11.1", "HTTP/1", "http/1.1", "HTTQ/1.1"]
    {
        let mut case = Case::new("a version of HTTP", &format!("GET {}", people.allowed()), Some(&reader));
        case.version = version;
        cases.push(case.or_refused());
    }
    let mut old = Case::new("HTTP/1.0", &format!("GET {}", people.allowed()), Some(&reader));
    old.version = "HTTP/1.0";
    cases.push(old);
    cases
}

/// Versions of the API behind the gateway.
fn versions(people: &People) -> Vec<Case> {
    let good = people.reader.basic();
    let plain = format!("GET {}", people.allowed());
    let mut cases = Vec::new();
    for query in [
        "ApiVersion=11",
        "apiversion=13",
        "ApiVersion=99",
        "ApiVersion=x",
        "ApiVersion=12&ApiVersion=13",
        "ApiVersion=",
    ] {
        cases.push(Case::new("a version", &format!("{plain}?{query}"), Some(&good)));
    }
    for version in [11_u16, 12, 13, 14, 99] {
        let mut case = Case::new("a version", &plain, Some(&good)).with(&format!("API-Version: {version}"));
        if let super::Meaning::Asks(ask) = &mut case.means {
            ask["api_version"] = version.into();
        }
        cases.push(case);
    }
    for lines in [
        &["API-Version: x"] as &[&str],
        &["API-Version: 12", "API-Version: 13"],
        &["API-Version: 12, 13"],
        &["API-Version: -1"],
        &["API-Version: 99999"],
    ] {
        let case =
            lines.iter().fold(Case::new("no version", &plain, Some(&good)), |case, line| case.with(line));
        cases.push(case.refused());
    }
    let mut twice = Case::new("a version twice", &plain, Some(&good)).or_refused();
    if let super::Meaning::AsksOrRefused(ask) = &mut twice.means {
        ask["api_version"] = 12.into();
    }
    cases.push(twice.with("API-Version: 12").with("Api-Version: 12"));
    let both = Case::new("two versions", &format!("{plain}?ApiVersion=12"), Some(&good));
    cases.push(both.with("API-Version: 13").refused());
    cases
}
