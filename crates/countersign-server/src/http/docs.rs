//! The OpenAPI document and a plain page made from it: no script, nothing fetched from anywhere.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    Json, Router,
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, header};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use utoipa::openapi::OpenApi;

use crate::app::App;

/// How the pages of this door look.
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;\
background:#fff}h1,h2,h3{line-height:1.2}code{font:14px ui-monospace,monospace;background:#f2f2f2;padding:.1em .3em;\
overflow-wrap:anywhere}section{border-top:1px solid #ccc;padding:.5rem 0}table{border-collapse:collapse}td,th{text-align:\
left;padding:.2rem .8rem .2rem 0;vertical-align:top}a{color:#0b57d0}@media(prefers-color-scheme:dark){body{background:#161616;\
color:#eee}code{background:#2a2a2a}a{color:#8ab4f8}section{border-color:#444}}";

/// The routes of the document and its page.
pub(super) fn router(document: &OpenApi) -> Router<Arc<App>> {
    let document = serde_json::to_value(document).unwrap_or_default();
    let page = page("Countersign management API", &reference(&document));
    let document = Arc::new(document);
    let json = move || {
        let document = Arc::clone(&document);
        async move { Json(Value::clone(&document)) }
    };
    Router::new()
        .route("/openapi.json", get(json.clone()))
        .route("/api/v1/openapi.json", get(json))
        .route("/docs", get(move || async move { page }))
}

/// A page that is complete in itself.
#[derive(Clone)]
pub(super) struct Page {
    html: String,
    policy: HeaderValue,
}

/// Wraps a body of HTML.
pub(super) fn page(title: &str, body: &str) -> Page {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{}</title><style>{STYLE}</style></head><body>{body}</body></html>",
        escape(title)
    );
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    Page { html, policy }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (header::CONTENT_SECURITY_POLICY, self.policy),
        ];
        (headers, self.html).into_response()
    }
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn reference(document: &Value) -> String {
    let mut html = format!("<h1>{}</h1>", escape(text(document, "/info/title")));
    let _ = write!(
        html,
        "<p>{} The same, for machines: <a href=\"/openapi.json\">openapi.json</a>.</p>",
        escape(text(document, "/info/description"))
    );
    for (path, item) in entries(&document["paths"]) {
        for (method, operation) in entries(item) {
            html.push_str(&one_operation(document, (method, path), operation));
        }
    }
    html.push_str("<h2>Schemas</h2>");
    for (name, schema) in entries(&document["components"]["schemas"]) {
        let _ = write!(
            html,
            "<section id=\"{0}\"><h3>{0}</h3><p>{1}</p>{2}</section>",
            escape(name),
            escape(text(schema, "/description")),
            properties(schema)
        );
    }
    html
}

fn one_operation(document: &Value, (method, path): (&str, &str), operation: &Value) -> String {
    let mut html = format!(
        "<section><h3><code>{} {}</code></h3><p>{} {}</p>",
        escape(&method.to_uppercase()),
        escape(path),
        escape(text(operation, "/summary")),
        escape(text(operation, "/description"))
    );
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let rows = parameters.map(|parameter| {
        [
            code(text(parameter, "/name")),
            escape(text(parameter, "/in")),
            escape(text(parameter, "/description")),
        ]
    });
    html.push_str(&table("Parameters", rows));
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    if !body.is_null() {
        let _ = write!(html, "<h4>Body</h4><p>{}</p>", type_of(body));
    }
    let rows = entries(&operation["responses"]).map(|(status, response)| {
        // What operations share stands once among the components, and a reference to it here.
        let shared = response["$ref"].as_str().and_then(|place| document.pointer(place.strip_prefix('#')?));
        let response = shared.unwrap_or(response);
        let content = entries(&response["content"]).next().map(|(_, content)| type_of(&content["schema"]));
        [escape(status), escape(text(response, "/description")), content.unwrap_or_default()]
    });
    html.push_str(&table("Answers", rows));
    html.push_str("</section>");
    html
}

fn properties(schema: &Value) -> String {
    let rows = entries(&schema["properties"])
        .map(|(name, property)| [code(name), type_of(property), escape(text(property, "/description"))]);
    table("Members", rows)
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

/// A table of escaped cells; nothing where there is no row.
fn table(title: &str, rows: impl Iterator<Item = [String; 3]>) -> String {
    let mut html = String::new();
    for [first, second, third] in rows {
        let _ = write!(html, "<tr><td>{first}</td><td>{second}</td><td>{third}</td></tr>");
    }
    if html.is_empty() { html } else { format!("<h4>{title}</h4><table>{html}</table>") }
}

fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("<a href=\"#{0}\">{0}</a>", escape(name));
    }
    let several = ["oneOf", "anyOf", "allOf"].iter().find_map(|word| schema[word].as_array());
    if let Some(several) = several {
        return several.iter().map(type_of).collect::<Vec<_>>().join(" or ");
    }
    match &schema["type"] {
        Value::String(one) if one == "array" => format!("list of {}", type_of(&schema["items"])),
        Value::String(one) => escape(one),
        Value::Array(several) => {
            escape(&several.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "))
        }
        _ => "any JSON".to_owned(),
    }
}
